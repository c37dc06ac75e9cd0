//! Custom resources: their definitions, and the schemas their objects follow.
//!
//! - [`definition`]: defaults, rules and status of CustomResourceDefinitions, and what is served of an accepted one;
//! - [`structural`]: the schema of a version, by which objects are pruned, defaulted and compared;
//!
//! Everything here computes over JSON values; nothing is stored and nothing waits.

mod conversion;
mod data;
mod default;
mod default_validation;
pub mod definition;
#[cfg(test)]
mod definition_tests;
mod embedded;
mod field_path;
mod format;
mod go_class;
mod go_escape;
mod go_regex;
mod internal_version;
mod lists;
mod names;
mod naming;
mod number;
mod openapi;
mod openapi_lists;
mod path;
mod pattern;
mod prune;
mod ratcheting;
mod scale;
mod schema;
mod served;
mod spec;
pub mod structural;
mod validate;
#[cfg(test)]
mod validate_tests;
mod validation;
mod validation_result;
pub mod version;
