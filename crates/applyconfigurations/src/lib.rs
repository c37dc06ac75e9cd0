//! Configurations for server-side apply, in which nothing is set that was not said.
//!
//! An object's own type cannot tell a field that was left alone from one that was set to zero, and whoever applies
//! zero owns it. A configuration holds the fields that were set and no others: what is not in it is not owned, and
//! what was in it before and no longer is goes away.
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
//! - *Setters* take the configuration and give it back. A value takes the place of the one before; items of a list
//!   are added to those before; entries of a map are put among those before. What was set to nothing, such as
//!   `.args([])`, is set all the same.
//! - *Kinds* are made by their name, and their namespace if they have one; `apiVersion` and `kind` are always there.
//!   What may be said of an object's metadata is said on the kind itself, as `labels` is above.
//! - *From JSON and YAML* with `from_json`, `from_yaml` and `from_value`, or serde: fields that are not declared, or
//!   hold something else, are an error that says which.
//! - *From an object* with `extract`: what a field manager has applied to it, to be changed and applied again. For
//!   custom kinds, [`extract_applied`](klient_structured_merge::extract_applied) does so by their schema.
//! - *Nothing is checked beyond that.* What is missing or does not go together is the server's to say.
//!
//! Modules and setters are named as modules and fields of `klient-api`. Each API group is a feature; features only
//! add.

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

mod error;
mod extract;
mod fields;
#[allow(clippy::all, missing_docs)]
mod generated;
mod read;
mod show;
mod subject;

pub use error::{Error, ErrorKind};
pub use generated::*;

/// A JSON object.
pub type Map = serde_json::Map<String, serde_json::Value>;
