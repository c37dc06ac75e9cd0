//! [`Reconciles`], the reconciles of a controller, counted and timed.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::{cpu, monotonic, percentiles, vm};

/// The time without a reconcile after which a controller is at rest.
const REST: Duration = Duration::from_secs(1);

/// The reconciles of a controller, counted and timed.
pub struct Reconciles {
    /// Whether the object of a number is known to be as it should be.
    is_done: Box<[AtomicBool]>,
    done: AtomicUsize,
    begun: AtomicUsize,
    failed: AtomicUsize,
    /// The time at which the last object was done.
    done_at: Mutex<i64>,
    changes: Mutex<Changes>,
}

#[derive(Default)]
struct Changes {
    tokens: std::collections::HashSet<i64>,
    micros: Vec<f64>,
}

impl Reconciles {
    /// Of so many objects, with the numbers from 0.
    pub fn of(objects: usize) -> Self {
        Reconciles {
            is_done: (0..objects).map(|_| AtomicBool::new(false)).collect(),
            done: AtomicUsize::new(0),
            begun: AtomicUsize::new(0),
            failed: AtomicUsize::new(0),
            done_at: Mutex::default(),
            changes: Mutex::default(),
        }
    }

    /// A reconcile begins. Its token is the time of the change that it is the first to see, or 0.
    pub fn begin(&self, token: i64) {
        self.begun.fetch_add(1, Ordering::Relaxed);
        if token != 0 {
            let now = monotonic();
            let mut changes = self.changes.lock().unwrap();
            if changes.tokens.insert(token) {
                changes.micros.push((now - token) as f64 / 1e3);
            }
        }
    }

    /// The object of a number is as it should be.
    pub fn done(&self, number: usize) {
        if !self.is_done[number].swap(true, Ordering::Relaxed) {
            let done = 1 + self.done.fetch_add(1, Ordering::Relaxed);
            if done == self.is_done.len() {
                *self.done_at.lock().unwrap() = monotonic();
            }
        }
    }

    /// A reconcile has failed, and will be repeated.
    pub fn failed(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    /// Waits until all objects are as they should be and nothing is reconciled any more, and writes figures of the whole
    /// program since its start, which is given.
    pub async fn rest(&self, started: i64, out: &mut Map<String, Value>) {
        loop {
            let before = self.begun.load(Ordering::Relaxed);
            tokio::time::sleep(REST).await;
            let is_done = self.done.load(Ordering::Relaxed) == self.is_done.len();
            if is_done && self.begun.load(Ordering::Relaxed) == before {
                break;
            }
        }
        let (user, sys) = cpu();
        let wall = *self.done_at.lock().unwrap() - started;
        out.insert("wall_ms".into(), json!(wall as f64 / 1e6));
        out.insert("user_ms".into(), json!(user));
        out.insert("sys_ms".into(), json!(sys));
        out.insert("cpu_ms".into(), json!(user + sys));
        out.insert("rest_rss_kb".into(), json!(vm("VmRSS")));
        out.insert("reconciles".into(), json!(self.begun.load(Ordering::Relaxed)));
        out.insert("failed".into(), json!(self.failed.load(Ordering::Relaxed)));
    }

    /// Says on standard output that changes may come, waits for so many, and writes how long it took from each to its
    /// reconcile.
    pub async fn changes(&self, count: usize, out: &mut Map<String, Value>) {
        println!("ready");
        let (user, sys) = cpu();
        let before = user + sys;
        while self.changes.lock().unwrap().tokens.len() < count {
            tokio::time::sleep(REST).await;
        }
        tokio::time::sleep(REST).await;
        let (user, sys) = cpu();
        out.insert("cpu_us_per_change".into(), json!((user + sys - before) * 1e3 / count as f64));
        percentiles(std::mem::take(&mut self.changes.lock().unwrap().micros), out);
    }
}
