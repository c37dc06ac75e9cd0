//! The case `queue`: keys through a rate-limiting queue, with the limiter that controllers have.

use std::sync::Arc;

use klient_workqueue::Queue;
use measure::{Args, Clock};
use serde_json::{Map, Value, json};
use tokio::task::JoinSet;

/// Adds and takes on one thread; or half of so many tasks add, and half of them take, as informers and workers do.
pub(crate) fn run(args: &Args, out: &mut Map<String, Value>) -> Queue<Arc<str>> {
    let count = args.num("count", 1_000_000);
    let conc = args.num("conc", 1);
    let keys: Vec<Arc<str>> = (0..10_000).map(|i| format!("team-{:02}/svc-{i:06}", i % 50).into()).collect();
    let queue = Queue::new();
    let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
    let clock = Clock::start();
    if conc == 1 {
        for i in 0..count {
            queue.add(keys[i % keys.len()].clone());
            let key = queue.get_blocking().unwrap();
            queue.forget(&key);
        }
    } else {
        let processed = runtime.block_on(add_and_take(queue.clone(), keys.into(), count, conc / 2));
        out.insert("processed".into(), json!(processed));
    }
    let wall = clock.stop(out);
    out.insert("adds_per_s".into(), json!(count as f64 / wall * 1e3));
    out.insert("ns_per_add".into(), json!(wall * 1e6 / count as f64));
    queue
}

async fn add_and_take(queue: Queue<Arc<str>>, keys: Arc<[Arc<str>]>, count: usize, half: usize) -> usize {
    let mut adding = JoinSet::new();
    let mut taking = JoinSet::new();
    for first in 0..half {
        let (keys, adds) = (keys.clone(), queue.clone());
        adding.spawn(async move {
            for i in (first..count).step_by(half) {
                adds.add(keys[i % keys.len()].clone());
            }
        });
        taking.spawn(take(queue.clone()));
    }
    adding.join_all().await;
    queue.shut_down_with_drain().await;
    taking.join_all().await.into_iter().sum()
}

async fn take(queue: Queue<Arc<str>>) -> usize {
    let mut processed = 0;
    while let Some(key) = queue.get().await {
        queue.forget(&key);
        drop(key);
        processed += 1;
    }
    processed
}
