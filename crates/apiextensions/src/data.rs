//! [`Data`], a value as Go's validation types it.

use klient_apimachinery::values::Map;
use serde_json::Value;

use super::structural::Type;

/// A value as Go's validation types it: whole numbers that fit are integers, all others floating-point.
#[derive(Clone, Copy, Debug)]
pub(super) enum Data<'a> {
    Null,
    Bool(bool),
    Integer(i64),
    Number(f64),
    Text(&'a str),
    List(&'a [Value]),
    Object(&'a Map),
}

impl<'a> From<&'a Value> for Data<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => Data::Null,
            Value::Bool(value) => Data::Bool(*value),
            Value::Number(number) => match number.as_i64() {
                Some(number) => Data::Integer(number),
                None => Data::Number(number.as_f64().unwrap_or_default()),
            },
            Value::String(text) => Data::Text(text),
            Value::Array(items) => Data::List(items),
            Value::Object(object) => Data::Object(object),
        }
    }
}

impl Data<'_> {
    pub(super) fn to_value(self) -> Value {
        match self {
            Data::Null => Value::Null,
            Data::Bool(value) => value.into(),
            Data::Integer(number) => number.into(),
            // Go prints whole numbers without a fraction.
            Data::Number(number) if number.trunc() == number && number.abs() < 1e6 => (number as i64).into(),
            Data::Number(number) => number.into(),
            Data::Text(text) => text.into(),
            Data::List(items) => items.to_vec().into(),
            Data::Object(object) => object.clone().into(),
        }
    }

    pub(super) fn ty(self) -> Option<Type> {
        match self {
            Data::Null => None,
            Data::Bool(_) => Some(Type::Boolean),
            Data::Integer(_) => Some(Type::Integer),
            Data::Number(_) => Some(Type::Number),
            Data::Text(_) => Some(Type::String),
            Data::List(_) => Some(Type::Array),
            Data::Object(_) => Some(Type::Object),
        }
    }

    /// The format that Go assigns to a value.
    pub(super) fn format(self) -> &'static str {
        match self {
            Data::Integer(_) => "int64",
            Data::Number(_) => "float64",
            _ => "",
        }
    }

    /// Returns true if the value equals one of an enumeration, after Go's conversion to its type.
    pub(super) fn is(self, allowed: &Value) -> bool {
        match (self, Data::from(allowed)) {
            (Data::Null, _) => false,
            (Data::Integer(number), Data::Number(allowed)) => number as f64 == allowed,
            (Data::Number(number), Data::Integer(allowed)) => number.trunc() == allowed as f64,
            (_, allowed) => self.equals(allowed),
        }
    }

    /// Returns true if two values are equal; an integer never equals a floating-point number.
    pub(super) fn equals(self, other: Data<'_>) -> bool {
        match (self, other) {
            (Data::Null, Data::Null) => true,
            (Data::Bool(one), Data::Bool(other)) => one == other,
            (Data::Integer(one), Data::Integer(other)) => one == other,
            (Data::Number(one), Data::Number(other)) => one == other,
            (Data::Text(one), Data::Text(other)) => one == other,
            (Data::List(one), Data::List(other)) => one == other,
            (Data::Object(one), Data::Object(other)) => one == other,
            _ => false,
        }
    }
}
