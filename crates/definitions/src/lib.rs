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
//! | `x_kube(validation = …)` of a field or a struct, with `KubeSchema` | `validation:XValidation` at a field or a type | `#[resource(rule("…"))]` of a field, or of a struct that derives `ResourceSchema` |
//! | `merge_strategy = ListMerge::…` | `listType`, `listMapKey` | `#[resource(list_type = "map", list_map_keys("name"))]` |
//! | `merge_strategy = MapMerge::…`, `StructMerge::…` | `mapType`, `structType` | `#[resource(map_type = "atomic")]`, `struct_type = "atomic"` |
//! | `annotation`, `label` | `metadata:annotations`, `metadata:labels` | `annotation("…", "…")`, `label("…", "…")` |
//! | `doc = "…"` | the comment of the type | the comment of the struct |
//! | `deprecated` | `deprecatedversion` | `deprecated` or `deprecated = "…"` |
//! | `served = false` | `unservedversion` | `not_served` |
//! | `storage`, `merge_crds` | `storageversion` | the second argument of [`Definition::merge`] |
//! | | `spec.conversion` by a kustomize patch | [`Definition::conversion_webhook`] |
//! | `derive = "…"` | | `derive(…)` |
//! | `struct = "…"` | | `kind`: the objects' struct has its name |
//! | `attr = "…"` | | none: the struct of the objects has no attributes of its own |
//! | | `object:root`, `object:generate` | none: the derive makes both, and `Clone` is the deep copy |
//! | | `groupName`, `versionName` of a package | `group`, `version` of each struct |
//! | | `skipversion` | a version that [`Definition::merge`] is not given |
//! | | `example`, `title`, `externalDocs` | none: the comment of the field |
//! | | `rbac` | none: the operator's manifests |
//! | | `webhook` | [`klient::webhook`](https://docs.rs/klient/latest/klient/webhook/index.html) |
//! | `#[schemars(range(…))]`, `length`, `regex` | `validation:Minimum`, `MaxLength`, `MinItems`, `Pattern` | the same attributes of schemars |
//! | `#[schemars(extend(…))]` | `validation:MultipleOf`, `ExclusiveMinimum`, `MaxProperties`, `Format` | the same attribute: `extend("multipleOf" = 5)`, `extend("exclusiveMinimum" = 0)` |
//! | | `validation:items:…` | the same attributes of a type of the items, such as `struct Name(String)` |
//! | | `validation:UniqueItems` | `#[resource(list_type = "set")]`: servers refuse `uniqueItems` |
//! | | `validation:AtMostOneOf`, `ExactlyOneOf` | an enum with fields, or a rule such as `rule("[has(self.a), has(self.b)].filter(x, x).size() == 1")` |
//! | | `validation:Type`, `Schemaless` | `#[schemars(with = "…")]`; `serde_json::Value` |
//! | an enum | `validation:Enum` | an enum |
//! | `#[serde(default)]` | `default` | `#[serde(default)]`, or `#[resource(default = 3)]` for a default that only the server gives |
//! | `Option` | `optional`, `nullable` | `Option`, which is nullable, or `#[resource(nullable)]`; a field with a default need not be there |
//! | `serde_json::Value` | `pruning:PreserveUnknownFields` | `serde_json::Value`, a map that is flattened, or `#[resource(preserve_unknown_fields)]` |
//! | | `validation:EmbeddedResource` | `#[resource(embedded_resource)]` |
//! | `IntOrString` | `XIntOrString` | `IntOrString`, an untagged enum of an integer and a string, or `#[resource(int_or_string)]` |
//! | | `applyconfiguration-gen` | `apply`, and `#[derive(ApplyConfiguration)]` of the structs within |
//! | `cel`, for checks by the client | | an embedded server in a test |
//! | `schema = "manual"` | | a [`Declaration`] |
//! | `crates(kube = "…")` | | `klient = …` |
//! | `crds()`, `ServerSideApply` by hand | `make install` | [`Definitions::install`] |
//! | `crd()` | | [`Defined::definition`], and [`Definition::build`] or [`Definition::to_yaml`] |
//!
//! ## What is written differently
//!
//! The definitions of the same structs by kube-derive 5.0 and by klient differ in these points, which a test compares for 32
//! shapes of structs:
//!
//! - *the object*: its description is that of the struct, not `Auto-generated derived type for …`; there is no title, and
//!   the kind of lists is named;
//! - *the status* is not nullable, as kubebuilder has it: a status that is absent is left out;
//! - *formats of integers* are `int32` and `int64`, with the limits of the Rust type, since others mean nothing to Kubernetes;
//! - *a set* of scalars has the list type `set`, so that the server refuses duplicates;
//! - *an atomic struct* has `x-kubernetes-map-type`; kube-derive writes `x-kubernetes-struct-type`, which definitions do not have, and
//!   it is lost;
//! - *any value* keeps its fields by `x-kubernetes-preserve-unknown-fields`; without it and without a type, as kube-derive leaves
//!   a `serde_json::Value`, the schema is not structural;
//! - *an integer or a string*, as an untagged enum, has `x-kubernetes-int-or-string`; kube-derive writes alternatives without a
//!   type, which a server refuses;
//! - *an optional enum* has no null among its names, since `nullable` says it;
//! - *an optional enum with fields* has one property at least and at most, in place of `oneOf`, which null would violate;
//! - *an enum that is flattened and optional* has the fields of its variants, without an alternative that allows anything;
//! - *a tagged enum* has one field with all its tags; kube-derive panics;
//! - *the names of an enum* have their comments in the description;
//! - *the words of a variant with fields*, its comment, are not written;
//! - *titles* are not written;
//! - *types of Kubernetes* have no descriptions, and the schema of quantities has their pattern, as controller-gen writes it.
//!
//! `KubeSchema` takes structs with named fields and without `#[serde(default)]` on the struct; `ResourceSchema` takes enums, tuples and
//! such structs, too.

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
