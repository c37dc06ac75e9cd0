//! Owner references that the garbage collector accepts: [`set_controller_reference`], [`set_owner_reference`],
//! [`controller_reference`], [`owner_reference`].
//!
//! The garbage collector looks for an owner in the namespace of the dependent. It deletes a dependent whose owner is in
//! another namespace, and a cluster-scoped dependent of a namespaced owner, because it does not find the owner there. These
//! functions return an error instead.

use klient_apimachinery::go::quoted;
use klient_apimachinery::meta::v1::OwnerReference;
use klient_apimachinery::{Dependent, ObjectKind};

use crate::error::{Error, ErrorKind};

/// Makes an owner the controller of an object that is to be created or updated (controller-runtime's
/// `SetControllerReference`). An object has one controller at most.
///
/// # Errors
///
/// [`ErrorKind::Owner`] if the owner cannot own it: see [`controller_reference`]. [`ErrorKind::AlreadyOwned`] if it has
/// another controller.
///
/// ```
/// use klient_api::core::v1::ConfigMap;
/// use klient_apimachinery::{Object as _, Unstructured, meta::v1::ObjectMeta};
/// use klient_controller::set_controller_reference;
///
/// # let website = serde_json::json!({
/// #     "apiVersion": "example.com/v1", "kind": "Website",
/// #     "metadata": {"name": "shop", "namespace": "default", "uid": "1"},
/// # });
/// # let website: Unstructured = serde_json::from_value(website)?;
/// let metadata = ObjectMeta::named("shop-pages").in_namespace("default");
/// let mut pages = ConfigMap { metadata, ..Default::default() };
/// set_controller_reference(&website, &mut pages)?;
/// assert_eq!(pages.controller().unwrap().name, "shop");
///
/// pages.metadata.namespace = Some("elsewhere".into());
/// let error = set_controller_reference(&website, &mut pages).unwrap_err();
/// assert!(error.to_string().contains("the garbage collector would delete"), "{error}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias = "SetControllerReference")]
pub fn set_controller_reference(
    owner: &impl ObjectKind,
    dependent: &mut impl Dependent,
) -> Result<(), Error> {
    let reference = controller_reference(owner, dependent.namespace())?;
    if let Some(other) = dependent.controller().filter(|other| other.uid != reference.uid) {
        let what = format!(
            "{} is controlled by {} {} already, and an object has one controller at most",
            quoted(dependent.name()),
            other.kind,
            quoted(&other.name),
        );
        return Err(Error::new(ErrorKind::AlreadyOwned, what));
    }
    dependent.set_owner(reference);
    Ok(())
}

/// Adds an owner to an object that is to be created or updated (controller-runtime's `SetOwnerReference`).
///
/// # Errors
///
/// [`ErrorKind::Owner`] if the owner cannot own it: see [`controller_reference`].
#[doc(alias = "SetOwnerReference")]
pub fn set_owner_reference(owner: &impl ObjectKind, dependent: &mut impl Dependent) -> Result<(), Error> {
    let reference = owner_reference(owner, dependent.namespace())?;
    dependent.set_owner(reference);
    Ok(())
}

/// The reference by which an owner controls an object in a namespace, or a cluster-scoped one: for apply configurations,
/// and objects of any form.
///
/// # Errors
///
/// [`ErrorKind::Owner`] if the garbage collector would delete the object, because the owner is in another namespace, or is
/// namespaced and the object is not; or if the owner has no uid or kind, as before it is created.
///
/// ```
/// use klient_api::core::v1::{ConfigMap, Node};
/// use klient_apimachinery::meta::v1::ObjectMeta;
/// use klient_controller::controller_reference;
///
/// let uid = Some("1".into());
/// let node = Node { metadata: ObjectMeta { uid: uid.clone(), ..ObjectMeta::named("n1") }, ..Default::default() };
/// // A cluster-scoped owner can own objects in all namespaces.
/// assert_eq!(controller_reference(&node, Some("default"))?.controller, Some(true));
///
/// let metadata = ObjectMeta { uid, ..ObjectMeta::named("colors").in_namespace("default") };
/// let colors = ConfigMap { metadata, ..Default::default() };
/// let error = controller_reference(&colors, None).unwrap_err();
/// assert!(error.to_string().contains("cannot own a cluster-scoped object"), "{error}");
/// # Ok::<(), klient_controller::Error>(())
/// ```
pub fn controller_reference(
    owner: &impl ObjectKind,
    namespace: Option<&str>,
) -> Result<OwnerReference, Error> {
    check(owner, namespace)?;
    Ok(OwnerReference::controller_of(owner))
}

/// The reference by which an owner owns an object, as [`controller_reference`], without controlling it.
///
/// # Errors
///
/// As [`controller_reference`].
pub fn owner_reference(owner: &impl ObjectKind, namespace: Option<&str>) -> Result<OwnerReference, Error> {
    check(owner, namespace)?;
    Ok(OwnerReference::of(owner))
}

fn check(owner: &impl ObjectKind, dependent: Option<&str>) -> Result<(), Error> {
    let kind = owner.group_version_kind().kind;
    let owner_is = format!("{kind} {}", quoted(owner.name()));
    let problem = match (owner.namespace(), dependent.filter(|namespace| !namespace.is_empty())) {
        _ if owner.uid().is_empty() || kind.is_empty() => {
            "cannot be an owner: it has no uid or no kind; take it as the server or a cache returns it"
                .to_owned()
        }
        (Some(of_owner), None) => format!(
            "in the namespace {} cannot own a cluster-scoped object: the garbage collector would delete that, because it \
             looks for a cluster-scoped owner; if the object is namespaced, set its metadata.namespace first",
            quoted(of_owner)
        ),
        (Some(of_owner), Some(namespace)) if of_owner != namespace => format!(
            "in the namespace {} cannot own an object in the namespace {}: the garbage collector would delete that, \
             because it looks for the owner in the namespace of the object",
            quoted(of_owner),
            quoted(namespace)
        ),
        _ => return Ok(()),
    };
    Err(Error::new(ErrorKind::Owner, format!("{owner_is} {problem}")))
}
