//! The verbs that the API server offers for a kind, as marker traits; implemented by generated code from discovery's
//! facts.

/// The verb `get`: reading one object.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no verb `get`",
    note = "the API server does not offer it for this resource"
)]
pub trait Get {}

/// The verb `list`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no verb `list`",
    note = "the API server does not offer it for this resource"
)]
pub trait List {}

/// The verb `watch`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no verb `watch`",
    note = "the API server does not offer it for this resource"
)]
pub trait Watch {}

/// The verb `create`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no verb `create`",
    note = "the API server does not offer it for this resource"
)]
pub trait Create {}

/// The verb `update`: replacing an object.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no verb `update`",
    note = "the API server does not offer it for this resource"
)]
pub trait Update {}

/// The verb `patch`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no verb `patch`",
    note = "the API server does not offer it for this resource"
)]
pub trait Patch {}

/// The verb `delete`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no verb `delete`",
    note = "the API server does not offer it for this resource"
)]
pub trait Delete {}

/// The verb `deletecollection`: deleting many objects at once.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no verb `deletecollection`",
    note = "the API server does not offer it for this resource"
)]
pub trait DeleteCollection {}

/// The subresource `status`, which is written apart.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no subresource `status`",
    note = "the API server does not offer it for this resource"
)]
pub trait Status {}

/// The subresource `scale`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no subresource `scale`",
    note = "the API server does not offer it for this resource"
)]
pub trait Scale {}

/// The kind has logs: pods.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no subresource `log`",
    note = "the API server offers it for pods only"
)]
pub trait Log {}

/// Commands can be run in the kind: pods.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no subresource `exec`",
    note = "the API server offers it for pods only"
)]
pub trait Exec {}

/// The subresource `approval`, with which a request is approved or denied.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no subresource `approval`",
    note = "the API server offers it for certificate signing requests only"
)]
pub trait Approval {}

/// The subresource `ephemeralcontainers`, with which containers are added to a running pod.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no subresource `ephemeralcontainers`",
    note = "the API server offers it for pods only"
)]
pub trait EphemeralContainers {}

/// The subresource `finalize`, with which the finalizers of a namespace are removed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no subresource `finalize`",
    note = "the API server offers it for namespaces only"
)]
pub trait Finalize {}

/// The subresource `proxy`, which passes requests on.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no subresource `proxy`",
    note = "the API server offers it for pods, services and nodes only"
)]
pub trait Proxy {}

/// The subresource `resize`, with which the resources of a running pod are changed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no subresource `resize`",
    note = "the API server offers it for pods only"
)]
pub trait Resize {}

/// A kind in the place in which [`ScaleType`] can be implemented for it. It has no values.
pub struct OfKind<K>(std::marker::PhantomData<fn() -> K>);

/// The type of the scale of a kind: `Scale` of autoscaling/v1, whatever the kind. It is the only one, so that the compiler
/// infers it.
///
/// It is implemented for [`OfKind<K>`](OfKind), since the type and its crate are not known to the crates of kinds.
#[diagnostic::on_unimplemented(
    message = "`{S}` is not the type of a scale",
    note = "it is `Scale` of autoscaling/v1, with the feature `autoscaling` of klient-api"
)]
pub trait ScaleType<S> {}

/// The type that evicts a `K`: `Eviction` of policy/v1, for pods.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not evict `{K}`",
    note = "pods are evicted by `Eviction` of policy/v1, with the feature `policy` of klient-api"
)]
pub trait EvictionOf<K>: crate::codec::Wire {}

/// The type that binds a `K` to a node: `Binding` of core/v1, for pods.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not bind `{K}`",
    note = "pods are bound to a node by `Binding` of core/v1"
)]
pub trait BindingOf<K>: crate::codec::Wire {}

/// The type that requests a token of a `K`: `TokenRequest` of authentication/v1, for service accounts.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not request a token of `{K}`",
    note = "tokens of service accounts are requested by `TokenRequest` of authentication/v1, with the feature `authentication` of klient-api"
)]
pub trait TokenRequestOf<K>: crate::codec::Wire {}
