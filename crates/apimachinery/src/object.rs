//! Metadata of objects: [`Object`], [`Metadata`].

use std::borrow::Cow;

use crate::Time;
use crate::meta::v1::{ObjectMeta, OwnerReference};

/// Read access to the metadata of an API object, whatever its kind.
///
/// Built-in types, [`Unstructured`](crate::Unstructured), `PartialObjectMetadata`, objects of
/// [`custom_resource!`](crate::custom_resource) and the handles of caches implement it. Those whose metadata is an
/// [`ObjectMeta`], which are all but `Unstructured`, also have [`Metadata`], to change it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no object of the Kubernetes API",
    label = "this has no metadata that klient knows of",
    note = "declare the struct of a custom resource with `klient::custom_resource!`",
    note = "`klient::Unstructured` is an object of any kind"
)]
#[doc(alias = "ResourceExt")]
#[doc(alias = "Accessor")]
pub trait Object: Send + Sync + 'static {
    /// `metadata.name`; empty for an object that has not been named yet.
    fn name(&self) -> &str;

    /// `metadata.namespace`; `None` for cluster-scoped objects.
    fn namespace(&self) -> Option<&str>;

    /// `metadata.uid`; empty before the object is created.
    fn uid(&self) -> &str;

    /// `metadata.resourceVersion`; empty before the object is created.
    fn resource_version(&self) -> &str;

    /// `metadata.labels`.
    fn labels(&self) -> impl Iterator<Item = (&str, &str)>;

    /// `metadata.annotations`.
    fn annotations(&self) -> impl Iterator<Item = (&str, &str)>;

    /// `metadata.finalizers`.
    #[doc(alias = "ContainsFinalizer")]
    fn finalizers(&self) -> impl Iterator<Item = &str>;

    /// `metadata.ownerReferences`.
    fn owner_references(&self) -> Cow<'_, [OwnerReference]>;

    /// `metadata.generation`: the version of the desired state, for kinds that count it.
    fn generation(&self) -> Option<i64>;

    /// `metadata.deletionTimestamp`: set once the object is being deleted and waits for its finalizers or its grace
    /// period.
    fn deletion_timestamp(&self) -> Option<Time>;

    /// The owner whose `controller` is true, as metav1.GetControllerOf.
    #[doc(alias = "GetControllerOf")]
    fn controller(&self) -> Option<OwnerReference> {
        self.owner_references().iter().find(|owner| owner.controller == Some(true)).cloned()
    }
}

/// An object whose metadata is an [`ObjectMeta`]: built-in types, `PartialObjectMetadata`, and what
/// [`custom_resource!`](crate::custom_resource) declares.
pub trait Metadata: Object {
    /// The object's metadata.
    fn metadata(&self) -> &ObjectMeta;

    /// The object's metadata, to be changed.
    fn metadata_mut(&mut self) -> &mut ObjectMeta;
}

impl Object for ObjectMeta {
    fn name(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }

    fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref().filter(|namespace| !namespace.is_empty())
    }

    fn uid(&self) -> &str {
        self.uid.as_deref().unwrap_or_default()
    }

    fn resource_version(&self) -> &str {
        self.resource_version.as_deref().unwrap_or_default()
    }

    fn labels(&self) -> impl Iterator<Item = (&str, &str)> {
        self.labels.iter().map(|(key, value)| (key, value.as_str()))
    }

    fn annotations(&self) -> impl Iterator<Item = (&str, &str)> {
        self.annotations.iter().map(|(key, value)| (key, value.as_str()))
    }

    fn finalizers(&self) -> impl Iterator<Item = &str> {
        self.finalizers.iter().map(crate::Str::as_str)
    }

    fn owner_references(&self) -> Cow<'_, [OwnerReference]> {
        Cow::Borrowed(&self.owner_references)
    }

    fn generation(&self) -> Option<i64> {
        self.generation
    }

    fn deletion_timestamp(&self) -> Option<Time> {
        self.deletion_timestamp
    }
}
