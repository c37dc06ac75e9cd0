//! [`Lister`], read access to an informer's store.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use klient_apimachinery::Object;
use klient_apimachinery::codec::Wire;
use klient_apimachinery::labels::Selector;

use super::handle::InformerHandle;
use crate::cached::Cached;
use crate::error::Error;
use crate::store::Store;

/// Read access to an informer's store that keeps the informer running. Dereferences to [`Store`].
///
/// ```
/// # use klient_api::core::v1::Pod;
/// use klient_cache::{Lister, ObjectKey};
/// use klient_workqueue::Work;
///
/// fn phase(pods: &Lister<Pod>, key: &Work<ObjectKey>) -> Option<String> {
///     let pod = pods.get(key)?;
///     pod.status.phase.as_deref().map(ToOwned::to_owned)
/// }
/// ```
pub struct Lister<K: Wire + Object> {
    handle: Arc<InformerHandle<K>>,
}

impl<K: Wire + Object> Lister<K> {
    pub(super) fn new(handle: Arc<InformerHandle<K>>) -> Self {
        Lister { handle }
    }

    /// A lister of one namespace.
    pub fn namespace(&self, name: &str) -> NamespaceLister<K> {
        NamespaceLister { lister: self.clone(), namespace: name.into() }
    }

    /// Waits until the informer's first list is in the store.
    ///
    /// # Errors
    ///
    /// As [`Informer::wait_for_sync`](super::Informer::wait_for_sync).
    pub async fn wait_for_sync(&self) -> Result<(), Error> {
        self.handle.wait_for_sync().await
    }
}

impl<K: Wire + Object> Deref for Lister<K> {
    type Target = Store<K>;

    fn deref(&self) -> &Store<K> {
        &self.handle.shared.store
    }
}

impl<K: Wire + Object> Clone for Lister<K> {
    fn clone(&self) -> Self {
        Lister { handle: self.handle.clone() }
    }
}

impl<K: Wire + Object> fmt::Debug for Lister<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lister").field(&**self).finish()
    }
}

/// A [`Lister`] of one namespace.
pub struct NamespaceLister<K: Wire + Object> {
    lister: Lister<K>,
    namespace: Box<str>,
}

impl<K: Wire + Object> NamespaceLister<K> {
    /// The object with a name in this namespace. An [`ObjectKey`](crate::ObjectKey) is accepted too; `None` if it is
    /// that of an object in another namespace.
    pub fn get(&self, name: &str) -> Option<Cached<K>> {
        match name.split_once('/') {
            None => self.lister.get_in(&self.namespace, name),
            Some((namespace, name)) if *namespace == *self.namespace => self.lister.get_in(namespace, name),
            Some(_) => None,
        }
    }

    /// All objects of the namespace, in no particular order.
    pub fn list(&self) -> Vec<Cached<K>> {
        self.lister.list_in(&self.namespace)
    }

    /// The objects of the namespace whose labels match.
    pub fn select(&self, selector: &Selector) -> Vec<Cached<K>> {
        self.lister.select_in(&self.namespace, selector)
    }
}

impl<K: Wire + Object> Clone for NamespaceLister<K> {
    fn clone(&self) -> Self {
        NamespaceLister { lister: self.lister.clone(), namespace: self.namespace.clone() }
    }
}

impl<K: Wire + Object> fmt::Debug for NamespaceLister<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} in {}", self.lister, self.namespace)
    }
}
