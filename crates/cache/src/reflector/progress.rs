//! [`Progress`], the progress of the partitions of a store.

use std::sync::Arc;

use tokio::sync::watch;

use crate::error::Error;
use crate::store::Partition;

/// The progress of the partitions of a store.
#[derive(Clone, Debug)]
pub(crate) struct Progress(Arc<watch::Sender<Vec<PartitionProgress>>>);

#[derive(Clone, Debug, Default)]
pub(crate) struct PartitionProgress {
    pub(crate) has_synced: bool,
    pub(crate) error: Option<Error>,
    /// The number of the attempt that failed with `error`.
    pub(crate) failed: u64,
    /// The number of the latest attempt to list, from 1.
    pub(super) begun: u64,
    /// The number of the attempt that a caller waits for.
    wanted: u64,
    pub(crate) attempts: u32,
    pub(crate) lists: u64,
    pub(crate) watches: u64,
}

impl Progress {
    pub(crate) fn new(partitions: usize) -> Self {
        Progress(Arc::new(watch::Sender::new(vec![PartitionProgress::default(); partitions])))
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<Vec<PartitionProgress>> {
        self.0.subscribe()
    }

    pub(crate) fn change(&self, partition: &Partition, change: impl FnOnce(&mut PartitionProgress)) {
        self.0.send_modify(|partitions| {
            if let Some(partition) = partitions.get_mut(partition.index) {
                change(partition);
            }
        });
    }

    /// Requests an attempt of each partition that has not synced, and returns the numbers of the latest
    /// attempts.
    pub(crate) fn want_attempt(&self) -> Vec<u64> {
        let mut before = Vec::new();
        self.0.send_modify(|partitions| {
            for partition in partitions {
                before.push(partition.begun);
                if !partition.has_synced {
                    partition.wanted = partition.begun + 1;
                }
            }
        });
        before
    }

    /// Waits until a caller requests another attempt of a partition.
    pub(super) async fn attempt_wanted(&self, partition: &Partition) {
        let is_wanted = |partition: &PartitionProgress| partition.wanted > partition.begun;
        let mut progress = self.subscribe();
        // The sender cannot be dropped while `self` exists.
        let _ = progress.wait_for(|partitions| partitions.get(partition.index).is_some_and(is_wanted)).await;
    }

    pub(crate) fn partitions(&self) -> Vec<PartitionProgress> {
        self.0.borrow().clone()
    }

    pub(crate) fn has_synced(&self) -> bool {
        self.0.borrow().iter().all(|partition| partition.has_synced)
    }
}
