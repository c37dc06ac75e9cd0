//! [`InformerSet`], the informers that a factory has made.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, Weak};

use klient_apimachinery::{BoxFuture, ResourceInfo};

use crate::error::Error;

/// The informers that a factory has made.
#[derive(Default)]
pub(crate) struct InformerSet {
    /// All informers that still have a handle.
    made: HashMap<InformerKey, Weak<dyn AnyInformer>>,
    /// The informers that the factory owns.
    held: Vec<Arc<dyn AnyInformer>>,
    pub(crate) has_started: bool,
    pub(crate) is_shut_down: bool,
}

/// The Rust type of the objects, and the resource.
pub(crate) type InformerKey = (TypeId, ResourceKey);

/// A resource as a map key: API version and plural.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ResourceKey(String, String);

impl ResourceKey {
    pub(crate) fn of(resource: &ResourceInfo) -> Self {
        ResourceKey(resource.api_version(), resource.plural.to_string())
    }
}

/// An informer of objects of any type.
pub(crate) trait AnyInformer: Send + Sync {
    /// Starts the informer, without changing the factory's set.
    fn run(&self);
    /// Ends the informer's tasks, without changing the factory's set.
    fn end(&self) -> BoxFuture<'_, ()>;
    fn resource(&self) -> &ResourceInfo;
    fn has_synced(&self) -> bool;
    fn last_error(&self) -> Option<Error>;
    fn wait_for_sync(&self) -> BoxFuture<'_, Result<(), Error>>;
    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;
}

impl InformerSet {
    /// The informer with a key, if a handle to it exists.
    pub(crate) fn get(&self, key: &InformerKey) -> Option<Arc<dyn AnyInformer>> {
        self.made.get(key).and_then(Weak::upgrade)
    }

    /// Adds an informer, and owns it.
    pub(crate) fn insert(&mut self, key: InformerKey, informer: Arc<dyn AnyInformer>) {
        self.made.retain(|_, made| made.strong_count() > 0);
        self.made.insert(key, Arc::downgrade(&informer));
        self.hold(informer);
    }

    /// Owns an informer until it is released; none after a shutdown.
    pub(crate) fn hold(&mut self, informer: Arc<dyn AnyInformer>) {
        if !self.is_shut_down && !self.held.iter().any(|held| Arc::ptr_eq(held, &informer)) {
            self.held.push(informer);
        }
    }

    /// Stops owning an informer. The caller holds another handle, so that it is not dropped here.
    pub(crate) fn release(&mut self, informer: &dyn AnyInformer) {
        self.held.retain(|held| !std::ptr::addr_eq(Arc::as_ptr(held), informer));
    }

    /// Stops owning all informers.
    pub(crate) fn release_all(&mut self) -> Vec<Arc<dyn AnyInformer>> {
        std::mem::take(&mut self.held)
    }

    /// The informers that the factory owns; after a shutdown, which releases them, those that still have a
    /// handle.
    pub(crate) fn current(&self) -> Vec<Arc<dyn AnyInformer>> {
        if self.is_shut_down { self.all() } else { self.held.clone() }
    }

    /// All informers that have a handle.
    pub(crate) fn all(&self) -> Vec<Arc<dyn AnyInformer>> {
        self.made.values().filter_map(Weak::upgrade).collect()
    }
}
