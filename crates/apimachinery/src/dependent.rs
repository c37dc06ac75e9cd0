//! [`Dependent`], an object that can be given owners.

use crate::meta::v1::{ObjectMeta, OwnerReference};
use crate::object::{Metadata, Object};
use crate::unstructured::Unstructured;

/// An object that can be given owners: those with [`Metadata`], and [`Unstructured`].
///
/// ```
/// use klient_apimachinery::meta::v1::OwnerReference;
/// use klient_apimachinery::{Dependent, Object, Unstructured};
///
/// let mut role = Unstructured::new("rbac.authorization.k8s.io/v1", "Role", "painter");
/// for name in ["old", "new"] {
///     role.set_owner(OwnerReference { uid: "1".into(), name: name.into(), ..Default::default() });
/// }
/// assert_eq!(role.owner_references().len(), 1);
/// assert_eq!(role["metadata"]["ownerReferences"][0]["name"], "new");
/// ```
pub trait Dependent: Object {
    /// Adds an owner reference, or replaces the one with the same UID.
    fn set_owner(&mut self, owner: OwnerReference);
}

impl<K: Metadata> Dependent for K {
    fn set_owner(&mut self, owner: OwnerReference) {
        self.metadata_mut().set_owner(owner);
    }
}

impl Dependent for Unstructured {
    fn set_owner(&mut self, owner: OwnerReference) {
        let mut owners =
            ObjectMeta { owner_references: self.owner_references().into_owned(), ..Default::default() };
        owners.set_owner(owner);
        self.set_owner_references(&owners.owner_references);
    }
}
