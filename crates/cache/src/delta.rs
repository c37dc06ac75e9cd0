//! [`Delta`], one change on its way into a store, and [`DeltaQueue`], where changes wait in order.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::key::ObjectKey;

/// The most changes that are handed out at once.
pub const MAX_BATCH_SIZE: usize = 1000;

/// One change on its way into a store, or news of the watch itself.
#[derive(Clone, Debug, PartialEq)]
pub enum Delta<T> {
    /// The object is new.
    Added(T),
    /// The object has changed.
    Updated(T),
    /// The object is gone; this was its last state, if that was seen.
    Deleted(ObjectKey, Option<T>),
    /// These are all objects there are, at a version.
    Replaced(Vec<T>, Box<str>),
    /// All objects are to be looked at again, although nothing changed.
    Sync,
    /// Nothing changed up to a version.
    Bookmark(Box<str>),
}

impl<T> Delta<T> {
    /// How many objects it brings.
    pub fn objects(&self) -> usize {
        match self {
            Delta::Added(_) | Delta::Updated(_) | Delta::Deleted(..) => 1,
            Delta::Replaced(objects, _) => objects.len(),
            Delta::Sync | Delta::Bookmark(_) => 0,
        }
    }

    /// Whether it is about one object only, so that others may be taken along with it.
    fn is_single(&self) -> bool {
        matches!(self, Delta::Added(_) | Delta::Updated(_) | Delta::Deleted(..))
    }
}

/// Changes that wait to be taken, strictly in the order in which they were made (client-go's RealFIFO).
///
/// What is taken is not done until [`done`](Self::done) is called: only then is the first list counted as taken, so
/// that [`has_synced`](Self::has_synced) can be trusted. Whoever adds changes waits while too many are in the queue.
#[derive(Debug)]
pub struct DeltaQueue<T> {
    inner: Mutex<Inner<T>>,
    /// Something was added.
    added: Notify,
    /// Something was done.
    done: Notify,
    /// As many may wait before whoever adds more waits too.
    limit: usize,
}

#[derive(Debug)]
struct Inner<T> {
    waiting: VecDeque<Delta<T>>,
    /// How many were taken and are not done.
    taken: usize,
    /// A first list came.
    has_list: bool,
    /// How many of the changes up to the end of the first list are not done.
    initial: usize,
}

impl<T> DeltaQueue<T> {
    /// An empty queue. Whoever adds changes waits while `limit` are in it.
    pub fn new(limit: usize) -> Self {
        let inner = Inner { waiting: VecDeque::new(), taken: 0, has_list: false, initial: 0 };
        DeltaQueue {
            inner: Mutex::new(inner),
            added: Notify::new(),
            done: Notify::new(),
            limit: limit.max(1),
        }
    }

    /// Adds changes, whether or not there is room: see [`wait_for_capacity`](Self::wait_for_capacity).
    pub fn push(&self, deltas: impl IntoIterator<Item = Delta<T>>) {
        let mut inner = self.lock();
        for delta in deltas {
            let is_list = matches!(delta, Delta::Replaced(..));
            inner.waiting.push_back(delta);
            if is_list && !inner.has_list {
                inner.has_list = true;
                inner.initial = inner.waiting.len() + inner.taken;
            }
        }
        drop(inner);
        self.added.notify_one();
    }

    /// Waits until there is room for more.
    pub async fn wait_for_capacity(&self) {
        loop {
            let done = self.done.notified();
            if self.len() < self.limit {
                return;
            }
            done.await;
        }
    }

    /// Waits for changes and takes them: up to [`MAX_BATCH_SIZE`] about single objects, or one about all. Those taken before
    /// must be [`done`](Self::done).
    pub async fn pop_batch(&self) -> Vec<Delta<T>> {
        loop {
            let added = self.added.notified();
            if let Some(batch) = self.try_pop_batch() {
                return batch;
            }
            added.await;
        }
    }

    /// Takes changes, if there are any: see [`pop_batch`](Self::pop_batch).
    pub fn try_pop_batch(&self) -> Option<Vec<Delta<T>>> {
        let mut inner = self.lock();
        let singles = inner.waiting.iter().take(MAX_BATCH_SIZE).take_while(|delta| delta.is_single()).count();
        let count = singles.max(1).min(inner.waiting.len());
        if count == 0 {
            return None;
        }
        let batch: Vec<_> = inner.waiting.drain(..count).collect();
        inner.taken += batch.len();
        Some(batch)
    }

    /// Says that what was taken has been done.
    pub fn done(&self) {
        let mut inner = self.lock();
        let taken = std::mem::take(&mut inner.taken);
        inner.initial = inner.initial.saturating_sub(taken);
        drop(inner);
        self.done.notify_waiters();
    }

    /// Whether a first list came, and it and all before it has been done.
    pub fn has_synced(&self) -> bool {
        let inner = self.lock();
        inner.has_list && inner.initial == 0
    }

    /// How many changes wait, or are taken and not done.
    pub fn len(&self) -> usize {
        let inner = self.lock();
        inner.waiting.len() + inner.taken
    }

    /// Whether nothing waits, and all that was taken is done.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lock(&self) -> MutexGuard<'_, Inner<T>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
