//! Server-side apply on JSON values: ownership of an object's fields by managers, and merging of applied
//! configurations.
//!
//! ```
//! use klient_apimachinery::Time;
//! use klient_structured_merge::{FieldManager, Map, Schema, Updater};
//! use serde_json::json;
//!
//! fn map(value: serde_json::Value) -> Map {
//!     value.as_object().cloned().expect("an object")
//! }
//!
//! let updater = Updater::of_one("apps/v1", Schema::builtin(&klient_schema::apps_v1::DEPLOYMENT));
//! let fields = FieldManager { updater: &updater, api_version: "apps/v1", ..FieldManager::default() };
//! let now = Time::from_unix(1_800_000_000);
//!
//! // Alice applies, Bob applies something else to the same field.
//! let config = map(json!({"metadata": {"name": "web"}, "spec": {"replicas": 3}}));
//! let live = fields.apply(&Map::new(), &config, "alice", false, now)?;
//! let other = map(json!({"metadata": {"name": "web"}, "spec": {"replicas": 5}}));
//! let error = fields.apply(&live, &other, "bob", false, now).unwrap_err();
//! assert_eq!(
//!     error.to_string(),
//!     "Apply failed with 1 conflict: conflict with \"alice\": .spec.replicas"
//! );
//!
//! // With force it becomes Bob's.
//! let live = fields.apply(&live, &other, "bob", true, now)?;
//! assert_eq!(live["spec"]["replicas"], 5);
//! assert_eq!(live["metadata"]["managedFields"][0]["manager"], "bob");
//! # Ok::<(), klient_structured_merge::Error>(())
//! ```
//!
//! - [`PathElement`], [`Path`], [`FieldSet`]: fields and sets of them, with the JSON of `managedFields`;
//! - [`Schema`]: the merge schema of a kind, from the tables of built-in types or a custom resource's definition;
//! - [`Typed`]: an object with its schema, and its operations: compare, merge, remove, extract;
//! - [`Updater`]: the effect of a write on the sets of all managers, over the versions of a kind;
//! - [`Manager`], [`Managers`]: the managers of an object and their fields, to and from `metadata.managedFields`;
//! - [`FieldManager`]: all of this for an object, as an API server does it;
//! - [`upgrade_managed_fields`]: migration from client-side apply to server-side apply.
//!
//! The crate has no I/O, no tasks and no clock: the current time is an argument.

mod conflict;
mod csa_upgrade;
mod element;
mod error;
mod extract;
mod field_manager;
mod filter;
mod manager;
mod path;
mod scale;
mod schema;
mod set;
mod typed;
mod updater;
mod value;

pub use conflict::{Conflict, Conflicts};
pub use csa_upgrade::{find_fields_owners, upgrade_managed_fields, upgrade_managed_fields_patch};
pub use element::{Key, PathElement};
pub use error::{ConvertError, Error, ErrorKind, ValidationError};
pub use extract::extract_applied;
pub use field_manager::{FieldManager, keep_times, manager_of_user_agent};
pub use filter::Filter;
pub use manager::{Manager, Managers, Operation, Owned};
pub use path::Path;
pub use scale::ScaleFields;
pub use schema::Schema;
pub use set::{FieldSet, Paths};
pub use typed::{Comparison, Duplicates, KeyFields, Typed};
pub use updater::{Applied, Convert, Updated, Updater, Version};

/// A JSON object.
pub type Map = serde_json::Map<String, serde_json::Value>;
