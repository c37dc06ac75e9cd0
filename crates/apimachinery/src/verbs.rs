//! The verbs that the API server offers for a kind; implemented by generated code from discovery's facts.

/// One object can be read.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no verb `get`",
    note = "the API server does not offer it for this resource"
)]
pub trait Get {}

/// Objects can be listed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no verb `list`",
    note = "the API server does not offer it for this resource"
)]
pub trait List {}

/// Objects can be watched.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no verb `watch`",
    note = "the API server does not offer it for this resource"
)]
pub trait Watch {}

/// Objects can be created.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no verb `create`",
    note = "the API server does not offer it for this resource"
)]
pub trait Create {}

/// Objects can be replaced.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no verb `update`",
    note = "the API server does not offer it for this resource"
)]
pub trait Update {}

/// Objects can be patched.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no verb `patch`",
    note = "the API server does not offer it for this resource"
)]
pub trait Patch {}

/// Objects can be deleted.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no verb `delete`",
    note = "the API server does not offer it for this resource"
)]
pub trait Delete {}

/// Many objects can be deleted at once.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no verb `deletecollection`",
    note = "the API server does not offer it for this resource"
)]
pub trait DeleteCollection {}

/// The kind has a status that is written apart.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no subresource `status`",
    note = "the API server does not offer it for this resource"
)]
pub trait Status {}

/// The kind can be scaled.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no subresource `scale`",
    note = "the API server does not offer it for this resource"
)]
pub trait Scale {}
