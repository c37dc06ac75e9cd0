//! Keys of owners: [`map_to_owner`], [`OwnerScope`].

use klient_apimachinery::{Cluster, Namespaced, Object, ObjectKey, ResourceInfo, Scope};
use klient_cache::Cached;

/// The scopes whose objects may own objects of the scope `Child`: a cluster-scoped object owns any other, a namespaced
/// one only those of its namespace. The garbage collector deletes a cluster-scoped object with a namespaced owner,
/// since it does not find the owner.
#[diagnostic::on_unimplemented(
    message = "a namespaced object cannot own a cluster-scoped one",
    label = "the garbage collector would delete this kind, as its owner is not found",
    note = "use `watches` with a mapping from a label or a name, and a finalizer to clean up"
)]
pub trait OwnerScope<Child: Scope>: Scope {}

impl OwnerScope<Namespaced> for Namespaced {}
impl OwnerScope<Namespaced> for Cluster {}
impl OwnerScope<Cluster> for Cluster {}

/// A mapping from an object to the key of its controller, the owner with `controller: true`, if that is of a resource:
/// in the object's namespace, or without one for a cluster-scoped resource. Owners of another version of the group count.
///
/// [`owns`](super::ControllerBuilder::owns) has this mapping for kinds that are known at compile time; it is for
/// those found at run time.
pub fn map_to_owner<K: Object>(
    owner: &ResourceInfo,
) -> impl Fn(&Cached<K>) -> Option<ObjectKey> + Send + Sync + 'static {
    let resource = owner.clone();
    move |object| {
        let owner = object.controller()?;
        let group = owner.api_version.split_once('/').map_or("", |(group, _)| group);
        if *owner.kind != *resource.kind || *group != *resource.group {
            return None;
        }
        if !resource.namespaced {
            return Some(ObjectKey::new(None, &owner.name));
        }
        Some(ObjectKey::new(Some(object.namespace()?), &owner.name))
    }
}
