//! [`Found`], a value that a template finds.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::go::GoValue;
use crate::values;

/// A value that a template found, or a literal in it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Found<'a> {
    /// The item of a range over nothing or `null`.
    Absent,
    /// JSON's null.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer of 64 bits.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// A byte of a string, which `*` finds in it.
    Byte(u8),
    /// A string.
    Text(&'a str),
    /// A list.
    List(&'a [Value]),
    /// An object.
    Map(&'a Map<String, Value>),
}

impl<'a> From<&'a Value> for Found<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => Found::Null,
            Value::Bool(value) => Found::Bool(*value),
            Value::Number(number) => match number.as_i64() {
                Some(number) => Found::Int(number),
                None => Found::Float(number.as_f64().unwrap_or_default()),
            },
            Value::String(text) => Found::Text(text),
            Value::Array(items) => Found::List(items),
            Value::Object(entries) => Found::Map(entries),
        }
    }
}

/// A value as Go writes it in JSON.
fn json(value: &Value) -> String {
    let mut json = Vec::new();
    values::encode_untyped(value, &mut json);
    String::from_utf8(json).expect("JSON is UTF-8")
}

impl Found<'_> {
    /// The string that a template prints.
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Found::Absent => "<no value>".into(),
            Found::Null => "null".into(),
            Found::Text(text) => (*text).into(),
            Found::List(_) | Found::Map(_) => json(&self.to_value()).into(),
            _ => self.display().into(),
        }
    }

    /// The string that a custom column shows.
    pub fn display(&self) -> String {
        match self {
            Found::Absent => "<invalid reflect.Value>".to_owned(),
            _ => GoValue(&self.to_value()).to_string(),
        }
    }

    /// Converts it to a value.
    pub fn to_value(self) -> Value {
        match self {
            Found::Absent | Found::Null => Value::Null,
            Found::Bool(value) => value.into(),
            Found::Int(number) => number.into(),
            Found::Float(number) => number.into(),
            Found::Byte(byte) => byte.into(),
            Found::Text(text) => text.into(),
            Found::List(items) => items.into(),
            Found::Map(entries) => entries.clone().into(),
        }
    }

    /// The name of its Go type.
    pub fn type_name(&self) -> &'static str {
        match self {
            Found::Absent | Found::Null => "<nil>",
            Found::Bool(_) => "bool",
            Found::Int(_) => "int64",
            Found::Float(_) => "float64",
            Found::Byte(_) => "uint8",
            Found::Text(_) => "string",
            Found::List(_) => "[]interface {}",
            Found::Map(_) => "map[string]interface {}",
        }
    }

    /// Its children: the values of a map in the order of keys, the items of a list, the bytes of a string.
    pub(super) fn children(self) -> Vec<Self> {
        match self {
            Found::Map(entries) => entries.values().map(Found::from).collect(),
            Found::List(items) => items.iter().map(Found::from).collect(),
            Found::Text(text) => text.bytes().map(Found::Byte).collect(),
            _ => Vec::new(),
        }
    }
}
