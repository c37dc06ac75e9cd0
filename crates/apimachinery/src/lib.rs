//! API machinery: the types, encodings and rules that all Kubernetes objects share.
//!
//! - [`meta::v1`]: `ObjectMeta`, `Status`, `LabelSelector` and the other types all groups share;
//! - [`Object`], [`Metadata`], [`Resource`], [`ResourceInfo`], [`verbs`] and [`Kind`]: traits of objects and of the
//!   resources that serve them;
//! - [`Unstructured`], [`List`], [`WatchEvent`]: objects of any kind, lists of objects, and their changes;
//! - [`ApplyConfiguration`]: configurations for server-side apply;
//! - [`ListWatch`]: the source of a cache's objects;
//! - [`Str`], [`Map`], [`Quantity`], [`IntOrString`], [`Time`]: the types of fields;
//! - [`codec`], [`message`], [`schema`]: encoding and decoding, and the tables that drive them;
//! - [`log_value`], [`LogVerbosity`]: values with a form of their own in logs, and the verbosity of a log.
//!
//! The crate does no I/O and starts no tasks.

mod apply_configuration;
mod causes;
pub mod codec;
pub mod custom;
mod dependent;
pub mod duration;
pub mod fields;
pub mod go;
#[allow(clippy::all, missing_docs)]
mod generated {
    pub(crate) mod meta_v1;
    pub(crate) mod meta_v1_schema;
}
#[cfg(feature = "schemars")]
pub mod json_schema;
pub mod jsonpath;
#[cfg(feature = "k8s-openapi")]
pub mod k8s_openapi;
pub mod labels;
mod list;
mod list_watch;
pub mod log_value;
mod log_verbosity;
mod macros;
pub mod message;
pub mod meta;
mod object;
mod object_key;
mod object_kind;
mod options;
pub mod patch;
mod resource;
pub mod schema;
mod scope;
mod string_enum;
mod unstructured;
pub mod validation;
mod value;
pub mod values;
pub mod verbs;
mod version;
mod watch;
pub mod yaml;

#[doc(hidden)]
#[cfg(feature = "schemars")]
pub use ::schemars;
#[doc(hidden)]
pub use ::serde;
pub use apply_configuration::ApplyConfiguration;
pub use causes::WithCauses;
pub use dependent::Dependent;
pub use list::List;
pub use list_watch::{BoxFuture, ListWatch, Listing, SourceError, Sources, Watching};
pub use log_verbosity::LogVerbosity;
pub use message::Unknown;
pub use object::{Metadata, Object};
pub use object_key::{InvalidKey, ObjectKey};
pub use object_kind::ObjectKind;
pub use options::{FieldValidation, ListOptions, VersionMatch, WatchOptions, WriteOptions};
pub use resource::{Kind, Resource, ResourceInfo};
pub use scope::{
    Addressable, AllNamespaces, Cluster, InNamespace, IntoPlace, Namespaced, NamespacedScope, Place, Scope,
    WholeCluster,
};
pub use unstructured::Unstructured;
pub use value::{
    ByteString, Duration, FieldsV1, IntOrString, InvalidBase64, InvalidValue, Json, Map, MapIter, MicroTime,
    Quantity, RawExtension, Str, Time, VirtualClock,
};
pub use version::compare_resource_versions;
pub use watch::{Bookmark, INITIAL_EVENTS_END, WatchEvent};
