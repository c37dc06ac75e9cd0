//! Many threads at random, and the promises of the queue.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use klient_workqueue::{AddOptions, ItemExponentialFailureRateLimiter, Queue};

const KEYS: usize = 40;
const CHANGES: usize = 4000;

/// The object of a key.
#[derive(Default)]
struct Object {
    version: AtomicU64,
    seen: AtomicU64,
    in_hand: AtomicBool,
    times: AtomicU64,
}

#[test]
fn whatever_happens_no_change_is_lost_and_no_key_is_in_two_hands() {
    let seed = std::env::var("SEED").map_or_else(|_| fastrand::u64(..), |seed| seed.parse().unwrap());
    println!("SEED={seed}");
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_time().build().unwrap();
    runtime.block_on(play(seed));
}

async fn play(seed: u64) {
    let limiter = ItemExponentialFailureRateLimiter::new(Duration::from_micros(1), Duration::from_micros(50));
    let queue = Queue::builder().name("random").rate_limiter(limiter).build();
    let objects: Arc<[Object]> = (0..KEYS).map(|_| Object::default()).collect();
    let workers = (0..8).map(|number| tokio::spawn(work(seed + number, queue.clone(), objects.clone())));
    let workers: Vec<_> = workers.collect();
    let adders =
        (0..4).map(|number| tokio::spawn(change(seed + 100 + number, queue.clone(), objects.clone())));
    let adders: Vec<_> = adders.collect();
    for adder in adders {
        adder.await.unwrap();
    }
    // What was to be tried again is waited for: every key is added once more, and seen.
    while queue.metrics().is_some_and(|now| now.depth > 0 || now.unfinished_work > Duration::ZERO) {
        tokio::task::yield_now().await;
    }
    (0..KEYS).for_each(|key| queue.add(key));
    queue.shut_down_with_drain().await;
    for worker in workers {
        worker.await.unwrap();
    }
    for (key, object) in objects.iter().enumerate() {
        let (version, seen) = (object.version.load(Ordering::SeqCst), object.seen.load(Ordering::SeqCst));
        assert_eq!(seen, version, "a change of {key} was lost");
    }
    let now = queue.metrics().unwrap();
    let times: u64 = objects.iter().map(|object| object.times.load(Ordering::SeqCst)).sum();
    assert_eq!(
        (now.depth, now.adds, now.queue_duration.count, now.work_duration.count),
        (0, times, times, times)
    );
}

/// Changes objects, and adds their keys in one way or another.
async fn change(seed: u64, queue: Queue<usize>, objects: Arc<[Object]>) {
    let mut random = fastrand::Rng::with_seed(seed);
    for _ in 0..CHANGES {
        let key = random.usize(..KEYS);
        let object = &objects[key];
        object.version.fetch_add(1, Ordering::SeqCst);
        match random.u8(..10) {
            0 => queue.add_with(key, &AddOptions { priority: random.i32(-2..3), ..Default::default() }),
            1 => {
                queue.add_after(key, Duration::from_micros(random.u64(..100)));
                queue.add(key);
            }
            2 => tokio::task::yield_now().await,
            _ => {}
        }
        queue.add(key);
    }
}

/// Works, fails now and then, and gives up waiting now and then.
async fn work(seed: u64, queue: Queue<usize>, objects: Arc<[Object]>) {
    let mut random = fastrand::Rng::with_seed(seed);
    loop {
        let work = if random.u8(..4) == 0 {
            match tokio::time::timeout(Duration::from_micros(20), queue.get()).await {
                Ok(work) => work,
                Err(_) => continue,
            }
        } else {
            queue.get().await
        };
        let Some(key) = work else { return };
        let object = &objects[*key];
        assert!(!object.in_hand.swap(true, Ordering::SeqCst), "{key:?} is in two workers' hands");
        object.times.fetch_add(1, Ordering::SeqCst);
        object.seen.store(object.version.load(Ordering::SeqCst), Ordering::SeqCst);
        if random.bool() {
            tokio::task::yield_now().await;
        }
        if random.u8(..8) == 0 {
            queue.add_rate_limited(*key);
        } else {
            queue.forget(&key);
        }
        object.in_hand.store(false, Ordering::SeqCst);
    }
}
