//! A loop whose keys are shared with other replicas.

use std::sync::atomic::Ordering;

use klient_apimachinery::ObjectKey;
use klient_workqueue::{AddOptions, Queue};

use super::ReconcileLoop;
use crate::controller::watch::LOW_PRIORITY;
use crate::sharding::{Assignment, Assignments, ShardGuard};

impl ReconcileLoop {
    /// Adds the keys that this replica gets and whose objects pass the predicate, for ever.
    pub(super) async fn look_for_keys(&self, queue: &Queue<ObjectKey>, assignments: Option<Assignments>) {
        if let Some(mut assignments) = assignments
            && let Some(mut before) = assignments.next().await
        {
            while let Some(assignment) = assignments.next().await {
                let is_new = |key: &ObjectKey| assignment.owns(key) && !before.owns(key);
                for key in (self.passing_keys)(&is_new, &self.meters) {
                    queue.add_with(key, &AddOptions { priority: LOW_PRIORITY, ..Default::default() });
                }
                before = assignment;
            }
        }
        std::future::pending().await
    }

    /// Returns true if the caches have seen what the owners of the keys before have written.
    pub(super) fn has_caught_up(&self, guard: &ShardGuard) -> bool {
        self.options.own_writes_timeout.is_zero() || self.has_caught_up_with(guard.assignment())
    }

    fn has_caught_up_with(&self, assignment: &Assignment) -> bool {
        assignment.serial() <= self.caught_up.load(Ordering::Acquire)
    }

    /// Waits until the caches have seen what the owners of the keys before have written, within the limit of own writes.
    pub(super) async fn catch_up(&self, assignment: &Assignment) {
        // The keys that wait are many, and one wait is for all.
        let _one = self.catching_up.lock().await;
        if self.has_caught_up_with(assignment) {
            return;
        }
        let limit = self.options.own_writes_timeout;
        let waiting = async {
            for (collection, version) in assignment.written() {
                let (resource, namespace) = match collection.split_once('/') {
                    Some((resource, namespace)) => (resource, Some(namespace)),
                    None => (collection, None),
                };
                for watch in &*self.watches {
                    if watch.resource().group_resource() == *resource {
                        watch.wait_until_reached(namespace, version).await;
                    }
                }
            }
        };
        if tokio::time::timeout(limit, waiting).await.is_err() {
            self.meters.stale_read();
            tracing::warn!(
                controller = %self.options.name,
                seconds = limit.as_secs_f64(),
                "a cache has not seen a write of another replica in time; reconciles may read an older state",
            );
        }
        self.caught_up.fetch_max(assignment.serial(), Ordering::AcqRel);
    }
}
