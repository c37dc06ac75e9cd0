//! Waiting for an item.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use klient_workqueue::Queue;
use tokio::time::{Instant, advance};

const HOUR: Duration = Duration::from_secs(3600);

/// Counts how often it was woken.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Woken {
    fn times(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

#[tokio::test(start_paused = true)]
async fn who_waits_gets_the_item_when_it_comes() {
    let queue = Queue::new();
    let adding = queue.clone();
    tokio::spawn(async move { adding.add("a") });
    assert_eq!(*queue.get().await.unwrap(), "a");
}

#[tokio::test(start_paused = true)]
async fn who_waits_gets_a_delayed_item_exactly_in_time() {
    let (queue, begin) = (Queue::new(), Instant::now());
    let workers = [queue.clone(), queue.clone(), queue.clone()].map(|queue| {
        tokio::spawn(async move {
            let key = *queue.get().await?;
            Some((key, begin.elapsed().as_secs()))
        })
    });
    tokio::task::yield_now().await;
    queue.add_after("c", 3 * HOUR);
    queue.add_after("b", 2 * HOUR);
    queue.add_after("a", HOUR);
    let mut got = vec![];
    for worker in workers {
        got.push(worker.await.unwrap().unwrap());
    }
    got.sort_unstable();
    assert_eq!(got, [("a", 3600), ("b", 7200), ("c", 10800)]);
}

#[tokio::test(start_paused = true)]
async fn nobody_is_woken_while_nothing_happens() {
    let queue = Queue::new();
    let woken = [(); 3].map(|()| Arc::new(Woken::default()));
    let wakers = woken.clone().map(Waker::from);
    let mut gets = wakers.iter().map(|_| Box::pin(queue.get())).collect::<Vec<_>>();
    let mut poll_all = || {
        for (get, waker) in gets.iter_mut().zip(&wakers) {
            assert!(get.as_mut().poll(&mut Context::from_waker(waker)).is_pending());
        }
    };
    poll_all();
    queue.add_after("a", HOUR);
    assert_eq!(woken.iter().map(|one| one.times()).sum::<usize>(), 1, "one, to keep the time");
    poll_all();
    queue.add_after("b", 2 * HOUR);
    advance(HOUR / 2).await;
    assert_eq!(woken.iter().map(|one| one.times()).sum::<usize>(), 1);
    advance(HOUR / 2).await;
    tokio::task::yield_now().await;
    assert_eq!(woken.iter().map(|one| one.times()).sum::<usize>(), 2, "the one who keeps the time");
}

#[tokio::test(start_paused = true)]
async fn an_added_item_wakes_one() {
    let queue = Queue::new();
    let woken = [(); 2].map(|()| Arc::new(Woken::default()));
    let wakers = woken.clone().map(Waker::from);
    let mut gets = [pin!(queue.get()), pin!(queue.get())];
    for (get, waker) in gets.iter_mut().zip(&wakers) {
        assert!(get.as_mut().poll(&mut Context::from_waker(waker)).is_pending());
    }
    queue.add("a");
    queue.add("a");
    assert_eq!([woken[0].times(), woken[1].times()], [1, 0], "the one who has waited longest");
}

#[tokio::test(start_paused = true)]
async fn a_woken_waiter_is_not_expected_once_its_item_is_taken() {
    let queue = Queue::new();
    queue.add("x");
    let work = queue.try_get();
    let woken = [(); 2].map(|()| Arc::new(Woken::default()));
    let wakers = woken.clone().map(Waker::from);
    let mut gets = [pin!(queue.get()), pin!(queue.get())];
    for (get, waker) in gets.iter_mut().zip(&wakers) {
        assert!(get.as_mut().poll(&mut Context::from_waker(waker)).is_pending());
    }
    queue.add("x");
    drop(work);
    assert_eq!([woken[0].times(), woken[1].times()], [1, 0]);
    assert_eq!(queue.try_get().as_deref(), Some(&"x"), "before the one who was woken comes");
    queue.add("y");
    assert_eq!([woken[0].times(), woken[1].times()], [1, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_future_that_is_woken_and_not_polled_uses_up_one_wake_only() {
    let queue = Queue::new();
    let mut unpolled = pin!(queue.get());
    assert!(unpolled.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(woken.clone());
    let mut get = pin!(queue.get());
    assert!(get.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    queue.add("a");
    queue.add("b");
    assert_eq!(woken.times(), 1);
}

#[tokio::test(start_paused = true)]
async fn who_gives_up_after_being_woken_wakes_the_next() {
    let queue = Queue::new();
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(woken.clone());
    let mut first = Box::pin(queue.get());
    let mut second = Box::pin(queue.get());
    assert!(first.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    assert!(second.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    queue.add("a");
    assert_eq!(woken.times(), 0);
    drop(first);
    assert_eq!(woken.times(), 1);
    assert!(second.as_mut().poll(&mut Context::from_waker(&waker)).is_ready());
}

#[tokio::test(start_paused = true)]
async fn who_keeps_the_time_and_gives_up_leaves_that_to_the_next() {
    let queue = Queue::new();
    queue.add_after("a", HOUR);
    let other = queue.clone();
    let keeper = tokio::spawn(async move { other.get().await.map(|key| *key) });
    tokio::task::yield_now().await;
    let other = queue.clone();
    let next = tokio::spawn(async move { other.get().await.map(|key| *key) });
    tokio::task::yield_now().await;
    keeper.abort();
    assert_eq!(next.await.unwrap(), Some("a"));
}

#[tokio::test(start_paused = true)]
async fn shutting_down_ends_all_waiting() {
    let queue: Queue<u8> = Queue::new();
    queue.add_after(1, HOUR);
    let workers = [(); 3].map(|()| {
        let queue = queue.clone();
        tokio::spawn(async move { queue.get().await.is_none() })
    });
    tokio::task::yield_now().await;
    queue.shut_down();
    for worker in workers {
        assert!(worker.await.unwrap());
    }
}

#[tokio::test(start_paused = true)]
async fn a_worker_who_never_waits_lets_others_run() {
    let queue = Queue::new();
    queue.add(0_u64);
    let other = queue.clone();
    let worker = tokio::spawn(async move {
        while let Some(key) = other.get().await {
            other.add(*key + 1);
        }
    });
    tokio::task::yield_now().await;
    queue.shut_down();
    worker.await.unwrap();
}

#[test]
fn a_thread_can_wait_too() {
    let queue = Queue::new();
    let (adding, other) = (queue.clone(), queue.clone());
    let worker =
        std::thread::spawn(move || std::iter::from_fn(|| other.get_blocking()).map(|key| *key).sum::<u32>());
    let adder = std::thread::spawn(move || (1..=1000).for_each(|key| adding.add(key)));
    adder.join().unwrap();
    queue.add_after(1001, Duration::from_nanos(1));
    while !queue.is_empty() {
        std::thread::yield_now();
    }
    queue.shut_down();
    let sum = worker.join().unwrap();
    // The last one waits for its time, which may not have come when the queue is shut down.
    assert!(sum == 500_500 || sum == 501_501, "{sum}");
}

#[test]
fn a_thread_waits_until_a_delayed_item_is_ready() {
    let queue = Queue::new();
    queue.add_after("a", Duration::from_millis(1));
    assert_eq!(queue.get_blocking().as_deref(), Some(&"a"));
}

#[test]
fn trying_does_not_wait() {
    let queue = Queue::new();
    assert!(queue.try_get().is_none());
    queue.add("a");
    assert_eq!(queue.try_get().as_deref(), Some(&"a"));
}
