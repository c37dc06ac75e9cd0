//! [`InformerSet`], the informers that a factory has made.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, Weak};

use klient_apimachinery::{BoxFuture, ResourceInfo};

use crate::error::Error;

/// The informers that a factory has made.
#[derive(Default)]
pub(crate) struct InformerSet {
    /// All that anybody holds.
    made: HashMap<InformerKey, Weak<dyn AnyInformer>>,
    /// Those that the factory holds.
    held: Vec<Arc<dyn AnyInformer>>,
    pub(crate) has_started: bool,
    pub(crate) is_shut_down: bool,
}

/// The type that objects are read as, and their resource.
pub(crate) type InformerKey = (TypeId, ResourceKey);

/// A resource: its group and version, and its plural.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ResourceKey(String, String);

impl ResourceKey {
    pub(crate) fn of(resource: &ResourceInfo) -> Self {
        ResourceKey(resource.api_version(), resource.plural.to_string())
    }
}

/// An informer of any type.
pub(crate) trait AnyInformer: Send + Sync {
    /// Starts the informer, without a word to its factory.
    fn run(&self);
    /// Ends the informer's tasks, without a word to its factory.
    fn end(&self) -> BoxFuture<'_, ()>;
    fn resource(&self) -> &ResourceInfo;
    fn has_synced(&self) -> bool;
    fn last_error(&self) -> Option<Error>;
    fn wait_for_sync(&self) -> BoxFuture<'_, Result<(), Error>>;
    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;
}

impl InformerSet {
    /// The informer of a key, if anybody holds it.
    pub(crate) fn get(&self, key: &InformerKey) -> Option<Arc<dyn AnyInformer>> {
        self.made.get(key).and_then(Weak::upgrade)
    }

    /// Adds an informer that was made.
    pub(crate) fn insert(&mut self, key: InformerKey, informer: Arc<dyn AnyInformer>) {
        self.made.retain(|_, made| made.strong_count() > 0);
        self.made.insert(key, Arc::downgrade(&informer));
        self.hold(informer);
    }

    /// Holds an informer until it is released; after a shutdown none is held.
    pub(crate) fn hold(&mut self, informer: Arc<dyn AnyInformer>) {
        if !self.is_shut_down && !self.held.iter().any(|held| Arc::ptr_eq(held, &informer)) {
            self.held.push(informer);
        }
    }

    /// Lets go of an informer that somebody stops, who holds it meanwhile.
    pub(crate) fn release(&mut self, informer: &dyn AnyInformer) {
        self.held.retain(|held| !std::ptr::addr_eq(Arc::as_ptr(held), informer));
    }

    /// Lets go of all informers.
    pub(crate) fn release_all(&mut self) -> Vec<Arc<dyn AnyInformer>> {
        std::mem::take(&mut self.held)
    }

    /// The informers that were asked for and that nobody has stopped; after a shutdown, which stops all, those that
    /// somebody still holds.
    pub(crate) fn current(&self) -> Vec<Arc<dyn AnyInformer>> {
        if self.is_shut_down { self.all() } else { self.held.clone() }
    }

    /// All informers that anybody holds.
    pub(crate) fn all(&self) -> Vec<Arc<dyn AnyInformer>> {
        self.made.values().filter_map(Weak::upgrade).collect()
    }
}
