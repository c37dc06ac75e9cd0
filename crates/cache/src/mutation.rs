//! [`MutationCache`], which knows of a program's own writes before they come back through the watch.

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

/// How a [`MutationCache`] works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MutationCacheOptions {
    /// How many objects are remembered; those that nobody has looked at for longest are forgotten first.
    pub capacity: usize,
    /// For how long an object is remembered.
    pub ttl: Duration,
    /// Whether objects are given that the store does not have. It may have had them already, and lost them: so what is
    /// given may be gone for as long as `ttl`, above all if the cache is not a handler of the informer.
    pub include_adds: bool,
}

impl Default for MutationCacheOptions {
    /// As client-go.
    fn default() -> Self {
        MutationCacheOptions { capacity: 100, ttl: Duration::from_secs(300), include_adds: false }
    }
}

/// Gives the newer of what a store has and what the program itself has written (client-go's `MutationCache`). Clones
/// are the same cache.
///
/// What a write answers goes to [`mutation`](Self::mutation). As a handler of the store's informer it forgets what the
/// store has come to know, and does not bring back what was deleted meanwhile.
///
/// It compares resourceVersions as numbers (KEP-5504). Where they are none, the store is right. A program that can
/// wait until the store has caught up needs no such cache: [`Store::wait_for_resource_version`].
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

/// What is remembered of an object.
struct Remembered<K> {
    last_write: LastWrite<K>,
    /// When it is forgotten; `None` if there is no such time.
    until: Option<Instant>,
}

enum LastWrite<K> {
    Object(Arc<Entry<K>>),
    /// It was deleted; so that a write which was answered before, and told of after that, is not believed.
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
        // Room is made as it is needed, however much there may be.
        let mut written = LruCache::unbounded();
        written.resize(capacity);
        MutationCache(Arc::new(Inner { store, options, written: Mutex::new(written) }))
    }

    /// Takes note of an object as the server answered with it. One that is older than what is known is left out, and
    /// so is one that is known to be gone.
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

    /// The object of a key, `NAMESPACE/NAME` or `NAME`: the newer of the store's and the program's own. One that the
    /// store does not have is not given, unless [`include_adds`](MutationCacheOptions::include_adds) says so: it may
    /// be yet to come, or gone.
    pub fn get(&self, key: &str) -> Option<Cached<K>> {
        let mut written = self.lock();
        let key: ObjectKey = key.parse().ok()?;
        match self.0.store.get(key.as_str()) {
            Some(stored) => newer(&mut written, stored),
            None if self.0.options.include_adds => match &unexpired(&mut written, &key)?.last_write {
                LastWrite::Object(entry) => Some(Cached::new(entry.clone())),
                LastWrite::Tombstone { .. } => None,
            },
            None => None,
        }
    }

    /// The objects that an index of the store has under a value, each the newer of the store's and the program's own.
    /// By what the program has written an object is found only if
    /// [`include_adds`](MutationCacheOptions::include_adds) says so.
    ///
    /// # Errors
    ///
    /// If there is no such index.
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

    /// The store has an object now: what is no newer is not needed any more.
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
            // Another of the same name, which may or may not be there.
            return;
        }
        let last_write =
            LastWrite::Tombstone { uid: last.uid().into(), version: last.resource_version().into() };
        self.put(&mut written, key, last_write);
    }
}

/// What is remembered of a key, and not for too long.
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

/// The newer of what the store has and what is remembered of it; `None` if it is known to be gone.
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

/// Whether a version of the store is as new as one that is remembered. Of what cannot be compared, the store's is.
fn is_at_least(stored: &str, known: &str) -> bool {
    compare_resource_versions(stored, known).is_none_or(Ordering::is_ge)
}

/// It takes note of what the store has come to know.
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
