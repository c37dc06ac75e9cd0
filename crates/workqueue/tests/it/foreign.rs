//! Code of others that panics, or uses the queue, where the queue calls it.

use std::hash::{Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use klient_workqueue::{Observation, Order, Queue};

/// An item that cannot be compared once it is armed.
#[derive(Clone)]
struct Key(&'static str, Arc<AtomicBool>);

impl Key {
    fn new(name: &'static str, is_armed: bool) -> Self {
        Self(name, Arc::new(AtomicBool::new(is_armed)))
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        assert!(!self.1.load(Ordering::SeqCst), "{} is not compared", self.0);
        self.0 == other.0
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

fn next(queue: &Queue<Key>) -> Option<&'static str> {
    queue.try_get().map(|key| key.0)
}

#[test]
fn an_add_that_panics_is_lost_alone() {
    let queue = Queue::new();
    let (a, b, armed) = (Key::new("a", false), Key::new("b", false), Key::new("armed", true));
    queue.add(a.clone());
    let work = queue.try_get();
    // The second is compared with the first when the worker is done.
    [armed.clone(), armed, b].into_iter().for_each(|key| queue.add(key));
    drop(work);
    queue.add(a);
    assert_eq!([(); 4].map(|()| next(&queue)), [Some("armed"), Some("b"), Some("a"), None]);
}

#[test]
fn handing_out_compares_nothing() {
    let queue = Queue::new();
    let key = Key::new("a", false);
    for _ in 0..2 {
        queue.add(key.clone());
        assert_eq!(queue.len(), 1);
    }
    key.1.store(true, Ordering::SeqCst);
    assert_eq!(next(&queue), Some("a"));
    key.1.store(false, Ordering::SeqCst);
    queue.add(key);
    assert_eq!(next(&queue), Some("a"));
}

#[test]
fn an_item_is_handed_out_though_a_sink_of_metrics_panics() {
    let panics = |_: &str, observation: Observation| assert_eq!(observation, Observation::Added);
    let queue = Queue::builder().name("pods").metrics(panics).build();
    queue.add("a");
    assert_eq!(queue.try_get().as_deref(), Some(&"a"));
    queue.add("a");
    assert_eq!(queue.try_get().as_deref(), Some(&"a"), "the first was done");
}

/// Counts, and panics.
#[derive(Default)]
struct Panics(AtomicUsize);

impl Wake for Panics {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
        panic!("as a waker should not");
    }
}

#[test]
fn all_are_woken_though_a_waker_panics() {
    let queue: Queue<u8> = Queue::new();
    let panics = Arc::new(Panics::default());
    let waker = Waker::from(panics.clone());
    let mut gets = [(); 3].map(|()| Box::pin(queue.get()));
    for get in &mut gets {
        assert!(get.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    }
    queue.shut_down();
    assert_eq!(panics.0.load(Ordering::SeqCst), 3);
}

/// Takes each item once, and panics the second time.
#[derive(Default)]
struct Once(Vec<&'static str>, usize);

impl Order<&'static str> for Once {
    fn push(&mut self, item: &'static str, _priority: i32) {
        self.1 += 1;
        assert_eq!(self.1, 1, "{item} again");
        self.0.push(item);
    }

    fn pop(&mut self) -> Option<&'static str> {
        self.0.pop()
    }

    fn len(&self) -> usize {
        self.0.len()
    }
}

#[test]
fn a_drain_ends_though_an_order_panics() {
    struct Woken(AtomicBool);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::SeqCst);
        }
    }

    let queue = Queue::builder().order(Once::default()).build();
    queue.add("a");
    let work = queue.try_get();
    queue.add("a");
    let woken = Arc::new(Woken(AtomicBool::new(false)));
    let waker = Waker::from(woken.clone());
    let mut drain = pin!(queue.shut_down_with_drain());
    assert!(drain.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    catch_unwind(AssertUnwindSafe(|| drop(work))).unwrap_err();
    assert!(woken.0.load(Ordering::SeqCst));
    assert_eq!(drain.as_mut().poll(&mut Context::from_waker(&waker)), Poll::Ready(()));
}

/// A waker that uses the queue when it is dropped, as one that owns a task with a [`klient_workqueue::Work`].
struct Uses(Queue<u8>);

impl Wake for Uses {
    fn wake(self: Arc<Self>) {}
}

impl Drop for Uses {
    fn drop(&mut self) {
        self.0.add_with(1, &Default::default());
        assert_eq!(self.0.len(), 1);
    }
}

#[test]
fn dropping_a_waker_may_use_the_queue() {
    let cases: [fn(Queue<u8>); 2] = [
        |queue| {
            let mut get = Box::pin(queue.get());
            let waker = Waker::from(Arc::new(Uses(queue.clone())));
            assert!(get.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
            drop(waker);
            drop(get);
        },
        |queue| {
            let mut get = Box::pin(queue.get());
            let waker = Waker::from(Arc::new(Uses(queue.clone())));
            assert!(get.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
            drop(waker);
            assert!(get.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        },
    ];
    for case in cases {
        let (done, is_done) = mpsc::channel();
        std::thread::spawn(move || {
            case(Queue::new());
            done.send(()).unwrap();
        });
        // Only a deadlock takes as long.
        is_done.recv_timeout(Duration::from_secs(20)).unwrap();
    }
}
