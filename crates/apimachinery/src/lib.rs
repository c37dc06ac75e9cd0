//! What every Kubernetes object has in common.
//!
//! - [`meta::v1`]: `ObjectMeta`, `Status`, `LabelSelector` and the other types all groups share;
//! - [`Object`], [`Metadata`], [`Resource`], [`ResourceInfo`], [`verbs`] and [`Kind`]: what an object is, and what may
//!   be done with it;
//! - [`Unstructured`], [`List`], [`WatchEvent`]: objects of any kind, many of them, and how they change;
//! - [`ApplyConfiguration`]: what is wanted of an object;
//! - [`ListWatch`]: where the objects of a cache come from;
//! - [`Str`], [`Map`], [`Quantity`], [`IntOrString`], [`Time`]: what fields hold;
//! - [`codec`], [`message`], [`schema`]: how objects go over the wire, and the tables that say so.
//!
//! There is no I/O here and there are no tasks.

mod apply_configuration;
mod causes;
pub mod codec;
pub mod custom;
pub mod duration;
pub mod fields;
pub mod go;
#[allow(clippy::all, missing_docs)]
mod generated {
    pub(crate) mod meta_v1;
    pub(crate) mod meta_v1_schema;
}
pub mod jsonpath;
#[cfg(feature = "k8s-openapi")]
pub mod k8s_openapi;
pub mod labels;
mod list;
mod list_watch;
mod macros;
pub mod message;
pub mod meta;
mod object;
mod options;
pub mod patch;
mod resource;
pub mod schema;
mod scope;
mod unstructured;
pub mod validation;
mod value;
pub mod values;
pub mod verbs;
mod version;
mod watch;
pub mod yaml;

#[doc(hidden)]
pub use ::serde;
pub use apply_configuration::ApplyConfiguration;
pub use causes::WithCauses;
pub use list::List;
pub use list_watch::{BoxFuture, ListWatch, Listing, SourceError, Sources, Watching};
pub use message::Unknown;
pub use object::{Metadata, Object};
pub use options::{FieldValidation, ListOptions, VersionMatch, WatchOptions, WriteOptions};
pub use resource::{Kind, Resource, ResourceInfo};
pub use scope::{
    Addressable, AllNamespaces, Cluster, InNamespace, IntoPlace, Namespaced, NamespacedScope, Place, Scope,
    WholeCluster,
};
pub use unstructured::Unstructured;
pub use value::{
    ByteString, Duration, FieldsV1, IntOrString, InvalidBase64, InvalidValue, Json, Map, MapIter, MicroTime,
    Quantity, RawExtension, Str, Time,
};
pub use version::compare_resource_versions;
pub use watch::{Bookmark, INITIAL_EVENTS_END, WatchEvent};
