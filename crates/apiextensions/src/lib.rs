//! Custom resources: their definitions, and the schemas their objects follow.
//!
//! - [`definition`]: defaults, rules and status of CustomResourceDefinitions, and what is served of an accepted one;
//! - [`structural`]: the schema of a version, by which objects are pruned, defaulted and compared;
//! - [`jsonpath`]: the paths of printer columns and the like.
//!
//! Everything here computes over JSON values; nothing is stored and nothing waits.

mod accept;
mod address;
mod conversion;
mod data;
mod default;
pub mod definition;
#[cfg(test)]
mod definition_tests;
mod earlier;
mod embedded;
mod establish;
mod field_path;
mod format;
mod go_class;
mod go_escape;
mod go_regex;
pub mod jsonpath;
mod jsonpath_parser;
mod layout;
mod lists;
mod names;
mod number;
mod number_text;
mod openapi;
mod openapi_lists;
mod outcome;
mod path;
mod pattern;
mod presets;
mod prune;
mod scale;
mod schema;
mod served;
mod spec;
pub mod structural;
mod structure;
mod validate;
#[cfg(test)]
mod validate_tests;
pub mod version;
