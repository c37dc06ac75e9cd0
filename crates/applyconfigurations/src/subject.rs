//! [`Subject`], the type described by a configuration.

use std::fmt;

use klient_apimachinery::schema::{Schema, Type};

/// The type described by a configuration: a kind, or a struct within one.
#[derive(Clone, Copy, Debug)]
pub struct Subject {
    /// Such as `apps/v1`; empty for a struct that is no part of a version, such as one of a program.
    pub api_version: &'static str,
    /// The kind, or the name of the struct.
    pub name: &'static str,
    /// True if it has an `apiVersion` and a `kind`.
    pub is_kind: bool,
    /// Its fields.
    pub table: &'static Schema,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let space = if self.api_version.is_empty() { "" } else { " " };
        write!(f, "{}{space}{}", self.api_version, self.name)
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
