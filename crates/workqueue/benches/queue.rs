//! The cost of a key on its way through a queue: alone, as a duplicate, and delayed.

#![cfg(not(loom))]
#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark fails as a test does")]

use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use klient_workqueue::Queue;

const KEYS: usize = 10_000;

fn keys() -> Vec<Arc<str>> {
    (0..KEYS).map(|i| format!("team-{:02}/svc-{i:06}", i % 50).into()).collect()
}

/// One key at a time, and as many as there are.
fn through(c: &mut Criterion) {
    let keys = keys();
    let mut group = c.benchmark_group("queue");
    group.throughput(Throughput::Elements(KEYS as u64));
    for (name, queue) in [("nameless", Queue::new()), ("named", Queue::builder().name("bench").build())] {
        group.bench_function(format!("add_get_done/{name}"), |b| {
            b.iter(|| {
                for key in &keys {
                    queue.add(key.clone());
                    let work = queue.try_get().unwrap();
                    queue.forget(&work);
                }
            });
        });
        group.bench_function(format!("add_all_get_all/{name}"), |b| {
            b.iter(|| {
                keys.iter().for_each(|key| queue.add(key.clone()));
                while let Some(work) = queue.try_get() {
                    queue.forget(&work);
                }
            });
        });
    }
    group.finish();
}

/// Adding what waits already.
fn duplicates(c: &mut Criterion) {
    let (keys, queue) = (keys(), Queue::new());
    keys.iter().for_each(|key| queue.add(key.clone()));
    let mut group = c.benchmark_group("queue");
    group.throughput(Throughput::Elements(KEYS as u64));
    group.bench_function("add_again", |b| b.iter(|| keys.iter().for_each(|key| queue.add(key.clone()))));
    group.finish();
}

/// Adding for later, each at a time of its own.
fn delayed(c: &mut Criterion) {
    let keys = keys();
    let mut group = c.benchmark_group("queue");
    group.throughput(Throughput::Elements(KEYS as u64));
    group.bench_function("add_after", |b| {
        b.iter(|| {
            let queue = Queue::new();
            let mut random = fastrand::Rng::with_seed(1);
            for key in &keys {
                queue.add_after(key.clone(), Duration::from_secs(random.u64(1..1000)));
            }
            queue
        });
    });
    group.finish();
}

criterion_group!(benches, through, duplicates, delayed);
criterion_main!(benches);
