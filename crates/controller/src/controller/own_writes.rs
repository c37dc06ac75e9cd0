//! [`OwnWrites`]: reconciles wait for the caches to see the writes of the reconcile before.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use klient_apimachinery::{ObjectKey, compare_resource_versions};
use klient_client::{LoggedWrite, WriteLog};

use super::metrics::Meters;
use super::watch::Watch;
use crate::sharding::Sharding;

tokio::task_local! {
    static CURRENT: Current;
}

/// The number of keys below which nothing is swept.
const MIN_SWEEP: usize = 64;

/// The writes of each key that the caches had not seen when they were last looked at.
pub(super) struct OwnWrites {
    watches: Arc<[Box<dyn Watch>]>,
    limit: Duration,
    /// The group that is told of the writes, for the next owner of a key.
    sharding: Option<Sharding>,
    pending: Mutex<Pending>,
}

#[derive(Default)]
struct Pending {
    writes: HashMap<ObjectKey, Vec<LoggedWrite>>,
    next_sweep: usize,
}

/// The reconcile that runs.
#[derive(Clone)]
struct Current {
    key: ObjectKey,
    own_writes: Arc<OwnWrites>,
    meters: Arc<Meters>,
    log: WriteLog,
}

impl OwnWrites {
    pub(super) fn new(watches: Arc<[Box<dyn Watch>]>, limit: Duration, sharding: Option<Sharding>) -> Self {
        OwnWrites { watches, limit, sharding, pending: Mutex::default() }
    }

    /// Returns true if the caches have seen the writes of a key, which are forgotten then.
    pub(super) fn are_seen(&self, key: &ObjectKey) -> bool {
        let mut pending = self.lock();
        let Some(writes) = pending.writes.get(key) else { return true };
        let are_seen = writes.iter().all(|write| self.has_seen(write));
        if are_seen {
            pending.writes.remove(key);
        }
        are_seen
    }

    /// Waits until the caches have seen the writes of a key, within the limit.
    pub(super) async fn wait(&self, key: &ObjectKey, meters: &Meters) {
        if self.limit.is_zero() {
            return;
        }
        let writes = self.lock().writes.get(key).cloned().unwrap_or_default();
        if writes.is_empty() {
            return;
        }
        let waiting = async {
            for write in &writes {
                for watch in self.watches_of(write) {
                    watch.wait_until_seen(write).await;
                }
            }
        };
        if tokio::time::timeout(self.limit, waiting).await.is_err() {
            meters.stale_read();
            let unseen = writes.iter().find(|write| !self.has_seen(write));
            tracing::warn!(
                write = ?unseen,
                seconds = self.limit.as_secs_f64(),
                "a cache has not seen a write of the controller in time; the reconcile may read an older state",
            );
        }
        self.lock().writes.remove(key);
    }

    /// Runs a reconcile of a key, and keeps its writes for the next, even if it is cancelled.
    pub(super) async fn record<F: Future>(
        self: &Arc<Self>,
        key: &ObjectKey,
        meters: &Arc<Meters>,
        reconcile: F,
    ) -> F::Output {
        let current = Current {
            key: key.clone(),
            own_writes: self.clone(),
            meters: meters.clone(),
            log: WriteLog::default(),
        };
        let _keep = Keep(&current);
        CURRENT.scope(current.clone(), current.log.record(reconcile)).await
    }

    /// Keeps the writes that the caches have not seen.
    fn put(&self, key: &ObjectKey, writes: Vec<LoggedWrite>) {
        if let Some(sharding) = &self.sharding {
            for write in &writes {
                if let Some(watch) = self.watches_of(write).next() {
                    let resource = watch.resource().group_resource();
                    match write.key.namespace().filter(|_| watch.has_sources()) {
                        None => sharding.wrote(&resource, &write.resource_version),
                        Some(namespace) => {
                            sharding.wrote(&format!("{resource}/{namespace}"), &write.resource_version);
                        }
                    }
                }
            }
        }
        if self.limit.is_zero() {
            return;
        }
        let mut unseen = writes;
        unseen.retain(|write| can_be_seen(write) && !self.has_seen(write));
        if unseen.is_empty() {
            return;
        }
        let mut pending = self.lock();
        pending.writes.entry(key.clone()).or_default().extend(unseen);
        // Keys that are not reconciled again are not kept for ever.
        if pending.writes.len() >= pending.next_sweep.max(MIN_SWEEP) {
            pending.writes.retain(|_, writes| !writes.iter().all(|write| self.has_seen(write)));
            pending.next_sweep = pending.writes.len() * 2;
        }
    }

    fn has_seen(&self, write: &LoggedWrite) -> bool {
        self.watches_of(write).all(|watch| watch.has_seen(write))
    }

    fn watches_of(&self, write: &LoggedWrite) -> impl Iterator<Item = &dyn Watch> {
        self.watches.iter().map(|watch| &**watch).filter(move |watch| {
            *watch.resource().group == *write.group && *watch.resource().plural == *write.resource
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps the writes of a reconcile when it ends or is dropped.
struct Keep<'a>(&'a Current);

impl Drop for Keep<'_> {
    fn drop(&mut self) {
        self.0.own_writes.put(&self.0.key, self.0.log.take());
    }
}

/// Waits, within a reconcile, until the caches of the controller have seen the writes that it has made so far, for code
/// that reads from a cache what it has just written. The wait has the limit of
/// [`own_writes_timeout`](super::ControllerBuilder::own_writes_timeout). Does nothing outside a reconcile.
///
/// The wait before the next reconcile of a key needs no call.
pub async fn wait_for_own_writes() {
    let Ok(current) = CURRENT.try_with(Clone::clone) else { return };
    current.own_writes.put(&current.key, current.log.take());
    current.own_writes.wait(&current.key, &current.meters).await;
}

/// Returns true unless the version of a write cannot be told from later ones, as that of an aggregated server (KEP-5504).
fn can_be_seen(write: &LoggedWrite) -> bool {
    let version = &write.resource_version;
    write.is_delete || write.is_gone || compare_resource_versions(version, version).is_some()
}
