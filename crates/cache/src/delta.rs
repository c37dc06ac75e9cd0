//! [`Delta`], one change for a store, and [`DeltaQueue`], the ordered queue of such changes.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::key::ObjectKey;

/// The largest number of changes that [`DeltaQueue::pop_batch`] returns.
pub const MAX_BATCH_SIZE: usize = 1000;

/// One change for a store: of one object, of the whole list, or of the version alone.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Delta<T> {
    /// An object was created.
    Added(T),
    /// An object was modified.
    Updated(T),
    /// An object was deleted; its final state, if that was observed.
    Deleted(ObjectKey, Option<T>),
    /// The complete list of objects, and its resourceVersion.
    Replaced(Vec<T>, Box<str>),
    /// A request to process all known objects again, without a change.
    Sync,
    /// Progress to a resourceVersion without a change.
    Bookmark(Box<str>),
}

impl<T> Delta<T> {
    /// The number of objects that the delta carries.
    pub fn objects(&self) -> usize {
        match self {
            Delta::Added(_) | Delta::Updated(_) | Delta::Deleted(..) => 1,
            Delta::Replaced(objects, _) => objects.len(),
            Delta::Sync | Delta::Bookmark(_) => 0,
        }
    }

    /// Returns true for a delta of one object, which can be batched with others.
    fn is_single(&self) -> bool {
        matches!(self, Delta::Added(_) | Delta::Updated(_) | Delta::Deleted(..))
    }
}

/// A queue of changes in strictly the order in which they were made (client-go's `RealFIFO`).
///
/// A batch counts as processed only when [`done`](Self::done) is called, so that
/// [`has_synced`](Self::has_synced) holds only after the first list was processed.
/// [`wait_for_capacity`](Self::wait_for_capacity) gives producers backpressure.
#[derive(Debug)]
pub struct DeltaQueue<T> {
    inner: Mutex<Inner<T>>,
    /// Notified when changes are added.
    added: Notify,
    /// Notified when a batch is done.
    done: Notify,
    /// The number of deltas from which on producers wait for capacity.
    limit: usize,
}

#[derive(Debug)]
struct Inner<T> {
    waiting: VecDeque<Delta<T>>,
    /// The number of deltas popped and not done.
    in_progress: usize,
    /// Set once the first complete list was pushed.
    has_list: bool,
    /// The number of deltas up to and including the first list that are not done.
    initial: usize,
}

impl<T> DeltaQueue<T> {
    /// An empty queue. [`wait_for_capacity`](Self::wait_for_capacity) waits while it holds `limit` deltas or
    /// more; zero counts as one.
    pub fn new(limit: usize) -> Self {
        let inner = Inner { waiting: VecDeque::new(), in_progress: 0, has_list: false, initial: 0 };
        DeltaQueue {
            inner: Mutex::new(inner),
            added: Notify::new(),
            done: Notify::new(),
            limit: limit.max(1),
        }
    }

    /// Adds deltas, regardless of capacity: see [`wait_for_capacity`](Self::wait_for_capacity).
    pub fn push(&self, deltas: impl IntoIterator<Item = Delta<T>>) {
        let mut inner = self.lock();
        for delta in deltas {
            let is_list = matches!(delta, Delta::Replaced(..));
            inner.waiting.push_back(delta);
            if is_list && !inner.has_list {
                inner.has_list = true;
                inner.initial = inner.waiting.len() + inner.in_progress;
            }
        }
        drop(inner);
        self.added.notify_one();
    }

    /// Waits until fewer deltas than the limit are queued or in progress. Cancel safe.
    pub async fn wait_for_capacity(&self) {
        loop {
            let done = self.done.notified();
            if self.len() < self.limit {
                return;
            }
            done.await;
        }
    }

    /// Waits for deltas and removes them: up to [`MAX_BATCH_SIZE`] of single objects, or one that concerns
    /// all objects. The batch before must be [`done`](Self::done). Cancel safe.
    pub async fn pop_batch(&self) -> Vec<Delta<T>> {
        loop {
            let added = self.added.notified();
            if let Some(batch) = self.try_pop_batch() {
                return batch;
            }
            added.await;
        }
    }

    /// Removes the next batch, as [`pop_batch`](Self::pop_batch) does; `None` if the queue is empty.
    pub fn try_pop_batch(&self) -> Option<Vec<Delta<T>>> {
        let mut inner = self.lock();
        let singles = inner.waiting.iter().take(MAX_BATCH_SIZE).take_while(|delta| delta.is_single()).count();
        let count = singles.max(1).min(inner.waiting.len());
        if count == 0 {
            return None;
        }
        let batch: Vec<_> = inner.waiting.drain(..count).collect();
        inner.in_progress += batch.len();
        Some(batch)
    }

    /// Marks the batch popped last as processed.
    pub fn done(&self) {
        let mut inner = self.lock();
        let in_progress = std::mem::take(&mut inner.in_progress);
        inner.initial = inner.initial.saturating_sub(in_progress);
        drop(inner);
        self.done.notify_waiters();
    }

    /// Returns true once the first complete list, and everything queued before it, is processed.
    pub fn has_synced(&self) -> bool {
        let inner = self.lock();
        inner.has_list && inner.initial == 0
    }

    /// The number of deltas that are queued, or popped and not done.
    pub fn len(&self) -> usize {
        let inner = self.lock();
        inner.waiting.len() + inner.in_progress
    }

    /// Returns true if nothing is queued or in progress.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lock(&self) -> MutexGuard<'_, Inner<T>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
