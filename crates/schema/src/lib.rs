//! Schemas of all built-in Kubernetes types, and all built-in resources, as static tables.
//!
//! Each struct has a `static` with its fields, their presence, protobuf numbers and merge rules; [`RESOURCES`] has the
//! names, scope, verbs and subresources of each resource. The tables contain no code, and the linker drops those that a
//! program does not use.

#[allow(missing_docs, clippy::all)]
mod generated;

pub use generated::*;
use klient_apimachinery::schema::{ResourceSchema, Schema};

/// The meaning of a struct and of its fields, in klient's words.
#[derive(Debug)]
pub struct Description {
    /// The struct, such as `core/v1.Pod`.
    pub of: &'static str,
    /// Its meaning; empty if only fields are described.
    pub meaning: &'static str,
    /// The names and meanings of fields, sorted.
    pub fields: &'static [(&'static str, &'static str)],
}

/// A struct of which one field may be set, as OpenAPI declares it.
#[derive(Debug)]
pub struct Union {
    /// The struct, such as `core/v1.SeccompProfile`.
    pub of: &'static str,
    /// The field that names the one that is set; empty without.
    pub discriminator: &'static str,
    /// The fields, sorted.
    pub fields: &'static [&'static str],
}

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
