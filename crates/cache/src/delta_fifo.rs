//! [`DeltaFifo`], a queue of the deltas of each key (client-go's `DeltaFIFO`).
//!
//! - *complete*: a consumer gets all deltas of a key since it was popped last, in order;
//! - *fair*: keys come out in the order in which they were first added;
//! - *consistent with lists*: a key that a list leaves out comes out as deleted, if it is queued or among the
//!   consumer's known objects.
//!
//! Informers use a [`DeltaQueue`](crate::DeltaQueue) instead, which keeps the order across all objects and
//! takes a list as a whole. This queue is for programs that process key by key.

mod key_delta;
mod known_objects;
mod options;

use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

pub use key_delta::KeyDelta;
pub use known_objects::KnownObjects;
pub use options::DeltaFifoOptions;

/// A queue of the deltas of each key, for any number of producers and consumers.
///
/// ```
/// # #[tokio::main] async fn main() {
/// use klient_cache::{DeltaFifo, KeyDelta};
///
/// let queue = DeltaFifo::new(|pod: &(&str, u32)| pod.0, Default::default());
/// queue.add(("a", 1));
/// queue.add(("b", 1));
/// queue.update(("a", 2));
/// queue.replace(vec![("b", 1)]);
///
/// let deltas = queue.pop(|key, deltas, _| (*key, deltas)).await;
/// let all = vec![KeyDelta::Added(("a", 1)), KeyDelta::Updated(("a", 2)), KeyDelta::DeletedFinalStateUnknown(Some(("a", 2)))];
/// assert_eq!(deltas, Some(("a", all)));
/// # }
/// ```
pub struct DeltaFifo<Q, T> {
    key: Box<dyn Fn(&T) -> Q + Send + Sync>,
    options: DeltaFifoOptions<Q, T>,
    inner: Mutex<Inner<Q, T>>,
    /// Notified when something is added, the queue is closed, or the first list is processed.
    changed: Notify,
}

struct Inner<Q, T> {
    /// The queued deltas of each key; never empty.
    deltas: HashMap<Q, Vec<KeyDelta<T>>>,
    /// The keys of `deltas`, each once, in the order in which they were added.
    keys: VecDeque<Q>,
    /// Set once anything was added, or a list came.
    is_populated: bool,
    /// The number of keys of the first list that were not popped yet.
    initial: usize,
    is_closed: bool,
}

impl<Q: Clone + Eq + Hash, T: Clone> DeltaFifo<Q, T> {
    /// An empty queue, with a function that gives an object's key.
    pub fn new(
        key: impl Fn(&T) -> Q + Send + Sync + 'static,
        options: DeltaFifoOptions<Q, T>,
    ) -> DeltaFifo<Q, T> {
        let inner = Inner {
            deltas: HashMap::new(),
            keys: VecDeque::new(),
            is_populated: false,
            initial: 0,
            is_closed: false,
        };
        DeltaFifo { key: Box::new(key), options, inner: Mutex::new(inner), changed: Notify::new() }
    }

    /// Queues [`KeyDelta::Added`] for an object.
    pub fn add(&self, object: T) {
        self.push(object, KeyDelta::Added);
    }

    /// Queues [`KeyDelta::Updated`] for an object.
    pub fn update(&self, object: T) {
        self.push(object, KeyDelta::Updated);
    }

    fn push(&self, object: T, make: fn(T) -> KeyDelta<T>) {
        let object = self.transformed(object);
        let key = (self.key)(&object);
        let mut inner = self.lock();
        inner.is_populated = true;
        inner.push(key, make(object));
        self.changed.notify_waiters();
    }

    /// Queues [`KeyDelta::Deleted`] for an object. Does nothing if its key is neither queued nor known,
    /// because the deletion was processed before.
    pub fn delete(&self, object: T) {
        let object = self.transformed(object);
        let key = (self.key)(&object);
        let mut inner = self.lock();
        inner.is_populated = true;
        let known = self.options.known_objects.as_ref();
        if inner.deltas.contains_key(&key) || known.is_some_and(|known| known.get(&key).is_some()) {
            inner.push(key, KeyDelta::Deleted(object));
        }
        self.changed.notify_waiters();
    }

    /// Queues [`KeyDelta::Replaced`] for each object of a complete list, and
    /// [`KeyDelta::DeletedFinalStateUnknown`] for each queued or known key that is not among them.
    pub fn replace(&self, objects: Vec<T>) {
        let objects = objects.into_iter().map(|object| {
            let object = self.transformed(object);
            ((self.key)(&object), object)
        });
        let objects: Vec<_> = objects.collect();
        let mut inner = self.lock();
        let mut listed = HashSet::with_capacity(objects.len());
        for (key, object) in objects {
            listed.insert(key.clone());
            inner.push(key, KeyDelta::Replaced(object));
        }
        let waiting = inner.keys.iter().filter(|key| !listed.contains(key)).cloned();
        let waiting: Vec<_> = waiting.collect();
        let mut gone = waiting.len();
        for key in waiting {
            let last = inner.deltas.get(&key).and_then(|deltas| deltas.last()?.object().cloned());
            inner.push(key, KeyDelta::DeletedFinalStateUnknown(last));
        }
        if let Some(known) = &self.options.known_objects {
            for key in known.keys() {
                if !listed.contains(&key) && !inner.deltas.contains_key(&key) {
                    gone += 1;
                    let last = known.get(&key);
                    inner.push(key, KeyDelta::DeletedFinalStateUnknown(last));
                }
            }
        }
        if !inner.is_populated {
            inner.is_populated = true;
            inner.initial = listed.len() + gone;
        }
        self.changed.notify_waiters();
    }

    /// Queues [`KeyDelta::Sync`] for each known object whose key is not queued already.
    pub fn resync(&self) {
        let Some(known) = &self.options.known_objects else { return };
        let mut inner = self.lock();
        for key in known.keys() {
            if !inner.deltas.contains_key(&key)
                && let Some(object) = known.get(&key)
            {
                inner.push(key, KeyDelta::Sync(object));
            }
        }
        self.changed.notify_waiters();
    }

    /// Waits for a key and calls `process` with it, its deltas, and `true` if it belongs to the first list.
    /// `None` once the queue is closed and empty. Cancel safe.
    ///
    /// The queue is locked during the call, so that `process` can update the known objects before another key
    /// is popped. It should be quick, and must not use the queue: that would deadlock.
    pub async fn pop<R>(&self, process: impl FnOnce(&Q, Vec<KeyDelta<T>>, bool) -> R) -> Option<R> {
        loop {
            let changed = self.changed.notified();
            {
                let mut inner = self.lock();
                let is_initial = !inner.has_synced();
                if let Some((key, deltas)) = inner.pop() {
                    let done = process(&key, deltas, is_initial);
                    if is_initial && inner.has_synced() {
                        self.changed.notify_waiters();
                    }
                    return Some(done);
                }
                if inner.is_closed {
                    return None;
                }
            }
            changed.await;
        }
    }

    /// Returns true once all keys of the first list were popped, or if something was added before any list.
    pub fn has_synced(&self) -> bool {
        self.lock().has_synced()
    }

    /// Waits until [`has_synced`](Self::has_synced) holds.
    pub async fn wait_for_sync(&self) {
        loop {
            let changed = self.changed.notified();
            if self.has_synced() {
                return;
            }
            changed.await;
        }
    }

    /// The number of queued keys.
    pub fn len(&self) -> usize {
        self.lock().keys.len()
    }

    /// Returns true if no key is queued.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Closes the queue: [`pop`](Self::pop) returns `None` once the queued keys are processed.
    pub fn close(&self) {
        self.lock().is_closed = true;
        self.changed.notify_waiters();
    }

    /// Returns true after [`close`](Self::close).
    pub fn is_closed(&self) -> bool {
        self.lock().is_closed
    }

    fn transformed(&self, mut object: T) -> T {
        if let Some(transform) = &self.options.transform {
            transform(&mut object);
        }
        object
    }

    fn lock(&self) -> MutexGuard<'_, Inner<Q, T>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<Q: Clone + Eq + Hash, T> Inner<Q, T> {
    /// Appends a delta to those of a key. Of two deletions in a row one is kept, preferably the observed one.
    fn push(&mut self, key: Q, delta: KeyDelta<T>) {
        let Some(deltas) = self.deltas.get_mut(&key) else {
            self.keys.push_back(key.clone());
            self.deltas.insert(key, vec![delta]);
            return;
        };
        match deltas.last_mut() {
            Some(last) if last.is_deletion() && delta.is_deletion() => {
                if matches!(last, KeyDelta::DeletedFinalStateUnknown(_)) {
                    *last = delta;
                }
            }
            _ => deltas.push(delta),
        }
    }

    fn pop(&mut self) -> Option<(Q, Vec<KeyDelta<T>>)> {
        let key = self.keys.pop_front()?;
        self.initial = self.initial.saturating_sub(1);
        let deltas = self.deltas.remove(&key)?;
        Some((key, deltas))
    }

    fn has_synced(&self) -> bool {
        self.is_populated && self.initial == 0
    }
}

impl<Q, T> fmt::Debug for DeltaFifo<Q, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waiting = self.inner.lock().unwrap_or_else(PoisonError::into_inner).keys.len();
        write!(f, "DeltaFifo({waiting} keys wait)")
    }
}
