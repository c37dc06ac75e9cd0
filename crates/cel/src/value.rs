//! [`Value`], a value of CEL, which borrows from the JSON values that an expression reads.

mod address;
mod authorization;
mod cidr;
mod equality;
mod json;
mod list;
mod map;
mod named_format;
mod number;
mod object;
mod order;
mod semver;
mod text;
mod time;
mod url;

use std::sync::Arc;

use serde_json::Value as Json;

use crate::failure::{Failure, Result};
use crate::schema::Schema;

pub(crate) use address::Address;
pub(crate) use authorization::{Authorization, Check};
pub(crate) use cidr::Cidr;
pub(crate) use klient_apimachinery::Quantity;
pub(crate) use klient_apimachinery::go::float as format_double;
pub(crate) use list::{List, out_of_bounds};
pub(crate) use map::{Key, Map, MapBuilder};
pub(crate) use named_format::NamedFormat;
pub(crate) use number::{double_to_int, double_to_uint};
pub(crate) use object::Object;
pub(crate) use semver::Semver;
pub(crate) use text::Text;
pub(crate) use time::{Timestamp, duration_text};
pub(crate) use url::Url;

/// A value of CEL.
#[derive(Clone, Debug)]
pub(crate) enum Value<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    String(Text<'a>),
    Bytes(Arc<[u8]>),
    /// Nanoseconds.
    Duration(i64),
    Timestamp(Timestamp),
    /// A type, by its name at run time.
    Type(Arc<str>),
    List(List<'a>),
    Map(Map<'a>),
    Optional(Option<Arc<Value<'a>>>),
    /// A value without a schema, which only equality reads.
    Preserved(&'a Json),
    Quantity(Arc<Quantity>),
    Url(Arc<Url>),
    Ip(Address),
    Cidr(Cidr),
    Semver(Arc<Semver>),
    Format(&'static NamedFormat),
    Authorization(Arc<Authorization<'a>>),
    Object(Arc<Object<'a>>),
}

impl<'a> Value<'a> {
    /// A value of JSON with its schema.
    pub(crate) fn from_json(value: &'a Json, schema: &'a Schema) -> Result<Value<'a>> {
        json::read(value, schema)
    }

    pub(crate) fn string(text: impl Into<Text<'a>>) -> Value<'a> {
        Value::String(text.into())
    }

    pub(crate) fn list(items: Vec<Value<'a>>) -> Value<'a> {
        Value::List(List::new(items))
    }

    pub(crate) fn some(value: Value<'a>) -> Value<'a> {
        Value::Optional(Some(Arc::new(value)))
    }

    pub(crate) fn as_bool(&self) -> Result<bool> {
        match self {
            Value::Bool(value) => Ok(*value),
            _ => Err(Failure::overload()),
        }
    }

    pub(crate) fn as_str(&self) -> Result<&str> {
        match self {
            Value::String(text) => Ok(text),
            _ => Err(Failure::overload()),
        }
    }

    pub(crate) fn as_int(&self) -> Result<i64> {
        match self {
            Value::Int(value) => Ok(*value),
            _ => Err(Failure::overload()),
        }
    }

    pub(crate) fn as_list(&self) -> Result<&List<'a>> {
        match self {
            Value::List(list) => Ok(list),
            _ => Err(Failure::overload()),
        }
    }

    /// The size of a value for its cost: characters, bytes, items or entries, and 1 for all others.
    pub(crate) fn size(&self) -> u64 {
        match self {
            Value::String(text) => text.chars().count() as u64,
            Value::Bytes(bytes) => bytes.len() as u64,
            Value::List(list) => list.len() as u64,
            Value::Map(map) => map.len() as u64,
            Value::Ip(address) => address.bytes(),
            Value::Cidr(cidr) => cidr.bytes(),
            Value::Optional(Some(value)) => value.size(),
            _ => 1,
        }
    }

    /// The name of the value's type at run time.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Value::Null => "null_type",
            Value::Bool(_) => "bool",
            Value::Int(_) => "int",
            Value::Uint(_) => "uint",
            Value::Double(_) => "double",
            Value::String(_) => "string",
            Value::Bytes(_) => "bytes",
            Value::Duration(_) => "google.protobuf.Duration",
            Value::Timestamp(_) => "google.protobuf.Timestamp",
            Value::Type(_) => "type",
            Value::List(_) => "list",
            Value::Map(_) => "map",
            Value::Optional(_) => "optional_type",
            Value::Preserved(_) => "unknown",
            Value::Quantity(_) => "kubernetes.Quantity",
            Value::Url(_) => "kubernetes.URL",
            Value::Ip(_) => "net.IP",
            Value::Cidr(_) => "net.CIDR",
            Value::Semver(_) => "kubernetes.Semver",
            Value::Format(_) => "kubernetes.NamedFormat",
            Value::Authorization(value) => value.type_name(),
            Value::Object(_) => "Object",
        }
    }

    /// Returns true for values such as `0`, `""` and `[]`.
    pub(crate) fn is_zero(&self) -> bool {
        match self {
            Value::Null => true,
            Value::Bool(value) => !value,
            Value::Int(value) => *value == 0,
            Value::Uint(value) => *value == 0,
            Value::Double(value) => *value == 0.0,
            Value::String(text) => text.is_empty(),
            Value::Bytes(bytes) => bytes.is_empty(),
            Value::Duration(nanos) => *nanos == 0,
            Value::Timestamp(time) => time.is_zero(),
            Value::List(List::Items(items)) => items.is_empty(),
            Value::Map(Map::Entries(_)) => self.size() == 0,
            Value::Object(object) => object.fields.is_empty(),
            Value::Optional(value) => value.as_ref().is_none_or(|value| value.is_zero()),
            _ => false,
        }
    }
}
