//! Support for the types of the [`k8s_openapi`](https://docs.rs/k8s-openapi) crate: each of its kinds can be listed,
//! watched and written with klient's clients, in JSON.
//!
//! Its types do not keep unknown fields, and do not say which verbs a kind lacks: a verb that the API server does not
//! offer is an error at run time.

use std::borrow::Cow;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::{ClusterResourceScope, Metadata, NamespaceResourceScope, ResourceScope};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::codec::{DecodeError, Wire};
use crate::meta::v1::OwnerReference;
use crate::{Cluster, Namespaced, Object, Resource, ResourceInfo, Scope, Time, verbs};

/// The scopes of both crates.
pub trait Translated: ResourceScope {
    /// The scope in klient's terms.
    type Scope: Scope;
}

impl Translated for ClusterResourceScope {
    type Scope = Cluster;
}

impl Translated for NamespaceResourceScope {
    type Scope = Namespaced;
}

impl<T> Object for T
where
    T: Metadata<Ty = ObjectMeta> + Send + Sync + 'static,
{
    fn name(&self) -> &str {
        self.metadata().name.as_deref().unwrap_or_default()
    }

    fn namespace(&self) -> Option<&str> {
        self.metadata().namespace.as_deref().filter(|namespace| !namespace.is_empty())
    }

    fn uid(&self) -> &str {
        self.metadata().uid.as_deref().unwrap_or_default()
    }

    fn resource_version(&self) -> &str {
        self.metadata().resource_version.as_deref().unwrap_or_default()
    }

    fn labels(&self) -> impl Iterator<Item = (&str, &str)> {
        self.metadata().labels.iter().flatten().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    fn annotations(&self) -> impl Iterator<Item = (&str, &str)> {
        self.metadata().annotations.iter().flatten().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    fn finalizers(&self) -> impl Iterator<Item = &str> {
        self.metadata().finalizers.iter().flatten().map(String::as_str)
    }

    fn owner_references(&self) -> Cow<'_, [OwnerReference]> {
        let owners = self.metadata().owner_references.iter().flatten().map(|owner| OwnerReference {
            api_version: owner.api_version.as_str().into(),
            kind: owner.kind.as_str().into(),
            name: owner.name.as_str().into(),
            uid: owner.uid.as_str().into(),
            controller: owner.controller,
            block_owner_deletion: owner.block_owner_deletion,
            ..Default::default()
        });
        Cow::Owned(owners.collect())
    }

    fn generation(&self) -> Option<i64> {
        self.metadata().generation
    }

    fn deletion_timestamp(&self) -> Option<Time> {
        self.metadata().deletion_timestamp.as_ref().map(|time| Time::from_unix(time.0.as_second()))
    }
}

impl<T> Resource for T
where
    T: Metadata<Ty = ObjectMeta, Scope: Translated> + Send + Sync + 'static,
{
    type Scope = <T::Scope as Translated>::Scope;
    const INFO: ResourceInfo = ResourceInfo::from_static(
        T::GROUP,
        T::VERSION,
        T::KIND,
        T::URL_PATH_SEGMENT,
        <Self as Resource>::Scope::NAMESPACED,
    );
}

impl<T> Wire for T
where
    T: Metadata<Ty = ObjectMeta> + Serialize + DeserializeOwned + Send + Sync + 'static,
{
    fn from_json(bytes: &[u8]) -> Result<Self, DecodeError> {
        serde_json::from_slice(bytes).map_err(DecodeError::of_document)
    }

    fn to_json(&self, out: &mut Vec<u8>) {
        serde_json::to_writer(out, self).expect("a Vec takes all bytes and every key is a string");
    }

    fn list_type(_: &[Self]) -> (String, String) {
        (T::API_VERSION.to_owned(), format!("{}List", T::KIND))
    }
}

macro_rules! all_verbs {
    ($($verb:ident)*) => { $(impl<T: Metadata<Ty = ObjectMeta>> verbs::$verb for T {})* };
}

all_verbs! {
    Create Delete DeleteCollection Get List Patch Update Watch
    Approval EphemeralContainers Exec Finalize Log Proxy Resize Scale Status
}
