//! Constructors of [`OwnerReference`].

use super::v1::OwnerReference;
use crate::object_kind::ObjectKind;

impl OwnerReference {
    /// A reference to an owner: the garbage collector deletes the dependent once all its owners are deleted.
    pub fn of(owner: &impl ObjectKind) -> Self {
        let kind = owner.group_version_kind();
        OwnerReference {
            api_version: kind.api_version().into(),
            kind: kind.kind,
            name: owner.name().into(),
            uid: owner.uid().into(),
            ..Default::default()
        }
    }

    /// A reference to the controller of an object, as metav1.NewControllerRef: an object has at most one, and deleting
    /// the owner in the foreground waits for the object.
    ///
    /// ```
    /// use klient_apimachinery::meta::v1::OwnerReference;
    /// # use klient_apimachinery::Resource;
    ///
    /// # fn f<Deployment: Resource>(deployment: &Deployment) {
    /// let owner = OwnerReference::controller_of(deployment);
    /// assert_eq!(owner.controller, Some(true));
    /// # }
    /// ```
    pub fn controller_of(owner: &impl ObjectKind) -> Self {
        OwnerReference { controller: Some(true), block_owner_deletion: Some(true), ..Self::of(owner) }
    }
}
