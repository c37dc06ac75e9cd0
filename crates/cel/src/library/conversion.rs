//! Conversions between types.

use std::sync::Arc;

use klient_apimachinery::Duration;

use crate::failure::{Failure, Result};
use crate::value::{Timestamp, Value, double_to_int, double_to_uint, duration_text, format_double};

fn impossible(value: &Value<'_>, to: &str) -> Failure {
    Failure::Error(format!("type conversion error from '{}' to '{to}'", value.type_name()))
}

pub(super) fn to_int<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    let value = &arguments[0];
    match value {
        Value::Int(_) => Ok(value.clone()),
        Value::Uint(number) => {
            i64::try_from(*number).map(Value::Int).map_err(|_| Failure::error("integer overflow"))
        }
        Value::Double(number) => double_to_int(*number).map(Value::Int),
        Value::String(text) => {
            let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
            let plain = !digits.is_empty() && digits.bytes().all(|c| c.is_ascii_digit());
            plain.then(|| text.parse().ok()).flatten().map(Value::Int).ok_or_else(|| impossible(value, "int"))
        }
        Value::Timestamp(time) => Ok(Value::Int(time.seconds)),
        Value::Duration(nanos) => Ok(Value::Int(*nanos)),
        _ => Err(Failure::overload()),
    }
}

pub(super) fn to_uint<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    let value = &arguments[0];
    match value {
        Value::Uint(_) => Ok(value.clone()),
        Value::Int(number) => {
            u64::try_from(*number).map(Value::Uint).map_err(|_| Failure::error("unsigned integer overflow"))
        }
        Value::Double(number) => double_to_uint(*number).map(Value::Uint),
        Value::String(text) => {
            let plain = !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
            plain
                .then(|| text.parse().ok())
                .flatten()
                .map(Value::Uint)
                .ok_or_else(|| impossible(value, "uint"))
        }
        _ => Err(Failure::overload()),
    }
}

pub(super) fn to_double<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    let value = &arguments[0];
    match value {
        Value::Double(_) => Ok(value.clone()),
        Value::Int(number) => Ok(Value::Double(*number as f64)),
        Value::Uint(number) => Ok(Value::Double(*number as f64)),
        Value::String(text) => {
            parse_double(text).map(Value::Double).ok_or_else(|| impossible(value, "double"))
        }
        _ => Err(Failure::overload()),
    }
}

/// A number as Go's `ParseFloat` reads it, except for hexadecimal ones.
fn parse_double(text: &str) -> Option<f64> {
    let number: f64 = text.parse().ok()?;
    let digits = text.bytes().any(|c| c.is_ascii_digit());
    // Too large a number is an error, not infinity.
    if digits && number.is_infinite() { None } else { Some(number) }
}

pub(super) fn to_bool<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    match &arguments[0] {
        Value::Bool(value) => Ok(Value::Bool(*value)),
        Value::String(text) => match &**text {
            "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(Value::Bool(true)),
            "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(Value::Bool(false)),
            _ => Err(impossible(&arguments[0], "bool")),
        },
        _ => Err(Failure::overload()),
    }
}

pub(super) fn to_bytes<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    match &arguments[0] {
        Value::String(text) => Ok(Value::Bytes(text.as_bytes().into())),
        Value::Bytes(bytes) => Ok(Value::Bytes(Arc::clone(bytes))),
        _ => Err(Failure::overload()),
    }
}

pub(super) fn to_string<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    text_of(&arguments[0]).map(Value::string)
}

pub(super) fn text_of(value: &Value<'_>) -> Result<String> {
    Ok(match value {
        Value::Bool(value) => value.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Uint(number) => number.to_string(),
        Value::Double(number) => format_double(*number),
        Value::String(text) => text.to_string(),
        Value::Bytes(bytes) => {
            let text = std::str::from_utf8(bytes);
            text.map_err(|_| Failure::error("invalid UTF-8 in bytes, cannot convert to string"))?.to_owned()
        }
        Value::Duration(nanos) => duration_text(*nanos),
        Value::Timestamp(time) => time.to_string(),
        Value::Ip(address) => address.to_string(),
        Value::Cidr(cidr) => cidr.to_string(),
        Value::Type(name) => name.to_string(),
        _ => return Err(Failure::overload()),
    })
}

pub(super) fn to_duration<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    match &arguments[0] {
        Value::Duration(nanos) => Ok(Value::Duration(*nanos)),
        Value::String(text) => {
            let parsed = text.parse::<Duration>().ok();
            parsed
                .map(|duration| Value::Duration(duration.nanos()))
                .ok_or_else(|| impossible(&arguments[0], "google.protobuf.Duration"))
        }
        Value::Int(nanos) => Ok(Value::Duration(*nanos)),
        _ => Err(Failure::overload()),
    }
}

pub(super) fn to_timestamp<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    match &arguments[0] {
        Value::Timestamp(time) => Ok(Value::Timestamp(*time)),
        Value::String(text) => {
            let time = Timestamp::parse(text)
                .ok_or_else(|| impossible(&arguments[0], "google.protobuf.Timestamp"))?;
            if time.is_in_range() {
                Ok(Value::Timestamp(time))
            } else {
                Err(Failure::error("timestamp overflow"))
            }
        }
        Value::Int(seconds) => {
            let time = Timestamp::utc(*seconds, 0);
            if time.is_in_range() {
                Ok(Value::Timestamp(time))
            } else {
                Err(Failure::error("timestamp overflow"))
            }
        }
        _ => Err(Failure::overload()),
    }
}

pub(super) fn to_dyn<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    Ok(arguments[0].clone())
}

pub(super) fn to_type<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    Ok(Value::Type(arguments[0].type_name().into()))
}

pub(super) fn size<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    match &arguments[0] {
        value @ (Value::String(_) | Value::Bytes(_) | Value::List(_) | Value::Map(_)) => {
            Ok(Value::Int(i64::try_from(value.size()).unwrap_or(i64::MAX)))
        }
        _ => Err(Failure::error("no such overload: size")),
    }
}

pub(super) fn optional_of<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    Ok(Value::some(arguments[0].clone()))
}

pub(super) fn optional_of_non_zero<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    if arguments[0].is_zero() { Ok(Value::Optional(None)) } else { optional_of(arguments) }
}

pub(super) fn optional_none<'a>(_arguments: &[Value<'a>]) -> Result<Value<'a>> {
    Ok(Value::Optional(None))
}

pub(super) fn has_value<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    match &arguments[0] {
        Value::Optional(value) => Ok(Value::Bool(value.is_some())),
        _ => Err(Failure::overload()),
    }
}

pub(super) fn value_of<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    match &arguments[0] {
        Value::Optional(Some(value)) => Ok((**value).clone()),
        Value::Optional(None) => Err(Failure::error("optional.none() dereference")),
        _ => Err(Failure::overload()),
    }
}
