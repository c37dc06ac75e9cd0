//! [`InformerFactoryBuilder`], the options of a factory.

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

/// The options of a factory, set one by one.
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

    /// Restricts informers of namespaced kinds to a namespace; each call adds one. Cluster-scoped kinds are
    /// not affected.
    pub fn namespace(mut self, name: impl Into<String>) -> Self {
        let name = name.into();
        if !self.0.namespaces.contains(&name) {
            self.0.namespaces.push(name);
        }
        self
    }

    /// Restricts all informers to objects with matching labels.
    ///
    /// # Errors
    ///
    /// If the string is not a label selector.
    pub fn label_selector(mut self, selector: impl Into<Str>) -> Result<Self, InvalidSelector> {
        let selector = selector.into();
        selector.parse::<labels::Selector>().map_err(|error| error.of("label selector", &selector))?;
        self.0.reflector.label_selector = Some(selector);
        Ok(self)
    }

    /// Restricts all informers to objects with matching fields.
    ///
    /// # Errors
    ///
    /// If the string is not a field selector.
    pub fn field_selector(mut self, selector: impl Into<Str>) -> Result<Self, InvalidSelector> {
        let selector = selector.into();
        selector.parse::<fields::Selector>().map_err(|error| error.of("field selector", &selector))?;
        self.0.reflector.field_selector = Some(selector);
        Ok(self)
    }

    /// Keeps or drops the objects' `managedFields`; dropped by default.
    pub fn managed_fields(mut self, managed_fields: ManagedFields) -> Self {
        self.0.reflector.managed_fields = managed_fields;
        self
    }

    /// The period after which handlers receive all objects again as updates; none by default.
    pub fn resync(mut self, period: Duration) -> Self {
        self.0.resync = Some(period);
        self
    }

    /// The resync period of a kind, instead of [`resync`](Self::resync).
    pub fn resync_of<K: Resource>(self, period: Duration) -> Self {
        self.resync_for(&K::INFO, period)
    }

    /// The resync period of a resource, instead of [`resync`](Self::resync).
    pub fn resync_for(mut self, resource: &ResourceInfo, period: Duration) -> Self {
        self.0.resyncs.insert(ResourceKey::of(resource), period);
        self
    }

    /// A function that changes the objects of a type before they are stored, such as by dropping fields that
    /// the program does not need. See [`Transform`].
    pub fn transform<K: Wire + Object>(mut self, transform: impl Fn(&mut K) + Send + Sync + 'static) -> Self {
        let transform: Transform<K> = Arc::new(transform);
        let transform: Box<dyn Any + Send + Sync> = Box::new(transform);
        self.0.transforms.insert(TypeId::of::<K>(), transform);
        self
    }

    /// Adds an indexer to the informer of a kind. An indexer of the same name is replaced.
    ///
    /// # Panics
    ///
    /// If the name is [`NAMESPACE_INDEX`], which every store has already.
    pub fn indexer<K: Resource + Wire>(self, name: &str, indexer: Indexer<K>) -> Self {
        self.indexer_for(&K::INFO, name, indexer)
    }

    /// Adds an indexer to the informer of a resource whose objects are decoded as `K`: see
    /// [`indexer`](Self::indexer).
    ///
    /// # Panics
    ///
    /// If the name is [`NAMESPACE_INDEX`], which every store has already.
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

    /// The form in which stores keep objects.
    pub fn keep(mut self, keep: Keep) -> Self {
        self.0.keep = keep;
        self
    }

    /// Changes the options of all reflectors.
    pub fn reflector(mut self, change: impl FnOnce(&mut ReflectorOptions)) -> Self {
        change(&mut self.0.reflector);
        self
    }

    /// Builds the factory.
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
