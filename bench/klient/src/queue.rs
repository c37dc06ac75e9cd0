//! The case `queue`: distinct keys through a rate-limiting queue, with the limiter that controllers have.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use klient_workqueue::Queue;
use measure::{Args, Clock};
use serde_json::{Map, Value, json};
use tokio::runtime::Runtime;
use tokio::task::yield_now;
use tokio::time::interval;

/// Adds between two yields of the task that adds: the budget that tokio gives tasks which read channels.
const BUDGET: usize = 128;
/// Keys that are added together when there is a pace, each millisecond.
const BURST: usize = 10;

/// Rounds in which one task adds every key at once, then one in which they come in bursts. No key is added
/// while it is queued, so that none merges with another.
pub(crate) fn run(args: &Args, out: &mut Map<String, Value>) -> Queue<Arc<str>> {
    let (keys, rounds) = (args.num("keys", 100_000), args.num("rounds", 10));
    let keys: Arc<[Arc<str>]> =
        (0..keys).map(|i| format!("team-{:02}/svc-{i:06}", i % 50).into()).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_time().build().unwrap();
    let queue = Queue::new();
    let times = Arc::new(Times::new(keys.len()));
    let counts: Arc<[Count]> = (0..args.num("workers", 1)).map(|_| Count::default()).collect();
    let workers: Vec<_> = (0..counts.len())
        .map(|worker| runtime.spawn(work(queue.clone(), times.clone(), counts.clone(), worker)))
        .collect();
    let from_thread = args.flag("thread");
    let wait_until_processed = |count: usize| {
        while counts.iter().map(|count| count.0.load(Ordering::Relaxed)).sum::<u64>() < count as u64 {
            thread::sleep(Duration::from_micros(50));
        }
    };

    add_all(&runtime, &queue, &keys, from_thread);
    wait_until_processed(keys.len());
    let clock = Clock::start();
    for round in 1..=rounds {
        add_all(&runtime, &queue, &keys, from_thread);
        wait_until_processed(keys.len() * (round + 1));
    }
    let wall = clock.stop(out);
    let count = (keys.len() * rounds) as f64;
    out.insert("keys_per_s".into(), json!(count / wall * 1e3));
    out.insert("cpu_ns_per_key".into(), json!(out["cpu_ms"].as_f64().unwrap() * 1e6 / count));

    let bursts = args.num("bursts", 1000).min(keys.len() / BURST);
    let clock = Clock::start();
    times.measured.store(1, Ordering::Relaxed);
    runtime.block_on(runtime.spawn(add_bursts(queue.clone(), keys.clone(), times.clone(), bursts))).unwrap();
    wait_until_processed(keys.len() * (rounds + 1) + bursts * BURST);
    let mut paced = Map::new();
    clock.stop(&mut paced);
    let cpu = paced["cpu_ms"].as_f64().unwrap();
    out.insert("paced_cpu_ns_per_key".into(), json!(cpu * 1e6 / (bursts * BURST) as f64));

    runtime.block_on(queue.shut_down_with_drain());
    workers.into_iter().for_each(|worker| runtime.block_on(worker).unwrap());
    let mut waits = times.waits(bursts * BURST);
    waits.sort_unstable();
    for (name, part) in [("p50", 0.5), ("p99", 0.99)] {
        out.insert(format!("latency_{name}_us"), json!(waits[(waits.len() as f64 * part) as usize] as f64 / 1e3));
    }
    queue
}

/// Adds every key.
fn add_all(runtime: &Runtime, queue: &Queue<Arc<str>>, keys: &Arc<[Arc<str>]>, from_thread: bool) {
    if from_thread {
        keys.iter().for_each(|key| queue.add(key.clone()));
    } else {
        let (queue, keys) = (queue.clone(), keys.clone());
        let adding = runtime.spawn(async move {
            for some in keys.chunks(BUDGET) {
                some.iter().for_each(|key| queue.add(key.clone()));
                yield_now().await;
            }
        });
        runtime.block_on(adding).unwrap();
    }
}

async fn add_bursts(queue: Queue<Arc<str>>, keys: Arc<[Arc<str>]>, times: Arc<Times>, bursts: usize) {
    let mut ticks = interval(Duration::from_millis(1));
    for (burst, some) in keys.chunks(BURST).take(bursts).enumerate() {
        ticks.tick().await;
        for (i, key) in some.iter().enumerate() {
            times.added[burst * BURST + i].store(times.now(), Ordering::Relaxed);
            queue.add(key.clone());
        }
    }
}

async fn work(queue: Queue<Arc<str>>, times: Arc<Times>, counts: Arc<[Count]>, worker: usize) {
    let count = &counts[worker].0;
    while let Some(key) = queue.get().await {
        if times.measured.load(Ordering::Relaxed) != 0 {
            times.taken(&key);
        }
        queue.forget(&key);
        drop(key);
        count.store(count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }
}

/// The keys that a worker has processed; workers share no cache line.
#[derive(Default)]
#[repr(align(128))]
struct Count(AtomicU64);

/// Nanoseconds at which keys were added, and between that and when they were taken.
struct Times {
    start: Instant,
    measured: AtomicU64,
    added: Box<[AtomicU64]>,
    waits: Box<[AtomicU64]>,
}

impl Times {
    fn new(keys: usize) -> Self {
        let zeros = || (0..keys).map(|_| AtomicU64::new(0)).collect();
        Times { start: Instant::now(), measured: AtomicU64::new(0), added: zeros(), waits: zeros() }
    }

    fn now(&self) -> u64 {
        self.start.elapsed().as_nanos() as u64
    }

    fn taken(&self, key: &str) {
        let now = self.now();
        let number: usize = key[key.len() - 6..].parse().unwrap();
        self.waits[number].store(now - self.added[number].load(Ordering::Relaxed), Ordering::Relaxed);
    }

    fn waits(&self, count: usize) -> Vec<u64> {
        self.waits[..count].iter().map(|wait| wait.load(Ordering::Relaxed)).collect()
    }
}
