//! Generates klient's built-in types, schema tables, apply configurations and clientset from one facts file.
//!
//! The facts file ([`Facts`]) is a compact, diffable text of everything the generators need to know about
//! Kubernetes' API: every message and field with its JSON name, presence, protobuf number, list and merge
//! facts, and every resource with its scope, verbs, subresources and table columns. [`import`] makes it from
//! a server's OpenAPI and discovery documents and the field lists of the Go modules; [`generate`] turns it
//! into Rust. Moving to the next Kubernetes minor is: import, generate, commit.
//!
//! The meaning of the structs and fields that are opened most is a second file of sentences ([`Facts::document`]),
//! which becomes their documentation.

mod apply;
mod clientset;
mod documentation;
mod facts;
mod file;
mod generate;
mod import;
pub mod names;
mod openapi;
mod openapi_facts;
mod schema;
mod types;

pub use documentation::DocumentationError;
pub use facts::{Column, Facts, Field, Member, Message, Package, ParseError, Resource, Subresource, Type};
pub use file::GeneratedFile;
pub use generate::{features, generate};
pub use import::{ImportError, import, import_bootstrap};
pub use openapi_facts::openapi_facts;
