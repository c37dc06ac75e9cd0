//! [`Subject`], what configurations of a type are of.

use std::fmt;

use klient_apimachinery::schema::{Schema, Type};

/// What configurations of a type are of: a kind, or a part of one.
#[derive(Clone, Copy)]
pub(crate) struct Subject {
    pub(crate) api_version: &'static str,
    pub(crate) name: &'static str,
    /// Whether it has an `apiVersion` and a `kind`.
    pub(crate) is_kind: bool,
    pub(crate) table: &'static Schema,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.api_version, self.name)
    }
}

/// Whether structs of a table say their `apiVersion` and `kind`, wherever they stand.
pub(crate) fn is_kind(table: &Schema) -> bool {
    klient_schema::KINDS.iter().any(|(_, _, other)| *other == table)
}

/// The struct that a value is if it is a JSON object.
pub(crate) fn table_of(ty: Type) -> Option<&'static Schema> {
    match ty {
        Type::Message(table)
        | Type::SchemaOrArray(table)
        | Type::SchemaOrBool(table)
        | Type::SchemaOrStringArray(table) => Some(table),
        _ => None,
    }
}
