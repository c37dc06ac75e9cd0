//! [`Store`], the objects of one resource, found by key, namespace, labels and whatever else is asked for.

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

/// The name of the index that every store has.
pub const NAMESPACE_INDEX: &str = "namespace";

/// How long a version is waited for: API servers send bookmarks about once a minute.
const MAX_WAIT: Duration = Duration::from_secs(120);

/// How much larger most objects are decoded than in protobuf.
const DECODED_SIZE_FACTOR: usize = 4;

/// How a store keeps objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keep {
    /// As the bytes they came in, decoded when looked into, for as long as somebody holds them. That takes a quarter
    /// of the memory, and a tenth of the time to fill.
    #[default]
    Packed,
    /// Decoded. Reading is fastest, for programs that look into all objects again and again.
    Decoded,
}

/// Changes objects before they are stored, such as by dropping what a program does not need. It may be called twice
/// on one object, and must then change nothing more. An object on which it panics is left out, and reported.
pub type Transform<K> = Arc<dyn Fn(&mut K) + Send + Sync>;

/// The objects of one resource. Clones are the same store.
///
/// Objects are found by key, by namespace, by labels, and by every [`Indexer`] that was added, at any time. Reading
/// never waits long: whoever writes holds readers up for as long as it takes to put some objects in their places, and
/// no reader holds up anybody.
///
/// A store is filled by an [`Informer`](crate::Informer), a [`Reflector`](crate::Reflector), or by hand:
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
    /// Held by the one who writes, who then is the only one.
    writer: Mutex<()>,
    state: RwLock<State<K>>,
    /// How far it is, for those who wait for a version.
    progress: watch::Sender<Progress>,
}

/// How far a store is.
#[derive(Clone, Debug, Default)]
struct Progress {
    /// Up to which version changes were taken.
    version: Box<str>,
    /// What filled it was stopped.
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

    /// The resource of which it holds objects.
    pub fn resource(&self) -> &ResourceInfo {
        &self.0.resource
    }

    /// Adds an indexer under a name. What is in the store is indexed at once.
    ///
    /// # Errors
    ///
    /// If there is an index of that name.
    pub fn add_indexer(&self, name: &str, indexer: Indexer<K>) -> Result<(), Error> {
        let _writer = self.writer();
        if name == NAMESPACE_INDEX || self.read().index(name).is_some() {
            return Err(Error::index_exists(self.resource(), name));
        }
        // Nobody writes meanwhile, and all may read.
        let found: Vec<_> = {
            let state = self.read();
            state.slots.iter().map(|(slot, entry)| (slot, entry.clone())).collect()
        };
        let found: Vec<_> =
            found.into_iter().map(|(slot, entry)| (slot, indexer.values(name, &entry))).collect();
        self.write().add_index(name.into(), indexer, found);
        Ok(())
    }

    /// The names of the indices; the first is [`NAMESPACE_INDEX`].
    pub fn index_names(&self) -> Vec<Str> {
        let added = self.read().indexers();
        std::iter::once(NAMESPACE_INDEX.into())
            .chain(added.iter().map(|(name, _)| Str::from(&**name)))
            .collect()
    }

    /// The object of a key: `NAMESPACE/NAME`, or `NAME` of what lives in no namespace.
    pub fn get(&self, key: &str) -> Option<Cached<K>> {
        let (namespace, name) = split(key);
        self.get_in(namespace, name)
    }

    /// The object of a namespace and name. The namespace is empty of what lives in none.
    pub fn get_in(&self, namespace: &str, name: &str) -> Option<Cached<K>> {
        let state = self.read();
        Some(Cached::new(state.get(namespace, name)?.clone()))
    }

    /// Whether there is an object of a key.
    pub fn contains(&self, key: &str) -> bool {
        let (namespace, name) = split(key);
        self.read().get(namespace, name).is_some()
    }

    /// How many objects there are.
    pub fn len(&self) -> usize {
        self.read().len()
    }

    /// Whether there are no objects.
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

    /// The objects of a namespace.
    pub fn list_in(&self, namespace: &str) -> Vec<Cached<K>> {
        let state = self.read();
        cached(&state, state.namespaces.slots(namespace))
    }

    /// The objects with labels that are selected.
    pub fn select(&self, selector: &Selector) -> Vec<Cached<K>> {
        if selector.is_everything() {
            return self.list();
        }
        self.selected(selector, |_| true)
    }

    /// The objects of a namespace with labels that are selected.
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

    /// The objects that an index has under a value.
    ///
    /// # Errors
    ///
    /// If there is no such index.
    pub fn by_index(&self, index: &str, value: &str) -> Result<Vec<Cached<K>>, Error> {
        let state = self.read();
        self.slots(&state, index, value).map(|slots| cached(&state, slots))
    }

    /// The keys of the objects that an index has under a value.
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

    /// All values that an index has objects under.
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

    /// Whether an index would have an object under a value.
    pub(crate) fn is_indexed(&self, index: &str, value: &str, entry: &Arc<Entry<K>>) -> bool {
        if index == NAMESPACE_INDEX {
            return entry.namespace.as_str() == value;
        }
        let indexer = self.read().index(index).map(|index| index.indexer.clone());
        indexer.is_some_and(|indexer| indexer.values(index, entry).iter().any(|found| **found == *value))
    }

    /// The version of an object that the server holds and that cannot be decoded, by the object's key. If there was a
    /// state before it that could be, the store still has that.
    pub fn undecodable(&self, key: &str) -> Option<Arc<Undecodable>> {
        let (namespace, name) = split(key);
        self.read().undecodable.get(&ObjectKey::new(Some(namespace), name)).cloned()
    }

    /// The versions of objects that the server holds and that cannot be decoded, in no particular order.
    pub fn undecodables(&self) -> Vec<Arc<Undecodable>> {
        self.read().undecodable.values().cloned().collect()
    }

    /// All objects as they are now, and those whose present version cannot be decoded.
    pub(crate) fn snapshot_and_undecodables(&self) -> (Snapshot<K>, Vec<Change<K>>) {
        let state = self.read();
        let undecodables = state.undecodable.values().map(|version| {
            let known = state.get(version.key.namespace().unwrap_or_default(), version.key.name());
            Change::Undecodable { known: known.cloned(), version: version.clone() }
        });
        (Snapshot::new(state.slots.chunks(), state.len(), state.version()), undecodables.collect())
    }

    /// All objects as they are now.
    pub fn snapshot(&self) -> Snapshot<K> {
        let state = self.read();
        Snapshot::new(state.slots.chunks(), state.len(), state.version())
    }

    /// The version up to which changes have been taken; empty before the first list.
    pub fn resource_version(&self) -> Box<str> {
        self.0.progress.borrow().version.clone()
    }

    /// The version up to which changes have been taken from one source.
    pub(crate) fn partition_version(&self, partition: &Partition) -> Box<str> {
        self.read().partition_version(partition).into()
    }

    /// Waits until changes have been taken up to a version, such as that of an object that was just written: what is
    /// then read is no older.
    ///
    /// The version of a change that the store is told of takes as long as the watch. That of a change to another
    /// resource, or to an object that its selectors leave out, comes with the next bookmark, which API servers send
    /// about once a minute. Two minutes is the most that is waited; limit it further with [`tokio::time::timeout`].
    ///
    /// # Errors
    ///
    /// If that is no version that can be compared (KEP-5504); if the informer or reflector that fills the store is
    /// stopped or dropped before ([`is_stopped`](Error::is_stopped)); and if the version does not come in two minutes
    /// ([`is_timeout`](Error::is_timeout)).
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

    /// Says whether something fills the store: those who wait for a version do so only then.
    pub(crate) fn set_stopped(&self, has_stopped: bool) {
        self.0.progress.send_modify(|progress| progress.has_stopped = has_stopped);
    }

    /// Puts an object, in place of what is there.
    ///
    /// # Errors
    ///
    /// If it has no name.
    pub fn put_object(&self, object: &K) -> Result<(), Error> {
        self.put(Encoded::of(object))
    }

    /// Puts an object as it came, in place of what is there.
    ///
    /// # Errors
    ///
    /// If it cannot be decoded, or has no name.
    pub fn put(&self, object: Encoded<K>) -> Result<(), Error> {
        let entry = self.decode(object)?;
        self.apply(vec![Delta::Updated(DecodeResult::Entry(entry))], &Partition::default());
        Ok(())
    }

    /// Removes an object, and says whether it was there.
    pub fn remove(&self, key: &ObjectKey) -> bool {
        !self.apply(vec![Delta::Deleted(key.clone(), None)], &Partition::default()).is_empty()
    }

    /// Puts objects in place of all that are there, at a version.
    ///
    /// # Errors
    ///
    /// If one cannot be decoded, or has no name; nothing is then changed.
    pub fn replace(&self, objects: Vec<Encoded<K>>, resource_version: &str) -> Result<(), Error> {
        let entries = objects.into_iter().map(|object| self.decode(object).map(DecodeResult::Entry));
        let entries = entries.collect::<Result<_, _>>()?;
        self.apply(vec![Delta::Replaced(entries, resource_version.into())], &Partition::default());
        Ok(())
    }

    /// About how many bytes it takes to make of an object what is stored.
    pub(crate) fn size_of(&self, encoded: &Encoded<K>) -> usize {
        let decoded = match self.0.keep {
            Keep::Packed => 0,
            Keep::Decoded => DECODED_SIZE_FACTOR * encoded.bytes().len(),
        };
        size_of::<Entry<K>>() + decoded
    }

    /// Makes of an object what is stored. One that is in the store already, at the same version, is taken from there.
    pub(crate) fn decode(&self, encoded: Encoded<K>) -> Result<Arc<Entry<K>>, Error> {
        match &self.0.transform {
            None => self.decode_untransformed(encoded),
            Some(transform) => {
                let unreadable = |problem| Error::left_out(self.resource(), encoded.identity(), &problem);
                let mut object = encoded.decode_as(&self.0.resource).map_err(unreadable)?;
                // One who panics must not take the informer along.
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

    /// Takes changes, and says what they came to.
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
            // Nobody else writes, so what is found out before the lock is held still holds then.
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

/// A change of which all is known before the lock is held.
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
