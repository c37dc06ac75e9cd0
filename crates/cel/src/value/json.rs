//! JSON values as values of CEL, by their schema.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use klient_apimachinery::go::quoted;
use serde_json::Value as Json;

use super::{List, Map, Timestamp, Value};
use crate::failure::{Failure, Result};
use crate::format::Format;
use crate::schema::{Keys, Schema, SchemaKind, StringFormat};

pub(super) fn read<'a>(value: &'a Json, schema: &'a Schema) -> Result<Value<'a>> {
    if value.is_null() {
        return if schema.nullable {
            Ok(Value::Null)
        } else {
            Err(invalid("invalid data, got null for schema with nullable=false"))
        };
    }
    match (&schema.kind, value) {
        (SchemaKind::IntOrString, Json::String(text)) => Ok(Value::string(text.as_str())),
        (SchemaKind::IntOrString, Json::Number(number)) if number.is_i64() => {
            Ok(Value::Int(number.as_i64().unwrap_or_default()))
        }
        (SchemaKind::IntOrString, _) => {
            Err(invalid("invalid data, expected XIntOrString value to be either a string or integer"))
        }
        (SchemaKind::Object(_) | SchemaKind::Map(_) | SchemaKind::Fieldless, Json::Object(fields)) => {
            Ok(Value::Map(Map::Json { fields, schema }))
        }
        (SchemaKind::Object(_) | SchemaKind::Map(_) | SchemaKind::Fieldless, _) => {
            Err(invalid("invalid data, expected a map for the provided schema with type=object"))
        }
        (SchemaKind::List(item, keys), Json::Array(items)) => {
            Ok(Value::List(List::Json { items, schema: item, keys }))
        }
        (SchemaKind::List(..), _) => {
            Err(invalid("invalid data, expected an array for the provided schema with type=array"))
        }
        (SchemaKind::Unlisted, _) => {
            Err(invalid("invalid array type, expected Items with a non-empty Schema"))
        }
        (SchemaKind::String(format), Json::String(text)) => string(text, *format),
        (SchemaKind::Number, Json::Number(number)) => Ok(Value::Double(number.as_f64().unwrap_or_default())),
        (SchemaKind::Integer, Json::Number(number)) if number.is_i64() => {
            Ok(Value::Int(number.as_i64().unwrap_or_default()))
        }
        (SchemaKind::Boolean, Json::Bool(value)) => Ok(Value::Bool(*value)),
        (SchemaKind::Dynamic, _) => Ok(dynamic(value)),
        (SchemaKind::Untyped { preserved: true }, _) => Ok(Value::Preserved(value)),
        (SchemaKind::Untyped { preserved: false }, _) => Err(invalid(
            "invalid type, expected object, array, number, integer, boolean or string, or no type with x-kubernetes-int-or-string or x-kubernetes-preserve-unknown-fields is true, got ",
        )),
        (SchemaKind::String(_), _) => Err(unexpected("string", value)),
        (SchemaKind::Number, _) => Err(unexpected("float", value)),
        (SchemaKind::Integer, _) => Err(unexpected("int", value)),
        (SchemaKind::Boolean, _) => Err(unexpected("bool", value)),
    }
}

/// JSON as it is.
pub(super) fn dynamic(value: &Json) -> Value<'_> {
    match value {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => match number.as_i64() {
            Some(number) => Value::Int(number),
            None => Value::Double(number.as_f64().unwrap_or_default()),
        },
        Json::String(text) => Value::string(text.as_str()),
        Json::Array(items) => Value::List(List::Json { items, schema: &DYNAMIC, keys: &Keys::None }),
        Json::Object(fields) => Value::Map(Map::Json { fields, schema: &DYNAMIC }),
    }
}

static DYNAMIC: Schema = Schema::DYNAMIC;

fn invalid(message: &str) -> Failure {
    Failure::error(message)
}

fn unexpected(expected: &str, value: &Json) -> Failure {
    let got = match value {
        Json::Null => "<nil>",
        Json::Bool(_) => "bool",
        Json::Number(number) if number.is_i64() => "int64",
        Json::Number(_) => "float64",
        Json::String(_) => "string",
        Json::Array(_) => "[]interface {}",
        Json::Object(_) => "map[string]interface {}",
    };
    Failure::Error(format!("invalid data, expected {expected}, got {got}"))
}

fn string(text: &str, format: StringFormat) -> Result<Value<'_>> {
    match format {
        StringFormat::Plain => Ok(Value::string(text)),
        StringFormat::Byte => {
            let decoded = STANDARD.decode(text);
            let decoded = decoded.map_err(|_| {
                Failure::Error(format!("Invalid byte formatted string {text}: illegal base64 data"))
            })?;
            Ok(Value::Bytes(decoded.into()))
        }
        StringFormat::Duration => {
            let nanos = crate::format::duration(text).ok_or_else(|| {
                let reason = format!("unable to parse {} as duration", quoted(text));
                Failure::Error(format!("Invalid duration {text}: {reason}"))
            })?;
            Ok(Value::Duration(nanos))
        }
        StringFormat::Date => {
            let date = Format::Date.matches(text).then(|| format!("{text}T00:00:00Z"));
            let time = date.and_then(|date| Timestamp::parse(&date));
            let time = time.ok_or_else(|| Failure::Error(format!("Invalid date formatted string {text}")))?;
            Ok(Value::Timestamp(time))
        }
        StringFormat::DateTime => {
            let time = Timestamp::parse_lenient(text);
            let time = time.ok_or_else(|| {
                Failure::Error(format!("Invalid date-time formatted string {text}: {}", time_problem(text)))
            })?;
            Ok(Value::Timestamp(time))
        }
    }
}

/// The problem of a time in Go's words, with the last form that it tries: one without an offset.
fn time_problem(text: &str) -> String {
    const FORM: &str = "2006-01-02T15:04:05";
    let shown = quoted(text);
    match text.split_at_checked(10) {
        Some((_, rest)) if !rest.starts_with('T') => {
            format!("parsing time {shown} as \"{FORM}\": cannot parse {} as \"T\"", quoted(rest))
        }
        _ => {
            let rest = text.get(FORM.len()..).unwrap_or_default();
            format!("parsing time {shown}: extra text: {}", quoted(rest))
        }
    }
}
