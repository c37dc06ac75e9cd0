//! [`MutationCache`], a program's own writes in front of a store that lags behind.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use klient_apimachinery::codec::{Encoded, Wire};
use klient_apimachinery::{Object, compare_resource_versions};
use lru::LruCache;
use tokio::time::Instant;

use crate::cached::{Cached, Deleted};
use crate::entry::Entry;
use crate::error::Error;
use crate::handler::ResourceEventHandler;
use crate::key::ObjectKey;
use crate::store::Store;

/// Options of a [`MutationCache`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MutationCacheOptions {
    /// The largest number of remembered writes; the least recently used is dropped first. Zero counts as one.
    pub capacity: usize,
    /// The time for which a write is remembered.
    pub ttl: Duration,
    /// Returns objects that the store does not have. Such an object may be newer than the store, or deleted
    /// since: a deleted object can be returned for up to `ttl`, above all if the cache is not an event
    /// handler of the informer.
    pub include_adds: bool,
}

impl Default for MutationCacheOptions {
    /// The defaults of client-go: 100 objects, 5 minutes, only objects that the store has.
    fn default() -> Self {
        MutationCacheOptions { capacity: 100, ttl: Duration::from_secs(300), include_adds: false }
    }
}

/// Returns the newer of a store's object and the result of the program's own write (client-go's
/// `MutationCache`). Clones are the same cache.
///
/// Pass the result of each write to [`mutation`](Self::mutation). As an event handler of the store's
/// informer, the cache drops writes that the store has caught up with, and does not return objects that were
/// deleted since.
///
/// ResourceVersions are compared as numbers (KEP-5504); if they are not numbers, the store's object counts as
/// newer. A program that can wait for the store needs no such cache: [`Store::wait_for_resource_version`].
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use klient_api::core::v1::ConfigMap;
/// use klient_apimachinery::meta::v1::ObjectMeta;
/// use klient_cache::{Informer, MutationCache};
/// use klient_client::{Client, Config};
///
/// let server = klient_apiserver::TestServer::start().await?;
/// let client = Client::new(Config::from_kubeconfig(&server.kubeconfig())?)?;
/// let config_maps = client.api::<ConfigMap>().namespace("default");
/// let named = ObjectMeta::named("colors");
/// let mut colors = config_maps.create(&ConfigMap { metadata: named, ..Default::default() }).await?;
///
/// let informer = Informer::new(client.api::<ConfigMap>(), Default::default());
/// let cache = MutationCache::new(informer.store().clone(), Default::default());
/// let handler = informer.add_event_handler(cache.clone());
/// informer.start();
/// handler.wait_for_sync().await?;
///
/// colors.data.insert("sky", "blue".into());
/// cache.mutation(&config_maps.update(&colors).await?)?;
/// // Whether or not the watch has told of it by now:
/// assert_eq!(cache.get("default/colors").unwrap().data.get("sky").map(|sky| sky.as_str()), Some("blue"));
/// # Ok(()) }
/// ```
pub struct MutationCache<K>(Arc<Inner<K>>);

struct Inner<K> {
    store: Store<K>,
    options: MutationCacheOptions,
    written: Mutex<LruCache<ObjectKey, Remembered<K>>>,
}

/// A remembered write.
struct Remembered<K> {
    last_write: LastWrite<K>,
    /// The time of expiry; `None` if it is beyond the clock's range.
    until: Option<Instant>,
}

enum LastWrite<K> {
    Object(Arc<Entry<K>>),
    /// The object was deleted. A result of an earlier write that arrives afterwards is ignored.
    Tombstone {
        uid: Box<str>,
        version: Box<str>,
    },
}

impl<K> Remembered<K> {
    fn is_unexpired(&self) -> bool {
        self.until.is_none_or(|until| until > Instant::now())
    }
}

impl<K: Object> Remembered<K> {
    fn version(&self) -> &str {
        match &self.last_write {
            LastWrite::Object(entry) => entry.version(),
            LastWrite::Tombstone { version, .. } => version,
        }
    }

    fn uid(&self) -> &str {
        match &self.last_write {
            LastWrite::Object(entry) => entry.uid(),
            LastWrite::Tombstone { uid, .. } => uid,
        }
    }
}

impl<K: Wire + Object> MutationCache<K> {
    /// A cache in front of a store.
    pub fn new(store: Store<K>, options: MutationCacheOptions) -> Self {
        let capacity = NonZeroUsize::new(options.capacity).unwrap_or(NonZeroUsize::MIN);
        // The capacity is a limit, and not allocated in advance.
        let mut written = LruCache::unbounded();
        written.resize(capacity);
        MutationCache(Arc::new(Inner { store, options, written: Mutex::new(written) }))
    }

    /// Remembers an object that the server returned for a write. Ignored if it is older than the remembered
    /// one, or known to be deleted.
    ///
    /// # Errors
    ///
    /// If the object has no name.
    pub fn mutation(&self, object: &K) -> Result<(), Error> {
        let entry = self.0.store.decode(Encoded::of(object))?;
        let key = entry.key();
        let mut written = self.lock();
        if let Some(known) = unexpired(&mut written, &key) {
            let order = compare_resource_versions(entry.version(), known.version());
            let is_gone = matches!(known.last_write, LastWrite::Tombstone { .. })
                && (order == Some(Ordering::Equal) || known.uid() == entry.uid());
            if order == Some(Ordering::Less) || is_gone {
                return Ok(());
            }
        }
        self.put(&mut written, key, LastWrite::Object(entry));
        Ok(())
    }

    /// The object with a key, `NAMESPACE/NAME` or `NAME`: the newer of the store's and the remembered one.
    /// `None` if the store does not have it, unless [`include_adds`](MutationCacheOptions::include_adds) is
    /// set.
    pub fn get(&self, key: &str) -> Option<Cached<K>> {
        let mut written = self.lock();
        let key: ObjectKey = key.parse().ok()?;
        match self.0.store.get(&key) {
            Some(stored) => newer(&mut written, stored),
            None if self.0.options.include_adds => match &unexpired(&mut written, &key)?.last_write {
                LastWrite::Object(entry) => Some(Cached::new(entry.clone())),
                LastWrite::Tombstone { .. } => None,
            },
            None => None,
        }
    }

    /// The objects with a value in an index of the store, each in the newer of both states. Remembered
    /// objects are looked up by their own index values only if
    /// [`include_adds`](MutationCacheOptions::include_adds) is set.
    ///
    /// # Errors
    ///
    /// If the store has no such index.
    pub fn by_index(&self, index: &str, value: &str) -> Result<Vec<Cached<K>>, Error> {
        let mut written = self.lock();
        let stored = self.0.store.by_index(index, value)?;
        let keys: HashSet<_> = stored.iter().map(Cached::key).collect();
        let mut found: Vec<_> = stored.into_iter().filter_map(|stored| newer(&mut written, stored)).collect();
        if self.0.options.include_adds {
            let others =
                written.iter().filter(|(key, written)| written.is_unexpired() && !keys.contains(key));
            found.extend(others.filter_map(|(_, written)| match &written.last_write {
                LastWrite::Object(entry) if self.0.store.is_indexed(index, value, entry) => {
                    Some(Cached::new(entry.clone()))
                }
                _ => None,
            }));
        }
        Ok(found)
    }

    fn put(
        &self,
        written: &mut LruCache<ObjectKey, Remembered<K>>,
        key: ObjectKey,
        last_write: LastWrite<K>,
    ) {
        written.put(key, Remembered { last_write, until: Instant::now().checked_add(self.0.options.ttl) });
    }

    fn lock(&self) -> MutexGuard<'_, LruCache<ObjectKey, Remembered<K>>> {
        self.0.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Drops the remembered write if the store's object is at least as new.
    fn forget_if_caught_up(&self, object: &Cached<K>) {
        let mut written = self.lock();
        let key = object.key();
        let known = unexpired(&mut written, &key);
        if known.is_some_and(|known| is_at_least(object.resource_version(), known.version())) {
            written.pop(&key);
        }
    }

    fn record_deletion(&self, last: &Cached<K>) {
        let mut written = self.lock();
        let key = last.key();
        if let Some(known) = unexpired(&mut written, &key)
            && !is_at_least(last.resource_version(), known.version())
            && known.uid() != last.uid()
        {
            // Another object of the same name, whose deletion is not known.
            return;
        }
        let last_write =
            LastWrite::Tombstone { uid: last.uid().into(), version: last.resource_version().into() };
        self.put(&mut written, key, last_write);
    }
}

/// The remembered write of a key; an expired one is dropped.
fn unexpired<'a, K>(
    written: &'a mut LruCache<ObjectKey, Remembered<K>>,
    key: &ObjectKey,
) -> Option<&'a Remembered<K>> {
    if !written.peek(key)?.is_unexpired() {
        written.pop(key);
        return None;
    }
    written.get(key)
}

/// The newer of the store's object and the remembered write; `None` if the object is known to be deleted.
fn newer<K: Wire + Object>(
    written: &mut LruCache<ObjectKey, Remembered<K>>,
    stored: Cached<K>,
) -> Option<Cached<K>> {
    let key = stored.key();
    let Some(known) = unexpired(written, &key) else { return Some(stored) };
    if is_at_least(stored.resource_version(), known.version()) {
        written.pop(&key);
        return Some(stored);
    }
    match &known.last_write {
        LastWrite::Object(entry) => Some(Cached::new(entry.clone())),
        LastWrite::Tombstone { .. } => None,
    }
}

/// Returns true if the store's version is at least the known one, or they cannot be compared.
fn is_at_least(stored: &str, known: &str) -> bool {
    compare_resource_versions(stored, known).is_none_or(Ordering::is_ge)
}

/// Drops remembered writes that the store has caught up with.
impl<K: Wire + Object> ResourceEventHandler<K> for MutationCache<K> {
    fn on_add(&mut self, object: Cached<K>, _is_in_initial_list: bool) {
        self.forget_if_caught_up(&object);
    }

    fn on_update(&mut self, _old: Cached<K>, new: Cached<K>) {
        self.forget_if_caught_up(&new);
    }

    fn on_delete(&mut self, object: Deleted<K>) {
        if let Some(last) = &object.object {
            self.record_deletion(last);
        }
    }
}

impl<K> Clone for MutationCache<K> {
    fn clone(&self) -> Self {
        MutationCache(self.0.clone())
    }
}

impl<K: Wire + Object> fmt::Debug for MutationCache<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MutationCache({} of {:?})", self.lock().len(), self.0.store)
    }
}
