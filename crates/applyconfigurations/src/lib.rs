//! Configurations for server-side apply: they contain the fields that were set, and no others.
//!
//! The type of an object cannot tell a field that is unset from one set to zero, and a manager that applies a zero
//! owns the field. Fields that are not in a configuration are not owned; fields that its manager applied before and
//! that are no longer in it are removed.
//!
//! ```
//! # #[cfg(feature = "apps")] {
//! use klient_applyconfigurations::apps::v1::{Deployment, DeploymentSpec};
//! use klient_applyconfigurations::core::v1::{Container, PodSpec, PodTemplateSpec};
//! use klient_applyconfigurations::meta::v1::LabelSelector;
//!
//! let web = Deployment::new("web", "shop").labels([("app", "web")]).spec(
//!     DeploymentSpec::new()
//!         .replicas(3)
//!         .selector(LabelSelector::new().match_labels([("app", "web")]))
//!         .template(
//!             PodTemplateSpec::new()
//!                 .labels([("app", "web")])
//!                 .spec(PodSpec::new().containers([Container::new().name("web").image("nginx:1.29")])),
//!         ),
//! );
//! assert_eq!(web.as_map()["spec"]["template"]["spec"]["containers"][0]["image"], "nginx:1.29");
//! # }
//! ```
//!
//! - *Setters* take the configuration and return it. A value replaces the one before; items are appended to a list;
//!   entries are inserted into a map. An empty value, such as `.args([])`, sets the field too.
//! - *Kinds* are constructed with their name, and their namespace if they have one; `apiVersion` and `kind` are
//!   always set. Fields of the metadata are set on the kind itself, as `labels` is above.
//! - *From JSON and YAML* with `from_json`, `from_yaml` and `from_value`, or serde: fields that are not declared, or
//!   have a value of another type, are an error that names them.
//! - *From an object* with `extract`: the fields that a field manager has applied to it, to be changed and applied
//!   again.
//! - *No further validation.* The server checks required fields and their combinations.
//!
//! Custom kinds have configurations like these by `#[derive(ApplyConfiguration)]` of the facade, which makes one of a struct:
//! see [`Configurable`] for the types that their fields may have.
//!
//! Modules and setters have the names of modules and fields of `klient-api`. Each API group is a feature; features
//! are additive.

#![cfg_attr(
    not(feature = "all"),
    allow(
        dead_code,
        unused_imports,
        unused_macros,
        reason = "some values and kinds are those of a few groups only"
    )
)]

#[macro_use]
mod macros;

mod configurable;
#[doc(hidden)]
pub mod custom;
mod error;
mod extract;
mod fields;
#[allow(clippy::all, missing_docs)]
mod generated;
mod owner_reference;
mod read;
mod show;
mod subject;

pub use configurable::Configurable;
pub use error::{Error, ErrorKind};

include!("generated/exports.rs");

/// A JSON object.
pub type Map = serde_json::Map<String, serde_json::Value>;
