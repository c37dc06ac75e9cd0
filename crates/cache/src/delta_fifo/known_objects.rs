//! [`KnownObjects`], the objects that the consumer of a queue has.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

use klient_apimachinery::Object;
use klient_apimachinery::codec::Wire;

use crate::cached::Cached;
use crate::key::ObjectKey;
use crate::store::Store;

/// The objects that the consumer of a [`DeltaFifo`](super::DeltaFifo) already has, such as a [`Store`] or a map (client-go's
/// `KnownObjects`).
pub trait KnownObjects<Q, T>: Send + Sync {
    /// The keys of all known objects.
    fn keys(&self) -> Vec<Q>;

    /// The known object with a key.
    fn get(&self, key: &Q) -> Option<T>;
}

impl<K: Wire + Object> KnownObjects<ObjectKey, Cached<K>> for Store<K> {
    fn keys(&self) -> Vec<ObjectKey> {
        Store::keys(self)
    }

    fn get(&self, key: &ObjectKey) -> Option<Cached<K>> {
        Store::get(self, key)
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
