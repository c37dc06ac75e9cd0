//! [`Subject`], the type described by a configuration.

use std::fmt;

use klient_apimachinery::schema::{Schema, Type};

/// The type described by a configuration: a kind, or a struct within one.
#[derive(Clone, Copy)]
pub(crate) struct Subject {
    pub(crate) api_version: &'static str,
    pub(crate) name: &'static str,
    /// True if it has an `apiVersion` and a `kind`.
    pub(crate) is_kind: bool,
    pub(crate) table: &'static Schema,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.api_version, self.name)
    }
}

/// Returns true if structs of a table have an `apiVersion` and `kind`, even when nested.
pub(crate) fn is_kind(table: &Schema) -> bool {
    klient_schema::KINDS.iter().any(|(_, _, other)| *other == table)
}

/// The struct type of a JSON object.
pub(crate) fn table_of(ty: Type) -> Option<&'static Schema> {
    match ty {
        Type::Message(table)
        | Type::SchemaOrArray(table)
        | Type::SchemaOrBool(table)
        | Type::SchemaOrStringArray(table) => Some(table),
        _ => None,
    }
}
