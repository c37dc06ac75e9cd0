//! [`Store`], the objects of one resource by key, namespace, labels and added indices.

mod apply;
mod change;
mod decode;
mod keys;
mod progress;
mod read;
mod state;
mod writer;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use klient_apimachinery::codec::Wire;
use klient_apimachinery::{Object, ResourceInfo, Str};
use tokio::sync::watch;

use crate::error::Error;
use crate::index::Indexer;
use crate::intern::Interner;
pub(crate) use change::Change;
use progress::Progress;
use state::State;
pub use writer::StoreWriter;

/// The name of the built-in index by namespace (client-go's `NamespaceIndex`).
pub const NAMESPACE_INDEX: &str = "namespace";

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
/// A store is filled by an [`Informer`](crate::Informer), by a [`Reflector`](crate::Reflector), or by the
/// program through a [`StoreWriter`]; it cannot be changed by those that read it.
///
/// ```
/// use klient_api::core::v1::Namespace;
/// use klient_apimachinery::{Resource as _, meta::v1::ObjectMeta};
/// use klient_cache::{Keep, Store, StoreWriter};
///
/// fn teams(namespaces: &Store<Namespace>) -> usize {
///     namespaces.select(&"team".parse().expect("a selector")).len()
/// }
///
/// let writer = StoreWriter::new(Namespace::INFO, Keep::Packed);
/// writer.put_object(&Namespace {
///     metadata: ObjectMeta { labels: [("team", "shop")].into(), ..ObjectMeta::named("web") },
///     ..Default::default()
/// })?;
/// assert_eq!(teams(&writer), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias = "Indexer")]
#[doc(alias = "ThreadSafeStore")]
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

/// The part of a store that one source fills.
#[derive(Clone, Debug, Default)]
pub(crate) struct Partition {
    pub(crate) index: usize,
    pub(crate) namespace: Option<Str>,
}

impl<K: Wire + Object> Store<K> {
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
