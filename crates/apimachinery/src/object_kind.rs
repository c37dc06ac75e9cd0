//! [`ObjectKind`], an object that names its kind.

use crate::meta::v1::GroupVersionKind;
use crate::object::Object;
use crate::resource::Resource;
use crate::unstructured::Unstructured;

/// An object that names its group, version and kind, so that others can refer to it: those whose type has them at
/// compile time, [`Unstructured`], and the handles of caches.
///
/// ```
/// use klient_apimachinery::{ObjectKind, Unstructured};
///
/// /// The kind and name of an object, as in `Website shop`.
/// fn describe(object: &impl ObjectKind) -> String {
///     format!("{} {}", object.group_version_kind().kind, object.name())
/// }
///
/// assert_eq!(describe(&Unstructured::new("example.com/v1", "Website", "shop")), "Website shop");
/// ```
#[diagnostic::on_unimplemented(
    message = "the group, version and kind of `{Self}` are not known",
    label = "nothing can refer to this",
    note = "declare the struct of a custom resource with `klient::custom_resource!`",
    note = "`klient::Unstructured` is an object of any kind"
)]
#[doc(alias = "GetObjectKind")]
pub trait ObjectKind: Object {
    /// The group, version and kind of the object. They are empty for an [`Unstructured`] that lacks them.
    fn group_version_kind(&self) -> GroupVersionKind;
}

impl<K: Resource> ObjectKind for K {
    fn group_version_kind(&self) -> GroupVersionKind {
        K::INFO.group_version_kind()
    }
}

impl ObjectKind for Unstructured {
    fn group_version_kind(&self) -> GroupVersionKind {
        Unstructured::group_version_kind(self)
    }
}
