//! [`Store`], the objects of one resource by key, namespace, labels and added indices.

mod state;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use klient_apimachinery::codec::{DecodeError, Encoded, Wire};
use klient_apimachinery::labels::Selector;
use klient_apimachinery::{Object, ResourceInfo, Str, compare_resource_versions};
use tokio::sync::watch;

use crate::cached::Cached;
use crate::decode_result::DecodeResult;
use crate::delta::{Delta, MAX_BATCH_SIZE};
use crate::entry::{Entry, NameSpans, SharedMetadata};
use crate::error::Error;
use crate::index::{Indexer, SlotSet};
use crate::intern::Interner;
use crate::key::{ObjectKey, split};
use crate::snapshot::Snapshot;
use crate::undecodable::Undecodable;
pub(crate) use state::Change;
use state::{Replacement, State};

/// The name of the built-in index by namespace (client-go's `NamespaceIndex`).
pub const NAMESPACE_INDEX: &str = "namespace";

/// The longest wait for a version: API servers send bookmarks about once a minute.
const MAX_WAIT: Duration = Duration::from_secs(120);

/// The usual size of a decoded object, relative to its protobuf encoding.
const DECODED_SIZE_FACTOR: usize = 4;

/// The form in which a store keeps objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Keep {
    /// Encoded as received, and decoded on access for as long as a handle exists: a quarter of the memory,
    /// and a tenth of the time to fill.
    #[default]
    Packed,
    /// Decoded: the fastest to read, for programs that access all objects again and again.
    Decoded,
}

/// A function that changes objects before they are stored, such as by dropping fields that the program does
/// not need (client-go's `TransformFunc`). It may be called twice on one object, so that it must be
/// idempotent. If it panics, the object is left out and reported as undecodable.
pub type Transform<K> = Arc<dyn Fn(&mut K) + Send + Sync>;

/// The objects of one resource (client-go's `Store` and `Indexer`). Clones are the same store.
///
/// Objects are found by key, namespace and labels, and by every [`Indexer`], which can be added at any time.
/// A writer blocks readers only while it puts at most a batch or a list of prepared objects in place; readers
/// block nobody for longer than a lookup.
///
/// A store is filled by an [`Informer`](crate::Informer), a [`Reflector`](crate::Reflector), or the program
/// itself:
///
/// ```
/// use klient_api::core::v1::Pod;
/// use klient_apimachinery::{Resource as _, meta::v1::ObjectMeta};
/// use klient_cache::{Keep, Store};
///
/// let store = Store::<Pod>::new(Pod::INFO, Keep::Packed);
/// store.put_object(&Pod {
///     metadata: ObjectMeta {
///         name: Some("web-0".into()),
///         namespace: Some("shop".into()),
///         labels: [("app", "web")].into(),
///         ..Default::default()
///     },
///     ..Default::default()
/// })?;
/// assert_eq!(store.get("shop/web-0").unwrap().name(), "web-0");
/// assert_eq!(store.list_in("shop").len(), 1);
/// assert_eq!(store.select(&"app in (web,api)".parse()?).len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Store<K>(Arc<Inner<K>>);

struct Inner<K> {
    resource: Arc<ResourceInfo>,
    keep: Keep,
    transform: Option<Transform<K>>,
    interner: Mutex<Interner>,
    /// Held by the one writer.
    writer: Mutex<()>,
    state: RwLock<State<K>>,
    /// The store's version, for callers that wait for one.
    progress: watch::Sender<Progress>,
}

/// The progress of a store.
#[derive(Clone, Debug, Default)]
struct Progress {
    /// The resourceVersion that the store has reached.
    version: Box<str>,
    /// Set when the informer or reflector that fills the store has stopped.
    has_stopped: bool,
}

/// The part of a store that one source fills.
#[derive(Clone, Debug, Default)]
pub(crate) struct Partition {
    pub(crate) index: usize,
    pub(crate) namespace: Option<Str>,
}

impl<K: Wire + Object> Store<K> {
    /// An empty store.
    pub fn new(resource: ResourceInfo, keep: Keep) -> Self {
        Self::with_partitions(resource, keep, None, 1)
    }

    pub(crate) fn with_partitions(
        resource: ResourceInfo,
        keep: Keep,
        transform: Option<Transform<K>>,
        partitions: usize,
    ) -> Self {
        Store(Arc::new(Inner {
            resource: Arc::new(resource),
            keep,
            transform,
            interner: Mutex::default(),
            writer: Mutex::default(),
            state: RwLock::new(State::new(partitions)),
            progress: watch::Sender::default(),
        }))
    }

    /// The resource of the objects.
    pub fn resource(&self) -> &ResourceInfo {
        &self.0.resource
    }

    /// Adds an index with a name, and indexes the present objects.
    ///
    /// # Errors
    ///
    /// If the store has an index of that name.
    pub fn add_indexer(&self, name: &str, indexer: Indexer<K>) -> Result<(), Error> {
        let _writer = self.writer();
        if name == NAMESPACE_INDEX || self.read().index(name).is_some() {
            return Err(Error::index_exists(self.resource(), name));
        }
        // Only this writer can change the store; readers are not blocked while values are computed.
        let found: Vec<_> = {
            let state = self.read();
            state.slots.iter().map(|(slot, entry)| (slot, entry.clone())).collect()
        };
        let found: Vec<_> =
            found.into_iter().map(|(slot, entry)| (slot, indexer.values(name, &entry))).collect();
        self.write().add_index(name.into(), indexer, found);
        Ok(())
    }

    /// The names of all indices; [`NAMESPACE_INDEX`] is the first.
    pub fn index_names(&self) -> Vec<Str> {
        let added = self.read().indexers();
        std::iter::once(NAMESPACE_INDEX.into())
            .chain(added.iter().map(|(name, _)| Str::from(&**name)))
            .collect()
    }

    /// The object with a key: an [`ObjectKey`], or the string `NAMESPACE/NAME`, or `NAME` of a cluster-scoped object.
    pub fn get(&self, key: &str) -> Option<Cached<K>> {
        let (namespace, name) = split(key);
        self.get_in(namespace, name)
    }

    /// The object with a namespace and a name. The namespace of a cluster-scoped object is empty.
    pub fn get_in(&self, namespace: &str, name: &str) -> Option<Cached<K>> {
        let state = self.read();
        Some(Cached::new(state.get(namespace, name)?.clone()))
    }

    /// `true` if there is an object with a key: see [`get`](Self::get).
    pub fn contains(&self, key: &str) -> bool {
        let (namespace, name) = split(key);
        self.read().get(namespace, name).is_some()
    }

    /// The number of objects.
    pub fn len(&self) -> usize {
        self.read().len()
    }

    /// `true` if there are no objects.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All objects, in no particular order.
    pub fn list(&self) -> Vec<Cached<K>> {
        self.snapshot().iter().collect()
    }

    /// The keys of all objects, in no particular order.
    pub fn keys(&self) -> Vec<ObjectKey> {
        self.snapshot().entries().map(|entry| entry.key()).collect()
    }

    /// The objects of a namespace, in no particular order.
    pub fn list_in(&self, namespace: &str) -> Vec<Cached<K>> {
        let state = self.read();
        cached(&state, state.namespaces.slots(namespace))
    }

    /// The objects whose labels match, in no particular order.
    pub fn select(&self, selector: &Selector) -> Vec<Cached<K>> {
        if selector.is_everything() {
            return self.list();
        }
        self.selected(selector, |_| true)
    }

    /// The objects of a namespace whose labels match, in no particular order.
    pub fn select_in(&self, namespace: &str, selector: &Selector) -> Vec<Cached<K>> {
        if selector.is_everything() {
            return self.list_in(namespace);
        }
        self.selected(selector, |entry| entry.namespace.as_str() == namespace)
    }

    fn selected(&self, selector: &Selector, is: impl Fn(&Entry<K>) -> bool) -> Vec<Cached<K>> {
        let state = self.read();
        let mut selected = Vec::new();
        state.labels.select(selector, |slots| {
            let entries = slots.iter().filter_map(|slot| state.slots.get(*slot));
            selected.extend(entries.filter(|entry| is(entry)).map(|entry| Cached::new(entry.clone())));
        });
        selected
    }

    /// The objects that have a value in an index (client-go's `ByIndex`).
    ///
    /// # Errors
    ///
    /// If there is no such index.
    pub fn by_index(&self, index: &str, value: &str) -> Result<Vec<Cached<K>>, Error> {
        let state = self.read();
        self.slots(&state, index, value).map(|slots| cached(&state, slots))
    }

    /// The keys of the objects that have a value in an index (client-go's `IndexKeys`).
    ///
    /// # Errors
    ///
    /// If there is no such index.
    pub fn index_keys(&self, index: &str, value: &str) -> Result<Vec<ObjectKey>, Error> {
        let state = self.read();
        let slots = self.slots(&state, index, value)?;
        let entries = slots.into_iter().flatten().filter_map(|slot| state.slots.get(*slot));
        Ok(entries.map(|entry| entry.key()).collect())
    }

    /// All values of an index (client-go's `ListIndexFuncValues`), in no particular order.
    ///
    /// # Errors
    ///
    /// If there is no such index.
    pub fn index_values(&self, index: &str) -> Result<Vec<Str>, Error> {
        let state = self.read();
        if index == NAMESPACE_INDEX {
            return Ok(state.namespaces.names().map(Into::into).collect());
        }
        let index = state.index(index).ok_or_else(|| Error::no_index(self.resource(), index))?;
        Ok(index.values().map(|value| Str::from(&**value)).collect())
    }

    fn slots<'a>(&self, state: &'a State<K>, index: &str, value: &str) -> Result<Option<&'a SlotSet>, Error> {
        if index == NAMESPACE_INDEX {
            return Ok(state.namespaces.slots(value));
        }
        let found = state.index(index).ok_or_else(|| Error::no_index(self.resource(), index))?;
        Ok(found.slots(value))
    }

    /// `true` if an index would have an object under a value.
    pub(crate) fn is_indexed(&self, index: &str, value: &str, entry: &Arc<Entry<K>>) -> bool {
        if index == NAMESPACE_INDEX {
            return entry.namespace.as_str() == value;
        }
        let indexer = self.read().index(index).map(|index| index.indexer.clone());
        indexer.is_some_and(|indexer| indexer.values(index, entry).iter().any(|found| **found == *value))
    }

    /// The present version of the object with a key, if it cannot be decoded. The store then holds the last
    /// decodable state, if there was one.
    pub fn undecodable(&self, key: &str) -> Option<Arc<Undecodable>> {
        let (namespace, name) = split(key);
        self.read().undecodable.get(&ObjectKey::new(Some(namespace), name)).cloned()
    }

    /// All object versions that cannot be decoded, in no particular order.
    pub fn undecodables(&self) -> Vec<Arc<Undecodable>> {
        self.read().undecodable.values().cloned().collect()
    }

    /// A snapshot of all objects, and the versions that cannot be decoded.
    pub(crate) fn snapshot_and_undecodables(&self) -> (Snapshot<K>, Vec<Change<K>>) {
        let state = self.read();
        let undecodables = state.undecodable.values().map(|version| {
            let known = state.get(version.key.namespace().unwrap_or_default(), version.key.name());
            Change::Undecodable { known: known.cloned(), version: version.clone() }
        });
        (Snapshot::new(state.slots.chunks(), state.len(), state.version()), undecodables.collect())
    }

    /// All objects at this time.
    pub fn snapshot(&self) -> Snapshot<K> {
        let state = self.read();
        Snapshot::new(state.slots.chunks(), state.len(), state.version())
    }

    /// The resourceVersion that the store has reached; empty before the first list.
    pub fn resource_version(&self) -> Box<str> {
        self.0.progress.borrow().version.clone()
    }

    /// The resourceVersion that one source has reached.
    pub(crate) fn partition_version(&self, partition: &Partition) -> Box<str> {
        self.read().partition_version(partition).into()
    }

    /// Waits until the store has reached a resourceVersion, such as that of an object just written; reads
    /// that follow are no older. Cancel safe.
    ///
    /// The version of a change that the store receives takes as long as the watch. The version of another
    /// resource's change, or of an object that the selectors exclude, comes with the next bookmark, about
    /// once a minute. The wait ends after two minutes; limit it further with [`tokio::time::timeout`].
    ///
    /// # Errors
    ///
    /// If the version cannot be compared (KEP-5504). [`is_stopped`](Error::is_stopped) if the informer or
    /// reflector that fills the store stops before. [`is_timeout`](Error::is_timeout) after two minutes.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub async fn wait_for_resource_version(&self, resource_version: &str) -> Result<(), Error> {
        if compare_resource_versions(resource_version, resource_version).is_none() {
            return Err(Error::invalid_version(self.resource(), resource_version, "that can be waited for"));
        }
        let has_come = |progress: &Progress| {
            let order = compare_resource_versions(&progress.version, resource_version);
            order.is_some_and(std::cmp::Ordering::is_ge)
        };
        let mut progress = self.0.progress.subscribe();
        let waiting = async {
            let end = progress.wait_for(|progress| has_come(progress) || progress.has_stopped).await;
            // The sender lives as long as the store.
            end.is_ok_and(|progress| has_come(&progress))
        };
        match tokio::time::timeout(MAX_WAIT, waiting).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Error::stopped(self.resource())),
            Err(_) => Err(Error::version_timeout(
                self.resource(),
                resource_version,
                &self.resource_version(),
                MAX_WAIT,
            )),
        }
    }

    /// Records that the store's source has stopped, or is running, for callers that wait for a version.
    pub(crate) fn set_stopped(&self, has_stopped: bool) {
        self.0.progress.send_modify(|progress| progress.has_stopped = has_stopped);
    }

    /// Inserts or replaces an object.
    ///
    /// # Errors
    ///
    /// If the object has no name.
    pub fn put_object(&self, object: &K) -> Result<(), Error> {
        self.put(Encoded::of(object))
    }

    /// Inserts or replaces an object in encoded form.
    ///
    /// # Errors
    ///
    /// If the object cannot be decoded or has no name.
    pub fn put(&self, object: Encoded<K>) -> Result<(), Error> {
        let entry = self.decode(object)?;
        self.apply(vec![Delta::Updated(DecodeResult::Entry(entry))], &Partition::default());
        Ok(())
    }

    /// Removes the object with a key; `true` if there was one.
    pub fn remove(&self, key: &ObjectKey) -> bool {
        !self.apply(vec![Delta::Deleted(key.clone(), None)], &Partition::default()).is_empty()
    }

    /// Replaces the contents of the store with a list at a resourceVersion.
    ///
    /// # Errors
    ///
    /// If an object cannot be decoded or has no name; the store is unchanged then.
    pub fn replace(&self, objects: Vec<Encoded<K>>, resource_version: &str) -> Result<(), Error> {
        let entries = objects.into_iter().map(|object| self.decode(object).map(DecodeResult::Entry));
        let entries = entries.collect::<Result<_, _>>()?;
        self.apply(vec![Delta::Replaced(entries, resource_version.into())], &Partition::default());
        Ok(())
    }

    /// The approximate number of bytes that are allocated to store an object.
    pub(crate) fn size_of(&self, encoded: &Encoded<K>) -> usize {
        let decoded = match self.0.keep {
            Keep::Packed => 0,
            Keep::Decoded => DECODED_SIZE_FACTOR * encoded.bytes().len(),
        };
        size_of::<Entry<K>>() + decoded
    }

    /// Makes a store entry of an object; an entry of the same version that the store has already is reused.
    pub(crate) fn decode(&self, encoded: Encoded<K>) -> Result<Arc<Entry<K>>, Error> {
        match &self.0.transform {
            None => self.decode_untransformed(encoded),
            Some(transform) => {
                let unreadable = |problem| Error::left_out(self.resource(), encoded.identity(), &problem);
                let mut object = encoded.decode_as(&self.0.resource).map_err(unreadable)?;
                // A panic of the transform must not end the informer.
                if catch_unwind(AssertUnwindSafe(|| transform(&mut object))).is_err() {
                    return Err(unreadable(DecodeError::of_document("the transform panicked")));
                }
                let taken = self.decode_untransformed(Encoded::of(&object));
                taken.map_err(|error| error.of_object(encoded.identity()))
            }
        }
    }

    fn decode_untransformed(&self, encoded: Encoded<K>) -> Result<Arc<Entry<K>>, Error> {
        let unreadable = |problem| Error::left_out(self.resource(), encoded.identity(), &problem);
        let meta = encoded.check().map_err(unreadable)?;
        if meta.name.is_empty() {
            return Err(unreadable(DecodeError::of_document("it has no name")));
        }
        if let Some(entry) = self.read().get(&meta.namespace, &meta.name)
            && !meta.resource_version.is_empty()
            && entry.version() == meta.resource_version
            && entry.uid() == meta.uid
            && entry.newer().is_none()
        {
            return Ok(entry.clone());
        }
        let shared = {
            let mut interner = self.0.interner.lock().unwrap_or_else(PoisonError::into_inner);
            SharedMetadata {
                resource: self.0.resource.clone(),
                namespace: interner.namespace(&meta.namespace),
                labels: interner.labels(&meta),
                owners: interner.owners(&meta),
            }
        };
        Ok(Arc::new(match self.0.keep {
            Keep::Decoded => {
                let object = encoded.decode_as(&self.0.resource);
                Entry::decoded(shared, object.map_err(unreadable)?)
            }
            Keep::Packed => {
                let names = NameSpans::locate(encoded.bytes(), &meta.name, &meta.uid, &meta.resource_version);
                drop(meta);
                Entry::packed(shared, encoded, names)
            }
        }))
    }

    /// Applies deltas, and returns the resulting changes.
    pub(crate) fn apply(&self, deltas: Vec<Delta<DecodeResult<K>>>, partition: &Partition) -> Vec<Change<K>> {
        let _writer = self.writer();
        let indexers = self.read().indexers();
        let prepare = |taken: DecodeResult<K>| match taken {
            DecodeResult::Entry(entry) => {
                let found = indexers.iter().map(|(name, indexer)| indexer.values(name, &entry)).collect();
                Some(PreparedChange::Put(entry, found))
            }
            DecodeResult::Undecodable(version) => Some(PreparedChange::Mark(version)),
            DecodeResult::Unnamed => None,
        };
        let mut changes = Vec::with_capacity(deltas.len());
        let mut deltas = deltas.into_iter().peekable();
        while deltas.peek().is_some() {
            // This is the only writer, so that what is prepared without the lock stays valid.
            let mut prepared = Vec::new();
            for delta in deltas.by_ref() {
                match delta {
                    Delta::Replaced(entries, version) => {
                        let Replacement { puts, removed } = self.read().diff_list(entries, partition);
                        prepared.reserve(puts.len() + removed.len() + 1);
                        prepared.extend(puts.into_iter().filter_map(prepare));
                        prepared
                            .extend(removed.into_iter().map(|key| PreparedChange::Remove(key, None, true)));
                        prepared.push(PreparedChange::Listed(version));
                    }
                    Delta::Added(taken) | Delta::Updated(taken) => {
                        prepared.extend(prepare(taken));
                        continue;
                    }
                    Delta::Deleted(key, Some(DecodeResult::Undecodable(version))) => {
                        prepared.push(PreparedChange::Remove(key, None, true));
                        prepared.push(PreparedChange::Bookmark(version.resource_version.clone()));
                        continue;
                    }
                    Delta::Deleted(key, last) => {
                        let last = last.and_then(|last| match last {
                            DecodeResult::Entry(last) => Some(last),
                            _ => None,
                        });
                        prepared.push(PreparedChange::Remove(key, last, false));
                        continue;
                    }
                    Delta::Bookmark(version) => {
                        prepared.push(PreparedChange::Bookmark(version));
                        continue;
                    }
                    Delta::Sync => continue,
                }
                break;
            }
            let mut state = self.write();
            if prepared.len() > MAX_BATCH_SIZE {
                state.reserve(prepared.len());
                changes.reserve(prepared.len());
            }
            for change in prepared {
                match change {
                    PreparedChange::Put(entry, found) => {
                        state.advance(partition, entry.version());
                        changes.push(state.put(entry, found));
                    }
                    PreparedChange::Mark(version) => {
                        state.advance(partition, &version.resource_version);
                        changes.extend(state.mark_undecodable(version));
                    }
                    PreparedChange::Remove(key, last, is_unknown) => {
                        if let Some(last) = &last {
                            state.advance(partition, last.version());
                        }
                        changes.extend(state.remove(&key, last, is_unknown));
                    }
                    PreparedChange::Listed(version) => state.set_version(partition, &version),
                    PreparedChange::Bookmark(version) => state.advance(partition, &version),
                }
            }
        }
        let version: Box<str> = self.read().version().into();
        self.0.progress.send_if_modified(|known| {
            let has_changed = known.version != version;
            known.version = version;
            has_changed
        });
        changes
    }

    fn writer(&self) -> MutexGuard<'_, ()> {
        self.0.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self) -> RwLockReadGuard<'_, State<K>> {
        self.0.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State<K>> {
        self.0.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A change that is prepared before the lock is taken.
enum PreparedChange<K> {
    Put(Arc<Entry<K>>, Vec<crate::index::IndexValues>),
    Mark(Arc<Undecodable>),
    Remove(ObjectKey, Option<Arc<Entry<K>>>, bool),
    Listed(Box<str>),
    Bookmark(Box<str>),
}

fn cached<K>(state: &State<K>, slots: Option<&SlotSet>) -> Vec<Cached<K>> {
    let slots = slots.into_iter().flatten();
    slots.filter_map(|slot| state.slots.get(*slot)).map(|entry| Cached::new(entry.clone())).collect()
}

impl<K> Clone for Store<K> {
    fn clone(&self) -> Self {
        Store(self.0.clone())
    }
}

impl<K: Wire + Object> fmt::Debug for Store<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Store({:?}, {} objects at {})", self.resource(), self.len(), self.resource_version())
    }
}
