//! [`StoreWriter`], write access to a [`Store`].

use std::fmt;
use std::ops::Deref;

use klient_apimachinery::codec::{Encoded, Wire};
use klient_apimachinery::{Object, ResourceInfo};

use super::{Keep, Partition, Store};
use crate::decode_result::DecodeResult;
use crate::delta::Delta;
use crate::error::Error;
use crate::key::ObjectKey;

/// Write access to a [`Store`] of its own; dereferences to the store. There is one writer of a store: the
/// program, or the [`Reflector`](crate::Reflector) that it gives the writer to.
///
/// ```
/// use klient_api::core::v1::Pod;
/// use klient_apimachinery::{Resource as _, meta::v1::ObjectMeta};
/// use klient_cache::{Keep, StoreWriter};
///
/// let writer = StoreWriter::<Pod>::new(Pod::INFO, Keep::Packed);
/// let pods = writer.store();
/// writer.put_object(&Pod {
///     metadata: ObjectMeta {
///         namespace: Some("shop".into()),
///         labels: [("app", "web")].into(),
///         ..ObjectMeta::named("web-0")
///     },
///     ..Default::default()
/// })?;
/// assert_eq!(pods.get("shop/web-0").unwrap().name(), "web-0");
/// assert_eq!(pods.list_in("shop").len(), 1);
/// assert_eq!(pods.select(&"app in (web,api)".parse()?).len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct StoreWriter<K>(Store<K>);

impl<K: Wire + Object> StoreWriter<K> {
    /// The writer of a new, empty store.
    pub fn new(resource: ResourceInfo, keep: Keep) -> Self {
        StoreWriter(Store::with_partitions(resource, keep, None, 1))
    }

    /// The store.
    pub fn store(&self) -> Store<K> {
        self.0.clone()
    }

    /// Inserts or replaces an object.
    ///
    /// # Errors
    ///
    /// If the object has no name, or the store's transform panics.
    pub fn put_object(&self, object: &K) -> Result<(), Error> {
        self.put(Encoded::of(object))
    }

    /// Inserts or replaces an object in encoded form.
    ///
    /// # Errors
    ///
    /// If the object cannot be decoded or has no name, or the store's transform panics.
    pub fn put(&self, object: Encoded<K>) -> Result<(), Error> {
        let entry = self.0.decode(object)?;
        self.0.apply(vec![Delta::Updated(DecodeResult::Entry(entry))], &Partition::default());
        Ok(())
    }

    /// Removes the object with a key; `true` if there was one.
    pub fn remove(&self, key: &ObjectKey) -> bool {
        !self.0.apply(vec![Delta::Deleted(key.clone(), None)], &Partition::default()).is_empty()
    }

    /// Replaces the contents of the store with a list at a resourceVersion.
    ///
    /// # Errors
    ///
    /// If an object cannot be decoded or has no name; the store is unchanged then.
    pub fn replace(&self, objects: Vec<Encoded<K>>, resource_version: &str) -> Result<(), Error> {
        let entries = objects.into_iter().map(|object| self.0.decode(object).map(DecodeResult::Entry));
        let entries = entries.collect::<Result<_, _>>()?;
        self.0.apply(vec![Delta::Replaced(entries, resource_version.into())], &Partition::default());
        Ok(())
    }
}

impl<K> Deref for StoreWriter<K> {
    type Target = Store<K>;

    fn deref(&self) -> &Store<K> {
        &self.0
    }
}

impl<K: Wire + Object> fmt::Debug for StoreWriter<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StoreWriter").field(&self.0).finish()
    }
}
