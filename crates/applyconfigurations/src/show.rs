//! `Debug` of configurations.

use std::fmt;

use klient_apimachinery::schema::{Schema, Type};
use serde_json::Value;

use crate::Map;
use crate::fields::Fields;
use crate::subject::{Subject, table_of};

/// Formats the fields with secrets masked.
///
/// # Errors
///
/// Those of the formatter.
pub fn debug(fields: &Fields, subject: &Subject, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "{} ", subject.name)?;
    fmt::Debug::fmt(&Struct(fields.as_map(), subject.table), f)
}

/// Writes JSON, including secrets.
///
/// # Errors
///
/// Those of the formatter.
pub fn display(fields: &Fields, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let json = serde_json::to_string(fields).expect("keys are strings and a String takes all bytes");
    f.write_str(&json)
}

struct Struct<'a>(&'a Map, &'static Schema);

impl fmt::Debug for Struct<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_map();
        for (name, value) in self.0 {
            match self.1.field(name) {
                Some(field) if field.secret => out.entry(name, &format_args!("***")),
                field => out.entry(name, &Typed(value, field.map(|field| field.ty))),
            };
        }
        out.finish()
    }
}

/// A value, with its type if known.
struct Typed<'a>(&'a Value, Option<Type>);

impl fmt::Debug for Typed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0, self.1) {
            (Value::Array(items), Some(Type::List(item))) => {
                f.debug_list().entries(items.iter().map(|value| Typed(value, Some(*item)))).finish()
            }
            (Value::Object(map), Some(Type::Map(item))) => {
                let entries = map.iter().map(|(name, value)| (name, Typed(value, Some(*item))));
                f.debug_map().entries(entries).finish()
            }
            (Value::Object(map), Some(ty)) if table_of(ty).is_some() => {
                table_of(ty).map_or(Ok(()), |table| fmt::Debug::fmt(&Struct(map, table), f))
            }
            (value, _) => write!(f, "{value}"),
        }
    }
}
