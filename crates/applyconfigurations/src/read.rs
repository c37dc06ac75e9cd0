//! Parsing and validation of configurations.

use klient_apimachinery::schema::{Schema as Table, Type};
use klient_apimachinery::yaml;
use klient_structured_merge::{Duplicates, Schema, Typed};
use serde::de::{Deserialize as _, Deserializer, Error as _};
use serde_json::Value;

use crate::error::{Error, Problem};
use crate::fields::Fields;
use crate::subject::{Subject, table_of};

/// Parses JSON.
///
/// # Errors
///
/// See `from_json` of a configuration.
pub fn from_json(json: &str, subject: &Subject) -> Result<Fields, Error> {
    let value = serde_json::from_str(json).map_err(|error| Error::syntax(subject, error))?;
    from_value(value, subject)
}

/// Parses YAML.
///
/// # Errors
///
/// See `from_yaml` of a configuration.
pub fn from_yaml(text: &str, subject: &Subject) -> Result<Fields, Error> {
    let value = yaml::single_document(text).map_err(|error| Error::syntax(subject, error))?;
    from_value(value, subject)
}

/// Validates a JSON value.
///
/// # Errors
///
/// See `from_value` of a configuration.
pub fn from_value(value: Value, subject: &Subject) -> Result<Fields, Error> {
    if subject.is_kind {
        check_kind(&value, subject)?;
    }
    let Value::Object(map) = value else {
        return Err(Error::invalid(subject, vec![Problem::new("", "expected a JSON object")]));
    };
    // The schema of an object allows these in its nested structs too.
    for name in ["apiVersion", "kind"] {
        if map.contains_key(name) && !subject.is_kind && !allows(subject.table, name) {
            let problem = Problem::new(&format!(".{name}"), "field not declared in schema");
            return Err(Error::invalid(subject, vec![problem]));
        }
    }
    let schema = Schema::builtin(subject.table);
    if let Err(error) = Typed::new(&map, &schema, Duplicates::Refuse) {
        return Err(invalid(subject, &error));
    }
    Ok(Fields(map))
}

/// Reads and validates a value.
///
/// # Errors
///
/// See `from_value` of a configuration.
pub fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
    subject: &Subject,
) -> Result<Fields, D::Error> {
    from_value(Value::deserialize(deserializer)?, subject).map_err(D::Error::custom)
}

/// Returns true if a struct has a field, or any.
fn allows(table: &'static Table, name: &str) -> bool {
    table.fields.is_empty() || table.field(name).is_some()
}

/// Rejects objects of other kinds and versions.
pub(crate) fn check_kind(object: &Value, subject: &Subject) -> Result<(), Error> {
    let text = |name: &str| object.get(name).and_then(Value::as_str).unwrap_or_default();
    let (api_version, kind) = (text("apiVersion"), text("kind"));
    if (api_version, kind) == (subject.api_version, subject.name) {
        return Ok(());
    }
    Err(Error::wrong_kind(subject, api_version, kind))
}

/// A violation of the schema, with secret values masked.
pub(crate) fn invalid(subject: &Subject, error: &klient_structured_merge::Error) -> Error {
    let problems = error.validation_errors().iter().map(|problem| {
        if is_secret(subject.table, &problem.path) {
            Problem::new(&problem.path, "expected something else than is there, which is not shown")
        } else {
            Problem::new(&problem.path, &problem.message)
        }
    });
    Error::invalid(subject, problems.collect())
}

/// Returns true if the value at a path, or one that contains it, is secret.
fn is_secret(table: &'static Table, path: &str) -> bool {
    let mut table = table;
    for step in path.split('.').skip(1) {
        let name = step.split('[').next().unwrap_or_default();
        let Some(field) = table.field(name) else { return false };
        if field.secret {
            return true;
        }
        let item = match field.ty {
            Type::List(item) => *item,
            ty => ty,
        };
        let Some(below) = table_of(item) else { return false };
        table = below;
    }
    false
}
