//! [`Output`], the value of an expression, and its forms in JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use klient_apimachinery::go::quoted;
use serde_json::{Map as JsonMap, Value as Json};

use crate::steps::Steps;
use crate::value::{List, Map, Object, Value, duration_text};

/// The largest integer that JavaScript represents exactly; beyond it protobuf's JSON has strings.
const SAFE_INTEGER: i64 = (1 << 53) - 1;

/// The size of an output in bytes, as that of a request.
const OUTPUT_MAX: usize = 3 * 1024 * 1024;

/// The parts of a value of another type that are shown.
const SHOWN_MAX: u64 = 1_000_000;

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
    /// A value of another type, as messages show it: its type alone if it is too large.
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
        other => Output::Other(match Steps::timeless(SHOWN_MAX).take_parts(other, 1) {
            Ok(()) => crate::show::show(other),
            Err(_) => other.type_name().to_owned(),
        }),
    }
}

fn is_patch(list: &List<'_>) -> bool {
    list.iter().next().is_some_and(|item| matches!(item, Ok(Value::Object(object)) if object.is_patch()))
}

fn configuration(object: &Object<'_>) -> Result<Json, String> {
    let mut room = Room::default();
    check_names(object, &mut room)?;
    of_object(object, &mut room).map(|fields| without_nulls(Json::Object(fields)))
}

/// The bytes that an output may still take, of [`OUTPUT_MAX`]. A value refers to others, maybe many times to one, but its
/// JSON has each of them: small expressions have values whose JSON no memory has room for.
struct Room(usize);

impl Default for Room {
    fn default() -> Self {
        Room(OUTPUT_MAX)
    }
}

impl Room {
    /// Takes the bytes of a value and the byte that separates it from the next one.
    fn take(&mut self, bytes: usize) -> Result<(), String> {
        let left = self.0.checked_sub(bytes.saturating_add(2));
        self.0 = left.ok_or_else(|| format!("the value exceeds {OUTPUT_MAX} bytes"))?;
        Ok(())
    }

    /// Takes the bytes of JSON that is copied.
    fn take_json(&mut self, value: &Json) -> Result<(), String> {
        match value {
            Json::String(text) => self.take(text.len()),
            Json::Array(items) => {
                self.take(0)?;
                items.iter().try_for_each(|item| self.take_json(item))
            }
            Json::Object(fields) => self.take_fields(fields),
            _ => self.take(0),
        }
    }

    fn take_fields(&mut self, fields: &JsonMap<String, Json>) -> Result<(), String> {
        self.take(0)?;
        fields.iter().try_for_each(|(name, value)| {
            self.take(name.len())?;
            self.take_json(value)
        })
    }
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
    let mut room = Room::default();
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
                check_names(inner, &mut room)?;
            }
            let converted = of_value(value, &mut room).map_err(|problem| {
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
fn check_names(object: &Object<'_>, room: &mut Room) -> Result<(), String> {
    let mut problems = Vec::new();
    // The names have a room of their own, as they are not in the output.
    let mut names = Room(room.0);
    check_object(object, &mut object.name.to_string(), &mut problems, &mut names)?;
    if problems.is_empty() { Ok(()) } else { Err(format!("type mismatch: {}", problems.join("\n"))) }
}

fn check_object(
    object: &Object<'_>,
    path: &mut String,
    problems: &mut Vec<String>,
    room: &mut Room,
) -> Result<(), String> {
    room.take(0)?;
    if *object.name != *path {
        room.take(object.name.len() + path.len())?;
        problems.push(format!(
            "unexpected type name {}, expected {}, which matches field name path from root Object type",
            quoted(&*object.name),
            quoted(path.as_str())
        ));
    }
    for (name, value) in &object.fields {
        let len = path.len();
        path.push('.');
        path.push_str(name);
        check_value(value, path, problems, room)?;
        path.truncate(len);
    }
    Ok(())
}

fn check_value(
    value: &Value<'_>,
    path: &mut String,
    problems: &mut Vec<String>,
    room: &mut Room,
) -> Result<(), String> {
    room.take(0)?;
    match value {
        Value::Object(object) => check_object(object, path, problems, room),
        Value::List(List::Items(items)) => {
            items.iter().try_for_each(|item| check_value(item, path, problems, room))
        }
        Value::Map(map @ Map::Entries(_)) => map.keys().iter().try_for_each(|key| match map.find(key) {
            Ok(Some(value)) => check_value(&value, path, problems, room),
            _ => Ok(()),
        }),
        _ => Ok(()),
    }
}

fn of_object(object: &Object<'_>, room: &mut Room) -> Result<JsonMap<String, Json>, String> {
    room.take(0)?;
    let field = |(name, value): &(String, Value<'_>)| {
        room.take(name.len())?;
        Ok((name.clone(), of_value(value, room)?))
    };
    object.fields.iter().map(field).collect()
}

fn of_value(value: &Value<'_>, room: &mut Room) -> Result<Json, String> {
    let bytes = match value {
        Value::String(text) => text.len(),
        Value::Bytes(bytes) => bytes.len().div_ceil(3).saturating_mul(4),
        _ => 0,
    };
    room.take(bytes)?;
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
        Value::Preserved(value) => {
            room.take_json(value)?;
            (*value).clone()
        }
        Value::Map(Map::Json { fields, .. }) => {
            room.take_fields(fields)?;
            Json::Object((*fields).clone())
        }
        Value::List(List::Json { items, .. }) => {
            items.iter().try_for_each(|item| room.take_json(item))?;
            Json::Array(items.to_vec())
        }
        Value::Optional(Some(value)) => of_value(value, room)?,
        Value::Object(object) => Json::Object(of_object(object, room)?),
        Value::List(list) => {
            let items = list.iter().map(|item| of_value(&item.map_err(|failure| failure.to_string())?, room));
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
                room.take(name.len())?;
                fields.insert(name.to_string(), of_value(&value, room)?);
            }
            Json::Object(fields)
        }
        other => return Err(format!("unsupported type {}", other.type_name())),
    })
}
