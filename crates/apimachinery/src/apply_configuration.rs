//! [`ApplyConfiguration`], the configuration of an object for server-side apply.

use serde::Serialize;

use crate::{Object, Unstructured};

/// A configuration for server-side apply: `apiVersion`, `kind`, name, and the fields that the field manager is to own.
/// Fields that are not in it are left alone.
///
/// The crate `klient-applyconfigurations` has one for each built-in kind, and [`Unstructured`] is one of any kind. A kind
/// that a program derives has one by `#[resource(apply)]`, and one that it declares by `#[derive(ApplyConfiguration)]`. It may
/// also be any struct that serde writes as such an object:
///
/// ```
/// use klient_apimachinery::{ApplyConfiguration, Unstructured};
/// use serde::Serialize;
/// # use Unstructured as Gadget; // the custom kind's own type
///
/// #[derive(Serialize)]
/// #[serde(rename_all = "camelCase")]
/// struct GadgetConfiguration {
///     api_version: &'static str,
///     kind: &'static str,
///     metadata: serde_json::Value,
///     #[serde(skip_serializing_if = "Option::is_none")]
///     size: Option<u32>,
/// }
///
/// impl ApplyConfiguration for GadgetConfiguration {
///     type Object = Gadget;
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be applied",
    label = "this is no apply configuration",
    note = "an object's own type says zero where nothing is meant, and who applies zero owns it",
    note = "built-in kinds have configurations of the same names, such as `klient::apply::apps::v1::Deployment`; a kind of \
            your own has `WebsiteApplyConfiguration` by #[derive(CustomResource)] with #[resource(apply)], or by \
            #[derive(klient::ApplyConfiguration)] within `custom_resource!`"
)]
pub trait ApplyConfiguration: Serialize + Send + Sync {
    /// The type of the objects that it is applied to.
    type Object: Object;
}

impl ApplyConfiguration for Unstructured {
    type Object = Unstructured;
}
