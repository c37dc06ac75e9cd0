//! [`InformerFactoryBuilder`], how a factory is to make informers.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use klient_apimachinery::codec::{ManagedFields, Wire};
use klient_apimachinery::labels::{self, InvalidSelector};
use klient_apimachinery::{Object, Resource, ResourceInfo, Sources, Str, fields};

use super::{InformerFactory, Inner, NamedIndexers};
use crate::index::Indexer;
use crate::informer_set::ResourceKey;
use crate::reflector::ReflectorOptions;
use crate::store::{Keep, NAMESPACE_INDEX, Transform};

/// How a factory is to make informers.
pub struct InformerFactoryBuilder<S>(Inner<S>);

impl<S: Sources> InformerFactoryBuilder<S> {
    pub(super) fn new(sources: S) -> Self {
        InformerFactoryBuilder(Inner {
            sources,
            namespaces: Vec::new(),
            reflector: ReflectorOptions::default(),
            keep: Keep::default(),
            resync: None,
            resyncs: HashMap::new(),
            transforms: HashMap::new(),
            indexers: HashMap::new(),
            informers: Arc::default(),
        })
    }

    /// Follow one namespace only, and one more each time this is called. Kinds that live in no namespace are followed
    /// all the same.
    pub fn namespace(mut self, name: impl Into<String>) -> Self {
        let name = name.into();
        if !self.0.namespaces.contains(&name) {
            self.0.namespaces.push(name);
        }
        self
    }

    /// Only objects with these labels.
    ///
    /// # Errors
    ///
    /// If that is no label selector.
    pub fn label_selector(mut self, selector: impl Into<Str>) -> Result<Self, InvalidSelector> {
        let selector = selector.into();
        selector.parse::<labels::Selector>()?;
        self.0.reflector.label_selector = Some(selector);
        Ok(self)
    }

    /// Only objects with these field values.
    ///
    /// # Errors
    ///
    /// If that is no field selector.
    pub fn field_selector(mut self, selector: impl Into<Str>) -> Result<Self, InvalidSelector> {
        let selector = selector.into();
        selector.parse::<fields::Selector>()?;
        self.0.reflector.field_selector = Some(selector);
        Ok(self)
    }

    /// Whether the objects' `managedFields` are kept; by default they are dropped.
    pub fn managed_fields(mut self, managed_fields: ManagedFields) -> Self {
        self.0.reflector.managed_fields = managed_fields;
        self
    }

    /// How often handlers are told all objects again; by default never.
    pub fn resync(mut self, period: Duration) -> Self {
        self.0.resync = Some(period);
        self
    }

    /// How often handlers of a kind are told all objects again.
    pub fn resync_of<K: Resource>(self, period: Duration) -> Self {
        self.resync_for(&K::INFO, period)
    }

    /// How often handlers of a resource are told all objects again.
    pub fn resync_for(mut self, resource: &ResourceInfo, period: Duration) -> Self {
        self.0.resyncs.insert(ResourceKey::of(resource), period);
        self
    }

    /// Changes the objects of a type before they are stored, such as by dropping what the program does not need.
    pub fn transform<K: Wire + Object>(mut self, transform: impl Fn(&mut K) + Send + Sync + 'static) -> Self {
        let transform: Transform<K> = Arc::new(transform);
        let transform: Box<dyn Any + Send + Sync> = Box::new(transform);
        self.0.transforms.insert(TypeId::of::<K>(), transform);
        self
    }

    /// Adds an indexer to the informer of a kind, whenever that is asked for. Of two with one name the last counts.
    pub fn indexer<K: Resource + Wire>(self, name: &str, indexer: Indexer<K>) -> Self {
        self.indexer_for(&K::INFO, name, indexer)
    }

    /// Adds an indexer to the informer of a resource whose objects are read as `K`: see [`indexer`](Self::indexer).
    ///
    /// # Panics
    ///
    /// If the name is that of the index that every store has: [`NAMESPACE_INDEX`].
    pub fn indexer_for<K: Wire + Object>(
        mut self,
        resource: &ResourceInfo,
        name: &str,
        indexer: Indexer<K>,
    ) -> Self {
        assert!(name != NAMESPACE_INDEX, "every store has an index {NAMESPACE_INDEX:?} already");
        let key = (TypeId::of::<K>(), ResourceKey::of(resource));
        let indexers = self.0.indexers.entry(key).or_insert_with(|| Box::new(NamedIndexers::<K>::new()));
        let indexers = indexers.downcast_mut::<NamedIndexers<K>>().expect("they are kept by their type");
        indexers.retain(|(other, _)| **other != *name);
        indexers.push((name.into(), indexer));
        self
    }

    /// How objects are kept.
    pub fn keep(mut self, keep: Keep) -> Self {
        self.0.keep = keep;
        self
    }

    /// Changes how resources are followed.
    pub fn reflector(mut self, change: impl FnOnce(&mut ReflectorOptions)) -> Self {
        change(&mut self.0.reflector);
        self
    }

    /// The factory.
    pub fn build(self) -> InformerFactory<S> {
        InformerFactory(Arc::new(self.0))
    }
}

impl<S> fmt::Debug for InformerFactoryBuilder<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InformerFactoryBuilder")
            .field("namespaces", &self.0.namespaces)
            .field("reflector", &self.0.reflector)
            .field("resync", &self.0.resync)
            .finish_non_exhaustive()
    }
}
