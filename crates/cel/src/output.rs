//! [`Output`], the value of an expression, and its forms in JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use klient_apimachinery::go::quoted;
use serde_json::{Map as JsonMap, Value as Json};

use crate::value::{List, Map, Object, Value, duration_text};

/// The largest integer that JavaScript represents exactly; beyond it protobuf's JSON has strings.
const SAFE_INTEGER: i64 = (1 << 53) - 1;

/// The value of an expression.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Output {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A string.
    String(String),
    /// An `Object`, or the problem with it.
    Configuration(Result<Json, String>),
    /// The operations of a list of `JSONPatch`, or the problem with them.
    Patch(Result<Vec<Json>, String>),
    /// A value of another type, as messages show it.
    Other(String),
}

/// The output for a value.
pub(crate) fn output(value: &Value<'_>) -> Output {
    match value {
        Value::Null => Output::Null,
        Value::Bool(value) => Output::Bool(*value),
        Value::String(text) => Output::String(text.to_string()),
        Value::Object(object) if !object.is_patch() => Output::Configuration(configuration(object)),
        Value::List(list) if is_patch(list) => Output::Patch(patch(list)),
        other => Output::Other(crate::show::show(other)),
    }
}

fn is_patch(list: &List<'_>) -> bool {
    list.iter().next().is_some_and(|item| matches!(item, Ok(Value::Object(object)) if object.is_patch()))
}

fn configuration(object: &Object<'_>) -> Result<Json, String> {
    check_names(object)?;
    of_object(object).map(|fields| without_nulls(Json::Object(fields)))
}

/// Zeros in the place of nulls, which Kubernetes takes for members of protobuf's enumeration of nulls.
fn without_nulls(value: Json) -> Json {
    match value {
        Json::Null => 0.into(),
        Json::Array(items) => items.into_iter().map(without_nulls).collect(),
        Json::Object(fields) => {
            Json::Object(fields.into_iter().map(|(name, value)| (name, without_nulls(value))).collect())
        }
        other => other,
    }
}

fn patch(list: &List<'_>) -> Result<Vec<Json>, String> {
    let operation = |item: crate::failure::Result<Value<'_>>| {
        let Ok(Value::Object(object)) = item else {
            return Err(
                "type mismatch: JSONPatchType.expression should evaluate to array of JSONPatch".to_owned()
            );
        };
        let mut operation = JsonMap::new();
        for (name, value) in &object.fields {
            // An empty `from` is none.
            if name == "from" && matches!(value, Value::String(text) if text.is_empty()) {
                continue;
            }
            if let Value::Object(inner) = value {
                check_names(inner)?;
            }
            let converted = of_value(value).map_err(|problem| {
                format!(
                    "JSONPath valueExpression evaluated to a type that could not marshal to JSON: {problem}"
                )
            })?;
            operation.insert(name.clone(), safe(converted));
        }
        for required in ["op", "path"] {
            operation.entry(required).or_insert_with(|| Json::from(""));
        }
        Ok(Json::Object(operation))
    };
    list.iter().map(operation).collect()
}

/// Integers that protobuf's JSON has as strings.
fn safe(value: Json) -> Json {
    match value {
        Json::Number(number) if number.as_i64().is_some_and(|int| int.abs() > SAFE_INTEGER) => {
            Json::String(number.to_string())
        }
        Json::Array(items) => items.into_iter().map(safe).collect(),
        Json::Object(fields) => {
            Json::Object(fields.into_iter().map(|(name, value)| (name, safe(value))).collect())
        }
        other => other,
    }
}

/// Checks that the names of types are the paths of the fields that have them.
fn check_names(object: &Object<'_>) -> Result<(), String> {
    let mut problems = Vec::new();
    check_object(object, &object.name, &mut problems);
    if problems.is_empty() { Ok(()) } else { Err(format!("type mismatch: {}", problems.join("\n"))) }
}

fn check_object(object: &Object<'_>, path: &str, problems: &mut Vec<String>) {
    if *object.name != *path {
        problems.push(format!(
            "unexpected type name {}, expected {}, which matches field name path from root Object type",
            quoted(&*object.name),
            quoted(path)
        ));
    }
    for (name, value) in &object.fields {
        check_value(value, &format!("{path}.{name}"), problems);
    }
}

fn check_value(value: &Value<'_>, path: &str, problems: &mut Vec<String>) {
    match value {
        Value::Object(object) => check_object(object, path, problems),
        Value::List(List::Items(items)) => {
            items.iter().for_each(|item| check_value(item, path, problems));
        }
        Value::Map(map @ Map::Entries(_)) => {
            for key in map.keys() {
                if let Ok(Some(value)) = map.find(&key) {
                    check_value(&value, path, problems);
                }
            }
        }
        _ => {}
    }
}

fn of_object(object: &Object<'_>) -> Result<JsonMap<String, Json>, String> {
    object.fields.iter().map(|(name, value)| Ok((name.clone(), of_value(value)?))).collect()
}

fn of_value(value: &Value<'_>) -> Result<Json, String> {
    Ok(match value {
        Value::Null | Value::Optional(None) => Json::Null,
        Value::Bool(value) => (*value).into(),
        Value::Int(number) => (*number).into(),
        Value::Uint(number) => (*number).into(),
        Value::Double(number) if number.fract() == 0.0 && number.abs() <= SAFE_INTEGER as f64 => {
            (*number as i64).into()
        }
        Value::Double(number) => (*number).into(),
        Value::String(text) => Json::from(&**text),
        Value::Bytes(bytes) => STANDARD.encode(bytes).into(),
        Value::Duration(nanos) => duration_text(*nanos).into(),
        Value::Timestamp(time) => time.to_string().into(),
        Value::Preserved(value) => (*value).clone(),
        Value::Map(Map::Json { fields, .. }) => Json::Object((*fields).clone()),
        Value::List(List::Json { items, .. }) => Json::Array(items.to_vec()),
        Value::Optional(Some(value)) => of_value(value)?,
        Value::Object(object) => Json::Object(of_object(object)?),
        Value::List(list) => {
            let items = list.iter().map(|item| of_value(&item.map_err(|failure| failure.to_string())?));
            Json::Array(items.collect::<Result<_, String>>()?)
        }
        Value::Map(map) => {
            let mut fields = JsonMap::new();
            for key in map.keys() {
                let Value::String(name) = &key else {
                    let (shown, ty) = (crate::show::show(&key), key.type_name());
                    return Err(format!("map key {} is of type {ty}, not string", quoted(&shown)));
                };
                let value = map.find(&key).map_err(|failure| failure.to_string())?.unwrap_or(Value::Null);
                fields.insert(name.to_string(), of_value(&value)?);
            }
            Json::Object(fields)
        }
        other => return Err(format!("unsupported type {}", other.type_name())),
    })
}
