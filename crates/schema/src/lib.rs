//! What is known of every built-in Kubernetes type and resource, as static tables.
//!
//! One `static` per struct says its fields, their presence, protobuf numbers and merge rules; [`RESOURCES`] says
//! what is served under which name. The tables hold no code, and what a program does not use of them is not linked.

#[allow(missing_docs, clippy::all)]
mod generated;

pub use generated::*;
use klient_apimachinery::schema::{ResourceSchema, Schema};

/// The resource served under `plural` in a group-version.
pub fn resource(group: &str, version: &str, plural: &str) -> Option<&'static ResourceSchema> {
    resources(group, version)?.iter().find(|resource| resource.plural == plural)
}

/// The resources of a group-version.
pub fn resources(group: &str, version: &str) -> Option<&'static [ResourceSchema]> {
    RESOURCES.iter().copied().find(|resources| resources[0].group == group && resources[0].version == version)
}

/// The struct of a kind.
pub fn kind(group: &str, version: &str, kind: &str) -> Option<&'static Schema> {
    let found = KINDS.iter().find(|(g, v, schema)| *g == group && *v == version && schema.name == kind);
    found.map(|(_, _, schema)| *schema)
}
