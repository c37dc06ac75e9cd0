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
