//! Kubernetes' built-in types, of every group and version.
//!
//! Modules and fields are named as in k8s-openapi: `core::v1::Pod`, `host_ip`, `type_`. What may be absent is an
//! `Option` (a boxed one for structs), lists and maps are plain and empty when absent, and every type has a
//! `Default`, so a literal names what it means to say and ends in `..Default::default()`:
//!
//! ```
//! # #[cfg(feature = "core")] {
//! use klient_api::core::v1::{Container, Pod, PodSpec};
//! use klient_apimachinery::meta::v1::ObjectMeta;
//!
//! let pod = Pod {
//!     metadata: ObjectMeta::named("web-0"),
//!     spec: PodSpec {
//!         containers: vec![Container { name: "web".into(), image: Some("nginx".into()), ..Default::default() }],
//!         ..Default::default()
//!     },
//!     ..Default::default()
//! };
//! let json = serde_json::to_value(&pod).expect("pods are JSON");
//! assert_eq!(json["spec"]["containers"][0]["image"], "nginx");
//! # }
//! ```
//!
//! There is one set of types for all Kubernetes versions. Fields that a newer server sends are kept and written
//! back. Each API group is a feature; features only add.

#[allow(clippy::all, missing_docs)]
mod generated;
#[cfg(feature = "core")]
mod object_reference;

include!("generated/exports.rs");
