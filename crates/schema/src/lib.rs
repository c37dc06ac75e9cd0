//! Schemas of all built-in Kubernetes types, and all built-in resources, as static tables.
//!
//! Each struct has a `static` with its fields, their presence, protobuf numbers and merge rules; [`RESOURCES`] has the
//! names, scope, verbs and subresources of each resource. The tables contain no code, and the linker drops those that a
//! program does not use.

#[allow(missing_docs, clippy::all)]
mod generated;

pub use generated::*;
use klient_apimachinery::schema::{ResourceSchema, Schema};

/// Finds a resource by group, version and plural.
pub fn resource(group: &str, version: &str, plural: &str) -> Option<&'static ResourceSchema> {
    resources(group, version)?.iter().find(|resource| resource.plural == plural)
}

/// Returns the resources of a group-version.
pub fn resources(group: &str, version: &str) -> Option<&'static [ResourceSchema]> {
    RESOURCES.iter().copied().find(|resources| resources[0].group == group && resources[0].version == version)
}

/// Finds the schema of a kind.
pub fn kind(group: &str, version: &str, kind: &str) -> Option<&'static Schema> {
    let found = KINDS.iter().find(|(g, v, schema)| *g == group && *v == version && schema.name == kind);
    found.map(|(_, _, schema)| *schema)
}
