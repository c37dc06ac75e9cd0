//! CustomResourceDefinitions from Rust structs.
//!
//! A [`Definition`] has the names of a resource and the schemas of its objects. The schemas are those that
//! [schemars](https://docs.rs/schemars) derives from a struct with serde's attributes, made structural as a server requires.
//! `#[derive(CustomResource)]` of the facade writes all of it. [`Definitions::install`] brings it to a cluster.
//!
//! # Coming from kube-derive or kubebuilder
//!
//! | kube-derive | kubebuilder | klient |
//! |---|---|---|
//! | `group`, `version`, `kind` | `groupversion_info.go`, the type | `group`, `version`, `kind` |
//! | `plural`, `singular` | `resource:path`, `resource:singular` | `plural`, `singular` |
//! | `shortname`, `category` | `resource:shortName`, `resource:categories` | `short_name`, `category` |
//! | `namespaced` | `resource:scope=Cluster` | `scope = Cluster`; a resource is namespaced by default, as with kubebuilder |
//! | `status = "T"` | `subresource:status` | `status = T` |
//! | `scale(…)` | `subresource:scale:…` | `scale(spec = "…", status = "…", selector = "…")` |
//! | `printcolumn(…)` | `printcolumn:…` | `column(name = "…", type = "…", path = "…")` |
//! | `selectable` | `selectablefield:JSONPath` | `selectable_field` |
//! | `validation = "…"`, `rule` | `validation:XValidation` at the type | `rule("…", message = "…")` |
//! | `x_kube(validation = …)` of a field | `validation:XValidation` at a field | `#[schemars(extend("x-kubernetes-validations" = […]))]` |
//! | `x_kube(merge_strategy = …)` | `listType`, `listMapKey` | `#[schemars(extend("x-kubernetes-list-type" = "map", …))]` |
//! | `deprecated` | `deprecatedversion` | `deprecated` or `deprecated = "…"` |
//! | `served = false` | `unservedversion` | `not_served` |
//! | `storage`, `merge_crds` | `storageversion` | the second argument of [`Definition::merge`] |
//! | | `spec.conversion` by a kustomize patch | [`Definition::conversion_webhook`] |
//! | `derive = "…"` | | `derive(…)` |
//! | `#[schemars(range(…))]`, `length`, `regex` | `validation:Minimum`, `MaxLength`, `Pattern` | the same attributes of schemars |
//! | an enum | `validation:Enum` | an enum |
//! | `#[serde(default)]` | `default` | `#[serde(default)]` |
//! | `Option` | `optional`, `nullable` | `Option`, which is nullable; a field with a default need not be there |
//! | `serde_json::Value` | `pruning:PreserveUnknownFields` | `serde_json::Value`, or a map that is flattened |
//! | `IntOrString` | `XIntOrString` | `IntOrString`, or an untagged enum of an integer and a string |
//! | `crds()`, `ServerSideApply` by hand | `make install` | [`Definitions::install`] |
//! | `crd()` | | [`Defined::definition`], and [`Definition::build`] or [`Definition::to_yaml`] |

mod declaration;
mod definition;
mod error;
mod install;
mod lost_fields;
mod structural;

pub use declaration::{Column, Declaration, Rule, Scale};
pub use definition::{Defined, Definition};
pub use error::Error;
pub use install::{Definitions, InstallOptions, Installed};

/// The JSON schema of a type, with all types in it in place.
#[doc(hidden)]
pub fn schema_of<T: schemars::JsonSchema>() -> schemars::Schema {
    let mut settings = schemars::generate::SchemaSettings::openapi3();
    settings.inline_subschemas = true;
    settings.meta_schema = None;
    settings.into_generator().into_root_schema_for::<T>()
}
