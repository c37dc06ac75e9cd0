//! What a template finds.

use std::borrow::Cow;

use klient_apimachinery::go::GoValue;
use serde_json::{Map, Value};

use crate::print::golang::Number;
use crate::print::json;

/// Something a template found or states.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Found<'a> {
    /// What a range has that goes over nothing, or over `null`.
    Absent,
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    /// One of the bytes of a text, which is what `*` finds in it.
    Byte(u8),
    Text(&'a str),
    List(&'a [Value]),
    Map(&'a Map<String, Value>),
}

impl<'a> From<&'a Value> for Found<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => Found::Null,
            Value::Bool(value) => Found::Bool(*value),
            Value::Number(number) => match number.into() {
                Number::Int(number) => Found::Int(number),
                Number::Float(number) => Found::Float(number),
            },
            Value::String(text) => Found::Text(text),
            Value::Array(items) => Found::List(items),
            Value::Object(entries) => Found::Map(entries),
        }
    }
}

impl Found<'_> {
    /// What a template prints.
    pub(crate) fn text(&self) -> Cow<'_, str> {
        match self {
            Found::Absent => "<no value>".into(),
            Found::Null => "null".into(),
            Found::Text(text) => (*text).into(),
            Found::List(_) | Found::Map(_) => json::compact(&self.to_value()).into(),
            _ => self.display().into(),
        }
    }

    /// What a custom column shows.
    pub(crate) fn display(&self) -> String {
        match self {
            Found::Absent => "<invalid reflect.Value>".to_owned(),
            _ => GoValue(&self.to_value()).to_string(),
        }
    }

    /// As a value of its own.
    pub(crate) fn to_value(self) -> Value {
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

    /// The name of its type in Go.
    pub(crate) fn type_name(&self) -> &'static str {
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

    /// What is in it: a map's values in the order of its keys, a list's items, a text's bytes.
    pub(super) fn children(self) -> Vec<Self> {
        match self {
            Found::Map(entries) => entries.values().map(Found::from).collect(),
            Found::List(items) => items.iter().map(Found::from).collect(),
            Found::Text(text) => text.bytes().map(Found::Byte).collect(),
            _ => Vec::new(),
        }
    }
}
