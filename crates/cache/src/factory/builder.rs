//! [`FactoryBuilder`], how a factory is to make informers.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use klient_apimachinery::codec::{ManagedFields, Wire};
use klient_apimachinery::{Object, Resource, ResourceInfo, Sources, Str};

use super::{InformerFactory, Informers, Inner, Which};
use crate::reflector::ReflectorOptions;
use crate::store::{Keep, Transform};

/// How a factory is to make informers.
pub struct FactoryBuilder<S>(Inner<S>);

impl<S: Sources> FactoryBuilder<S> {
    pub(super) fn new(sources: S) -> Self {
        FactoryBuilder(Inner {
            sources,
            namespaces: Vec::new(),
            reflector: ReflectorOptions::default(),
            keep: Keep::default(),
            resync: None,
            resyncs: HashMap::new(),
            transforms: HashMap::new(),
            informers: Informers::default().into(),
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
    pub fn label_selector(mut self, selector: impl Into<Str>) -> Self {
        self.0.reflector.label_selector = Some(selector.into());
        self
    }

    /// Only objects with these field values.
    pub fn field_selector(mut self, selector: impl Into<Str>) -> Self {
        self.0.reflector.field_selector = Some(selector.into());
        self
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
        self.0.resyncs.insert(Which::of(resource), period);
        self
    }

    /// Changes the objects of a type before they are stored, such as by dropping what the program does not need.
    pub fn transform<K: Wire + Object>(mut self, transform: impl Fn(&mut K) + Send + Sync + 'static) -> Self {
        let transform: Transform<K> = Arc::new(transform);
        let transform: Box<dyn Any + Send + Sync> = Box::new(transform);
        self.0.transforms.insert(TypeId::of::<K>(), transform);
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

impl<S> fmt::Debug for FactoryBuilder<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FactoryBuilder")
            .field("namespaces", &self.0.namespaces)
            .field("reflector", &self.0.reflector)
            .field("resync", &self.0.resync)
            .finish_non_exhaustive()
    }
}
