//! A loop whose keys are shared with other replicas.

use std::sync::atomic::Ordering;

use klient_apimachinery::ObjectKey;
use klient_workqueue::{AddOptions, Queue};

use super::ReconcileLoop;
use crate::controller::watch::LOW_PRIORITY;
use crate::sharding::{Assignments, ShardGuard};

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

    /// Waits until the caches have seen what the owners of the keys before have written, within the limit of own writes.
    pub(super) async fn catch_up(&self, guard: &ShardGuard) {
        let assignment = guard.assignment();
        let limit = self.options.own_writes_timeout;
        if limit.is_zero() || assignment.serial() <= self.caught_up.load(Ordering::Acquire) {
            return;
        }
        let waiting = async {
            for (resource, version) in assignment.written() {
                for watch in &*self.watches {
                    if watch.resource().group_resource() == *resource {
                        watch.wait_until_reached(version).await;
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
