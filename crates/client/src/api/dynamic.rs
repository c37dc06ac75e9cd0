//! Handles to kinds that are found out at run time.

use std::marker::PhantomData;
use std::sync::Arc;

use klient_apimachinery::meta::v1::PartialObjectMetadata;
use klient_apimachinery::{Addressable, Place, ResourceInfo, Unstructured, WriteOptions};

use super::{Api, Endpoint};
use crate::connection::Connection;
use crate::discovery::ApiResource;

/// A kind that is found out at run time, and which verbs and subresources it has, if that is known.
#[doc(alias = "GroupVersionResource")]
#[derive(Clone, Debug)]
pub struct DynamicKind {
    info: ResourceInfo,
    verbs: Option<Arc<[String]>>,
    subresources: Option<Arc<[String]>>,
}

impl From<ResourceInfo> for DynamicKind {
    fn from(info: ResourceInfo) -> Self {
        DynamicKind { info, verbs: None, subresources: None }
    }
}

impl From<&ApiResource> for DynamicKind {
    fn from(resource: &ApiResource) -> Self {
        let subresources = resource.subresources.iter().map(|subresource| subresource.name.clone());
        DynamicKind {
            info: resource.info.clone(),
            verbs: Some(resource.verbs.as_slice().into()),
            subresources: Some(subresources.collect()),
        }
    }
}

/// A place that is chosen at run time: one namespace, or all of them, or the whole cluster. That one object of a
/// namespaced kind needs a namespace is then checked when a request is made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DynamicPlace(Option<Box<str>>);

impl Place for DynamicPlace {
    fn namespace(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl Addressable for DynamicPlace {}

impl DynamicPlace {
    pub(crate) fn new(namespace: Option<&str>) -> Self {
        DynamicPlace(namespace.map(Into::into))
    }
}

impl<K> Api<K, DynamicPlace> {
    pub(crate) fn dynamic(connection: Connection, kind: DynamicKind) -> Self {
        let DynamicKind { info, verbs, subresources } = kind;
        let write = WriteOptions::default();
        let endpoint = Endpoint { connection, info, write, timeout: None, verbs, subresources };
        Api { endpoint, place: DynamicPlace::default(), kind: PhantomData }
    }
}

impl Api<Unstructured, DynamicPlace> {
    /// The handle to one namespace. For cluster-scoped kinds it is the same handle.
    pub fn namespace(&self, name: &str) -> Self {
        Api { place: DynamicPlace(Some(name.into())), ..self.clone() }
    }
}

impl Api<PartialObjectMetadata, DynamicPlace> {
    /// The handle to one namespace. For cluster-scoped kinds it is the same handle.
    pub fn namespace(&self, name: &str) -> Self {
        Api { place: DynamicPlace(Some(name.into())), ..self.clone() }
    }
}
