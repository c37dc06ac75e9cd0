//! CustomResourceDefinitions, and the schemas of their objects.
//!
//! - [`definition`]: defaults, validation and status of definitions, and the served form of an accepted one;
//! - [`structural`]: the schema of a version, for pruning, defaulting and validation;
//! - [`publish`]: the schema of a version in OpenAPI documents.
//!
//! The crate computes over JSON values; it has no storage and no tasks.

mod approval;
mod condition;
mod conversion;
mod data;
mod default;
mod default_validation;
pub mod definition;
#[cfg(test)]
mod definition_tests;
mod embedded;
mod expressions;
mod field_path;
mod internal_version;
mod lists;
mod names;
mod naming;
mod number;
mod openapi;
mod openapi_lists;
mod path;
mod prune;
pub mod publish;
mod ratcheting;
#[cfg(test)]
mod rule_tests;
mod rules;
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
mod validations;
pub mod version;
