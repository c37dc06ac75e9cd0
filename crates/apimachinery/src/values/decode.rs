//! Decoding of a value into the form of its type.

use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;

use super::embedded::embedded;
use super::{MAX_STRICT_ERRORS, Map, Numbers, names_its_kind, push_field};
use crate::go::{json_type, quoted};
use crate::schema::{Field, Schema, Type};
use crate::{ByteString, Duration, InvalidValue, MicroTime, Quantity, Time};

/// A decoded object, and its unknown fields.
#[derive(Debug, Default)]
pub struct Decoded {
    /// The object.
    pub object: Map,
    /// Paths such as `spec.containers[0].foo`.
    pub unknown: Vec<String>,
}

/// A field with a value of the wrong type, in Go's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnmarshalTypeError {
    /// The error of Go's JSON decoder.
    pub of_json: String,
    /// The error of upstream's converter of unstructured values, which reads the results of strategic merge patches.
    pub of_value: String,
    /// True for an integer that overflows the type of the field. Upstream's converter truncates it silently; here it is
    /// an error.
    pub overflows: bool,
    /// True for the error of a type that unmarshals itself: Go's JSON decoder ends there. After other errors it reads on, and
    /// tells the first of them if it comes to the end.
    ends: bool,
}

/// The error of a type that unmarshals itself.
impl From<String> for UnmarshalTypeError {
    fn from(problem: String) -> Self {
        UnmarshalTypeError { of_json: problem.clone(), of_value: problem, overflows: false, ends: true }
    }
}

/// The errors of the fields of a struct, or of the items of a list or map, of which each decoder tells one.
#[derive(Default)]
struct Mismatches<'a> {
    /// The error of Go's JSON decoder, and its place in the input.
    of_json: Option<(Place<'a>, UnmarshalTypeError)>,
    /// The error of the converter, which reads a struct in the order of its fields and ends at the first.
    of_value: Option<UnmarshalTypeError>,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Place<'a> {
    /// A field. The names in the input are mostly sorted.
    Name(&'a str),
    Index(usize),
}

impl<'a> Mismatches<'a> {
    fn add(&mut self, place: Place<'a>, mismatch: UnmarshalTypeError) {
        if self.of_value.as_ref().is_none_or(|first| first.overflows && !mismatch.overflows) {
            self.of_value = Some(mismatch.clone());
        }
        let is_told =
            self.of_json.as_ref().is_none_or(|(first_place, first)| match (first.ends, mismatch.ends) {
                (false, true) => true,
                (true, false) => false,
                _ => place < *first_place,
            });
        if is_told {
            self.of_json = Some((place, mismatch));
        }
    }

    fn told(self) -> Option<UnmarshalTypeError> {
        let (_, UnmarshalTypeError { of_json, ends, .. }) = self.of_json?;
        let UnmarshalTypeError { of_value, overflows, .. } = self.of_value?;
        Some(UnmarshalTypeError { of_json, of_value, overflows, ends })
    }
}

/// Brings an object into the form of its struct, without `apiVersion` and `kind`, which are removed.
///
/// # Errors
///
/// If a field has a value of the wrong type.
pub fn decode(object: Map, schema: &'static Schema) -> Result<Decoded, UnmarshalTypeError> {
    decode_with_numbers(object, schema, &Numbers::default())
}

/// Decodes as [`decode`] an object that was parsed from JSON, with its numbers as written.
///
/// # Errors
///
/// The same as those of [`decode`].
pub fn decode_with_numbers(
    mut object: Map,
    schema: &'static Schema,
    numbers: &Numbers,
) -> Result<Decoded, UnmarshalTypeError> {
    object.remove("apiVersion");
    object.remove("kind");
    let mut decoder =
        Decoder { numbers, path: String::new(), names: Vec::new(), within: "", unknown: Vec::new() };
    let object = decoder.message(object, schema)?;
    decoder.unknown.sort();
    Ok(Decoded { object, unknown: decoder.unknown })
}

/// The fields that Go writes of a struct with zero values.
pub fn empty(schema: &'static Schema) -> Map {
    decode(Map::new(), schema).unwrap_or_default().object
}

struct Decoder<'a> {
    numbers: &'a Numbers,
    /// The path with indices, for unknown fields.
    path: String,
    /// The path in Go's errors, which has names only.
    names: Vec<&'static str>,
    /// The struct around the field.
    within: &'static str,
    unknown: Vec<String>,
}

impl Decoder<'_> {
    fn message(&mut self, mut object: Map, schema: &'static Schema) -> Result<Map, UnmarshalTypeError> {
        let outer = std::mem::replace(&mut self.within, schema.name);
        let mut out = Map::new();
        let mut mismatches = Mismatches::default();
        for field in schema.fields {
            let given = object.remove(field.json).unwrap_or_default();
            let len = push_field(&mut self.path, field.json);
            let above = self.names.len();
            self.names.extend(embedded(schema.name, field.json));
            self.names.push(field.json);
            match self.field(given, field) {
                Ok(Some(value)) => drop(out.insert(field.json.to_owned(), value)),
                Ok(None) => {}
                Err(mismatch) => mismatches.add(Place::Name(field.json), mismatch),
            }
            self.names.truncate(above);
            self.path.truncate(len);
        }
        if let Some(mismatch) = mismatches.told() {
            self.within = outer;
            return Err(mismatch);
        }
        if !self.names.is_empty() && names_its_kind(schema) {
            object.remove("apiVersion");
            object.remove("kind");
            out.insert("apiVersion".to_owned(), "v1".into());
            out.insert("kind".to_owned(), schema.name.into());
        }
        for name in object.keys().take(MAX_STRICT_ERRORS - self.unknown.len()) {
            let len = push_field(&mut self.path, name);
            self.unknown.push(self.path.clone());
            self.path.truncate(len);
        }
        self.within = outer;
        Ok(out)
    }

    /// The value of a field as Go writes it; `None` if Go leaves it out.
    fn field(&mut self, value: Value, field: &'static Field) -> Result<Option<Value>, UnmarshalTypeError> {
        if value.is_null() {
            return Ok(absent(field));
        }
        let value = self.value(value, field.ty)?;
        let left_out =
            field.omit_empty && !field.pointer && !is_struct(field.ty) && is_zero(&value, field.ty);
        let not_set = value.is_null() && matches!(field.ty, Type::Time) && field.json == "creationTimestamp";
        Ok((!left_out && !not_set).then_some(value))
    }

    fn value(&mut self, value: Value, ty: Type) -> Result<Value, UnmarshalTypeError> {
        match (ty, value) {
            (Type::String, value @ Value::String(_)) | (Type::Bool, value @ Value::Bool(_)) => Ok(value),
            (Type::String | Type::Bool, value) => Err(self.mismatch(&value, ty)),
            (Type::Int32, value) => match self.integer(&value) {
                Some(number) if i32::try_from(number).is_ok() => Ok(number.into()),
                _ => Err(self.mismatch(&value, ty)),
            },
            (Type::Int64, value) => match self.integer(&value) {
                Some(number) => Ok(number.into()),
                None => Err(self.mismatch(&value, ty)),
            },
            (Type::Double, Value::Number(number)) if !self.numbers.is_beyond(&self.path) => {
                Ok(Value::Number(number))
            }
            (Type::Double, value) => Err(self.mismatch(&value, ty)),
            (Type::Bytes, Value::String(text)) => bytes(&text),
            (Type::Bytes, Value::Array(items)) => self.bytes_of(&items),
            (Type::Bytes, value) => Err(self.mismatch(&value, ty)),
            (Type::Time, Value::String(text)) => Ok(time::<Time>(&text)?),
            (Type::MicroTime, Value::String(text)) => Ok(time::<MicroTime>(&text)?),
            (Type::Time | Type::MicroTime, value) => Err(self.custom_type_error(&value, ty, "string")),
            (Type::Duration, Value::String(text)) => Ok(duration(&text)?),
            (Type::Duration, value) => Err(UnmarshalTypeError { ends: true, ..self.mismatch(&value, ty) }),
            (Type::Quantity, Value::Number(number)) => Ok(quantity(&self.numbers.text(&self.path, &number))?),
            (Type::Quantity, Value::String(text)) => Ok(quantity(text.trim())?),
            (Type::Quantity, value) => Ok(quantity(&value.to_string())?),
            (Type::IntOrString, value @ Value::String(_)) => Ok(value),
            (Type::IntOrString, value) => match self.integer(&value) {
                Some(number) if i32::try_from(number).is_ok() => Ok(number.into()),
                _ => Err(self.custom_type_error(&value, ty, "int32")),
            },
            (Type::Json | Type::RawExtension | Type::FieldsV1, _) if self.numbers.is_beyond(&self.path) => {
                Err(self.numbers.overflow_error().unwrap_or_default().into())
            }
            (Type::Json, value) => Ok(value),
            // Go keeps the bytes; those that are no set of fields are dropped later.
            (Type::FieldsV1, value) | (Type::RawExtension, value @ Value::Object(_)) => Ok(value),
            (Type::RawExtension, value) => Err(self.mismatch(&value, ty)),
            (Type::StringList, value) => self.value(value, Type::List(&Type::String)),
            (Type::SchemaOrArray(schema), Value::Array(items)) => {
                self.list(items, Type::Message(schema)).map_err(|mismatch| self.ending(mismatch))
            }
            // Go takes it for neither a schema nor a list.
            (Type::SchemaOrArray(_), Value::Bool(_) | Value::Number(_) | Value::String(_)) => Ok(Value::Null),
            (Type::SchemaOrBool(_), value @ Value::Bool(_)) => Ok(value),
            (Type::SchemaOrStringArray(_), Value::Array(items)) => {
                self.list(items, Type::String).map_err(|mismatch| self.ending(mismatch))
            }
            (Type::SchemaOrStringArray(_), Value::Bool(_) | Value::Number(_) | Value::String(_)) => {
                Ok(Value::Null)
            }
            (Type::Message(schema), Value::Object(object)) => self.message(object, schema).map(Value::Object),
            (
                Type::SchemaOrArray(schema) | Type::SchemaOrBool(schema) | Type::SchemaOrStringArray(schema),
                Value::Object(object),
            ) => self.message(object, schema).map(Value::Object).map_err(|mismatch| self.ending(mismatch)),
            (Type::List(item), Value::Array(items)) => self.list(items, *item),
            (Type::Map(value), Value::Object(entries)) => self.map(entries, *value),
            (ty, value) => Err(self.mismatch(&value, ty)),
        }
    }

    fn list(&mut self, items: Vec<Value>, item: Type) -> Result<Value, UnmarshalTypeError> {
        let mut mismatches = Mismatches::default();
        let mut out = Vec::with_capacity(items.len());
        for (index, value) in items.into_iter().enumerate() {
            let len = self.path.len();
            self.path.push_str(&format!("[{index}]"));
            match if value.is_null() { Ok(zero(item)) } else { self.value(value, item) } {
                Ok(value) => out.push(value),
                Err(mismatch) => mismatches.add(Place::Index(index), mismatch),
            }
            self.path.truncate(len);
        }
        mismatches.told().map_or(Ok(Value::Array(out)), Err)
    }

    fn map(&mut self, entries: Map, value: Type) -> Result<Value, UnmarshalTypeError> {
        let mut mismatches = Mismatches::default();
        let mut out = Map::new();
        for (index, (key, entry)) in entries.into_iter().enumerate() {
            let len = push_field(&mut self.path, &key);
            let entry = match (entry, value) {
                // It is stored as empty bytes.
                (Value::Null, Type::Bytes) => Ok("".into()),
                (Value::Null, value) => Ok(zero(value)),
                (entry, value) => self.value(entry, value),
            };
            self.path.truncate(len);
            match entry {
                Ok(entry) => drop(out.insert(key, entry)),
                Err(mismatch) => mismatches.add(Place::Index(index), mismatch),
            }
        }
        mismatches.told().map_or(Ok(Value::Object(out)), Err)
    }

    /// A number that is written as an integer. Go writes negative zero as one.
    fn integer(&self, value: &Value) -> Option<i64> {
        let Value::Number(number) = value else { return None };
        let is_zero = number.as_f64() == Some(0.0);
        number.as_i64().or_else(|| (is_zero && self.numbers.text(&self.path, number) == "-0").then_some(0))
    }

    /// The name of a wrong value in Go's errors. A number is shown if the field is numeric.
    fn name_of(&self, value: &Value, ty: Type) -> String {
        match value {
            Value::Number(number)
                if matches!(ty, Type::Int32 | Type::Int64 | Type::IntOrString | Type::Double) =>
            {
                format!("number {}", self.numbers.text(&self.path, number))
            }
            value => json_type(value).to_owned(),
        }
    }

    fn mismatch(&self, value: &Value, ty: Type) -> UnmarshalTypeError {
        let of_json = format!(
            "json: cannot unmarshal {} into Go struct field {}.{} of type {}",
            self.name_of(value, ty),
            self.within,
            self.names.join("."),
            go_name(ty)
        );
        let kind = match value {
            Value::Object(_) => "map",
            Value::Array(_) => "slice",
            Value::Bool(_) => "bool",
            Value::Number(number) if number.is_f64() => "float64",
            Value::Number(_) => "int64",
            _ => "string",
        };
        let is_whole = value.is_i64() || value.as_f64().is_some_and(|number| number.fract() == 0.0);
        let overflows = is_whole && matches!(ty, Type::Int32 | Type::Int64);
        let of_value = match ty {
            _ if overflows => of_json.clone(),
            Type::Message(_) => format!("cannot restore struct from: {kind}"),
            Type::List(_) | Type::StringList => format!("cannot restore slice from {kind}"),
            Type::Map(_) => format!("cannot restore map from {kind}"),
            // Go converts a number to a string as a character, and refuses a fraction.
            Type::String if kind == "int64" => "cannot convert int64 to string".to_owned(),
            Type::Int32 | Type::Int64 if kind == "float64" => {
                format!("cannot convert float64 to {}", go_name(ty))
            }
            _ => format!("unrecognized type: {}", go_name(ty)),
        };
        UnmarshalTypeError { of_json, of_value, overflows, ends: false }
    }

    /// The error of a type that unmarshals itself, from the value as written.
    fn custom_type_error(&self, value: &Value, ty: Type, written: &str) -> UnmarshalTypeError {
        let what = self.name_of(value, ty);
        UnmarshalTypeError {
            of_json: format!(
                "json: cannot unmarshal {what} into Go struct field {}.{} of type {written}",
                self.within,
                self.names.join(".")
            ),
            of_value: format!("json: cannot unmarshal {what} into Go value of type {written}"),
            overflows: false,
            ends: true,
        }
    }

    /// An error within a value of a type that unmarshals itself, from JSON: its path begins at the value. The decoder around it
    /// names the struct that the value is in.
    fn ending(&self, mismatch: UnmarshalTypeError) -> UnmarshalTypeError {
        const STRUCT: &str = "Go struct field ";
        let inner = mismatch.of_json;
        let of_value = inner.replacen(&format!(".{}.", self.names.join(".")), ".", 1);
        let parts = inner.split_once(STRUCT).and_then(|(head, rest)| Some((head, rest.split_once('.')?.1)));
        let of_json = match parts {
            Some((head, path)) => format!("{head}{STRUCT}{}.{path}", self.within),
            None => inner,
        };
        UnmarshalTypeError { of_json, of_value, overflows: false, ends: true }
    }

    /// Go accepts a list of numbers for bytes.
    fn bytes_of(&self, items: &[Value]) -> Result<Value, UnmarshalTypeError> {
        let byte = |item: &Value| item.as_u64().and_then(|number| u8::try_from(number).ok());
        match items.iter().map(|item| byte(item).ok_or(item)).collect::<Result<Vec<u8>, &Value>>() {
            Ok(bytes) => Ok(BASE64.encode(bytes).into()),
            Err(item) => {
                let of_json = self.custom_type_error(item, Type::Int32, "uint8").of_json;
                Err(UnmarshalTypeError {
                    of_json,
                    of_value: "unrecognized type: uint8".to_owned(),
                    overflows: false,
                    ends: false,
                })
            }
        }
    }
}

/// The value that Go writes for a field that is not set.
fn absent(field: &'static Field) -> Option<Value> {
    match field.ty {
        // `omitempty` does not leave out structs; this one has `omitzero`.
        Type::Time if field.json == "creationTimestamp" => None,
        ty if is_struct(ty) && !field.pointer => Some(zero(ty)),
        _ if field.omit_empty || field.pointer => None,
        ty => Some(zero(ty)),
    }
}

/// Returns true if Go's type is a struct, which `omitempty` does not leave out.
fn is_struct(ty: Type) -> bool {
    matches!(ty, Type::Message(_) | Type::Time | Type::MicroTime | Type::Quantity | Type::IntOrString)
}

/// Go's zero value.
fn zero(ty: Type) -> Value {
    match ty {
        Type::String | Type::Duration => "".into(),
        Type::Bool => false.into(),
        Type::Int32 | Type::Int64 | Type::Double | Type::IntOrString => 0.into(),
        Type::Quantity => "0".into(),
        Type::Message(schema) => Value::Object(empty(schema)),
        _ => Value::Null,
    }
}

fn is_zero(value: &Value, ty: Type) -> bool {
    match (value, ty) {
        (Value::Array(items), _) => items.is_empty(),
        (Value::Object(entries), Type::Map(_)) => entries.is_empty(),
        (Value::String(text), Type::String | Type::Bytes) => text.is_empty(),
        (Value::Bool(value), _) => !value,
        (Value::Number(number), _) => number.as_f64() == Some(0.0),
        _ => false,
    }
}

fn go_name(ty: Type) -> String {
    match ty {
        Type::String => "string".to_owned(),
        Type::Bool => "bool".to_owned(),
        Type::Int32 => "int32".to_owned(),
        Type::Int64 => "int64".to_owned(),
        Type::Double => "float64".to_owned(),
        Type::Bytes => "[]uint8".to_owned(),
        Type::Message(schema) => {
            let version = schema.package.rsplit('/').next().unwrap_or_default();
            format!("{version}.{}", schema.name)
        }
        Type::List(item) => format!("[]{}", go_name(*item)),
        Type::StringList => "[]string".to_owned(),
        Type::Map(value) => format!("map[string]{}", go_name(*value)),
        Type::Duration => "string".to_owned(),
        Type::SchemaOrArray(_) => "v1.JSONSchemaPropsOrArray".to_owned(),
        Type::SchemaOrBool(_) => "v1.JSONSchemaPropsOrBool".to_owned(),
        Type::SchemaOrStringArray(_) => "v1.JSONSchemaPropsOrStringArray".to_owned(),
        Type::Time => "v1.Time".to_owned(),
        Type::MicroTime => "v1.MicroTime".to_owned(),
        Type::Quantity => "resource.Quantity".to_owned(),
        Type::IntOrString => "intstr.IntOrString".to_owned(),
        Type::Json => "v1.JSON".to_owned(),
        Type::RawExtension => "runtime.RawExtension".to_owned(),
        Type::FieldsV1 => "v1.FieldsV1".to_owned(),
    }
}

fn bytes(text: &str) -> Result<Value, UnmarshalTypeError> {
    match ByteString::from_base64(text) {
        Ok(bytes) => Ok(bytes.to_base64().into()),
        Err(problem) => Err(UnmarshalTypeError {
            of_value: format!("error decoding from json: {problem}"),
            of_json: problem.to_string(),
            overflows: false,
            ends: false,
        }),
    }
}

/// A time as written, or null if it is Go's zero time.
fn time<T: FromStr<Err = InvalidValue> + ToString + Default + PartialEq>(
    text: &str,
) -> Result<Value, String> {
    match text.parse::<T>() {
        Ok(time) if time == T::default() => Ok(Value::Null),
        Ok(time) => {
            let written = time.to_string();
            // An offset may lead beyond the years of RFC 3339. Kubernetes stores such a time, and no client can read
            // the object after that.
            match written.parse::<T>() {
                Ok(_) => Ok(written.into()),
                Err(_) => Err(format!("the year of {} in UTC is outside of [0,9999]", quoted(text))),
            }
        }
        Err(problem) => Err(problem.go_message().unwrap_or_default().to_owned()),
    }
}

fn duration(text: &str) -> Result<Value, String> {
    match text.parse::<Duration>() {
        Ok(span) => Ok(span.to_string().into()),
        Err(problem) => Err(problem.go_message().unwrap_or_default().to_owned()),
    }
}

fn quantity(text: &str) -> Result<Value, String> {
    match Quantity::from(text).canonical() {
        Ok(text) => Ok(text.as_str().into()),
        Err(problem) => Err(problem.go_message().unwrap_or_default().to_owned()),
    }
}
