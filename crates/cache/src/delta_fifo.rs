//! [`DeltaFifo`], a queue of what happened to each key (client-go's DeltaFIFO).
//!
//! - *complete*: whoever takes a key gets all that happened to it since it was taken last, in order;
//! - *fair*: keys come out in the order in which they were first added;
//! - *no less than the truth*: what a list leaves out comes out as deleted, whether it waited in the queue or was known
//!   to whoever reads it.
//!
//! Informers work with a [`DeltaQueue`](crate::DeltaQueue), which keeps the order among all objects, and takes lists
//! as a whole. This one is for programs that are built around keys.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use klient_apimachinery::Object;
use klient_apimachinery::codec::Wire;
use tokio::sync::Notify;

use crate::cached::Cached;
use crate::key::ObjectKey;
use crate::store::{Store, Transform};

/// One thing that happened to an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyDelta<T> {
    /// It is new.
    Added(T),
    /// It has changed.
    Updated(T),
    /// It was in a list of all there is, changed or not.
    Replaced(T),
    /// It is to be looked at again, although nothing changed.
    Sync(T),
    /// It is gone; this was its last state.
    Deleted(T),
    /// It is gone, and nobody saw it go: this is the last state that is known, if any is (client-go's
    /// `DeletedFinalStateUnknown`).
    DeletedFinalStateUnknown(Option<T>),
}

impl<T> KeyDelta<T> {
    /// The object, as far as it is known.
    pub fn object(&self) -> Option<&T> {
        match self {
            KeyDelta::Added(object)
            | KeyDelta::Updated(object)
            | KeyDelta::Replaced(object)
            | KeyDelta::Sync(object)
            | KeyDelta::Deleted(object) => Some(object),
            KeyDelta::DeletedFinalStateUnknown(object) => object.as_ref(),
        }
    }

    fn is_deletion(&self) -> bool {
        matches!(self, KeyDelta::Deleted(_) | KeyDelta::DeletedFinalStateUnknown(_))
    }
}

/// The objects that whoever reads a [`DeltaFifo`] knows of: a [`Store`], or a map of one's own.
pub trait KnownObjects<Q, T>: Send + Sync {
    /// The keys of all.
    fn keys(&self) -> Vec<Q>;

    /// The object of a key.
    fn get(&self, key: &Q) -> Option<T>;
}

impl<K: Wire + Object> KnownObjects<ObjectKey, Cached<K>> for Store<K> {
    fn keys(&self) -> Vec<ObjectKey> {
        Store::keys(self)
    }

    fn get(&self, key: &ObjectKey) -> Option<Cached<K>> {
        Store::get(self, key.as_str())
    }
}

impl<Q: Clone + Eq + Hash + Send + Sync, T: Clone + Send> KnownObjects<Q, T> for Mutex<HashMap<Q, T>> {
    fn keys(&self) -> Vec<Q> {
        self.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }

    fn get(&self, key: &Q) -> Option<T> {
        self.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }
}

/// How a [`DeltaFifo`] works.
pub struct DeltaFifoOptions<Q, T> {
    /// What its reader knows of. Without it, a list makes deletions of what waits in the queue only, and nothing is
    /// told again.
    pub known_objects: Option<Arc<dyn KnownObjects<Q, T>>>,
    /// Changes objects before they are added; not those that are known already. It may be called twice on one object,
    /// and must then change nothing more.
    pub transform: Option<Transform<T>>,
}

impl<Q, T> Default for DeltaFifoOptions<Q, T> {
    fn default() -> Self {
        DeltaFifoOptions { known_objects: None, transform: None }
    }
}

impl<Q, T> fmt::Debug for DeltaFifoOptions<Q, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeltaFifoOptions")
            .field("known_objects", &self.known_objects.is_some())
            .field("transform", &self.transform.is_some())
            .finish()
    }
}

/// A queue of what happened to each key. One or many add to it, and one or many take from it.
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
    /// Something was added, or it was closed, or the first list is done.
    changed: Notify,
}

struct Inner<Q, T> {
    /// What waits, none of it empty.
    deltas: HashMap<Q, Vec<KeyDelta<T>>>,
    /// The keys of what waits, in order, each once.
    keys: VecDeque<Q>,
    /// Something was added, or there was a list.
    is_populated: bool,
    /// How many keys of the first list have yet to be taken.
    initial: usize,
    is_closed: bool,
}

impl<Q: Clone + Eq + Hash, T: Clone> DeltaFifo<Q, T> {
    /// An empty queue of objects which have keys.
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

    /// Says that an object is new.
    pub fn add(&self, object: T) {
        self.push(object, KeyDelta::Added);
    }

    /// Says that an object has changed.
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

    /// Says that an object is gone. If it neither waits here nor is known, it went before, and that is told already.
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

    /// Says that these are all objects there are. Those that wait or are known, and are not among them, come out as
    /// gone.
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

    /// Says that all known objects are to be looked at again. Those that wait are looked at anyway, and newer.
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

    /// Waits for a key, and hands all that happened to it to a function, with whether it is one of the first list.
    /// `None` once the queue is closed and empty.
    ///
    /// Nobody can add or take meanwhile, so that the function may bring what is known up to date before another key is
    /// looked at. It should be quick, and must not use the queue, which would wait for itself.
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

    /// Whether all keys of the first list have been taken; or whether something was added before there was a list.
    pub fn has_synced(&self) -> bool {
        self.lock().has_synced()
    }

    /// Waits until it [has synced](Self::has_synced).
    pub async fn wait_for_sync(&self) {
        loop {
            let changed = self.changed.notified();
            if self.has_synced() {
                return;
            }
            changed.await;
        }
    }

    /// How many keys wait.
    pub fn len(&self) -> usize {
        self.lock().keys.len()
    }

    /// Whether no key waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Says that nothing more will be added. What waits can still be taken.
    pub fn close(&self) {
        self.lock().is_closed = true;
        self.changed.notify_waiters();
    }

    /// Whether it was closed.
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
    /// Adds to what happened to a key. Of two deletions in a row, one is kept: the one that was seen.
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
