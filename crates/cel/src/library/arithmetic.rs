//! Operators of numbers, durations and times, and of what can be joined.

use crate::failure::{Failure, Result};
use crate::value::{Timestamp, Value};

const INT: &str = "integer overflow";
const UINT: &str = "unsigned integer overflow";
const DURATION: &str = "duration overflow";
const TIMESTAMP: &str = "timestamp overflow";

fn checked<T>(value: Option<T>, problem: &str) -> Result<T> {
    value.ok_or_else(|| Failure::error(problem))
}

fn moved(time: &Timestamp, nanos: i128) -> Result<Value<'static>> {
    checked(Timestamp::from_nanos(time.total_nanos() + nanos, time.offset), TIMESTAMP).map(Value::Timestamp)
}

pub(super) fn add<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    match (&arguments[0], &arguments[1]) {
        (Value::Int(one), Value::Int(other)) => checked(one.checked_add(*other), INT).map(Value::Int),
        (Value::Uint(one), Value::Uint(other)) => checked(one.checked_add(*other), UINT).map(Value::Uint),
        (Value::Double(one), Value::Double(other)) => Ok(Value::Double(one + other)),
        (Value::String(one), Value::String(other)) => super::strings::concat(one, other),
        (Value::Bytes(one), Value::Bytes(other)) => {
            if one.len() + other.len() > super::TEXT_MAX {
                return Err(Failure::Budget);
            }
            Ok(Value::Bytes([&**one, &**other].concat().into()))
        }
        (Value::List(one), Value::List(other)) => {
            if one.len() + other.len() > super::ITEMS_MAX {
                return Err(Failure::Budget);
            }
            one.add(other).map(Value::List)
        }
        (Value::Duration(one), Value::Duration(other)) => {
            checked(one.checked_add(*other), DURATION).map(Value::Duration)
        }
        (Value::Timestamp(time), Value::Duration(nanos))
        | (Value::Duration(nanos), Value::Timestamp(time)) => moved(time, i128::from(*nanos)),
        _ => Err(Failure::overload()),
    }
}

pub(super) fn subtract<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    match (&arguments[0], &arguments[1]) {
        (Value::Int(one), Value::Int(other)) => checked(one.checked_sub(*other), INT).map(Value::Int),
        (Value::Uint(one), Value::Uint(other)) => checked(one.checked_sub(*other), UINT).map(Value::Uint),
        (Value::Double(one), Value::Double(other)) => Ok(Value::Double(one - other)),
        (Value::Duration(one), Value::Duration(other)) => {
            checked(one.checked_sub(*other), DURATION).map(Value::Duration)
        }
        (Value::Timestamp(time), Value::Duration(nanos)) => moved(time, -i128::from(*nanos)),
        (Value::Timestamp(one), Value::Timestamp(other)) => {
            let nanos = i64::try_from(one.total_nanos() - other.total_nanos()).ok();
            checked(nanos, TIMESTAMP).map(Value::Duration)
        }
        _ => Err(Failure::overload()),
    }
}

pub(super) fn multiply<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    match (&arguments[0], &arguments[1]) {
        (Value::Int(one), Value::Int(other)) => checked(one.checked_mul(*other), INT).map(Value::Int),
        (Value::Uint(one), Value::Uint(other)) => checked(one.checked_mul(*other), UINT).map(Value::Uint),
        (Value::Double(one), Value::Double(other)) => Ok(Value::Double(one * other)),
        _ => Err(Failure::overload()),
    }
}

pub(super) fn divide<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    match (&arguments[0], &arguments[1]) {
        (Value::Int(_), Value::Int(0)) | (Value::Uint(_), Value::Uint(0)) => {
            Err(Failure::error("division by zero"))
        }
        (Value::Int(one), Value::Int(other)) => checked(one.checked_div(*other), INT).map(Value::Int),
        (Value::Uint(one), Value::Uint(other)) => Ok(Value::Uint(one / other)),
        (Value::Double(one), Value::Double(other)) => Ok(Value::Double(one / other)),
        _ => Err(Failure::overload()),
    }
}

pub(super) fn modulo<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    match (&arguments[0], &arguments[1]) {
        (Value::Int(_), Value::Int(0)) | (Value::Uint(_), Value::Uint(0)) => {
            Err(Failure::error("modulus by zero"))
        }
        (Value::Int(one), Value::Int(other)) => checked(one.checked_rem(*other), INT).map(Value::Int),
        (Value::Uint(one), Value::Uint(other)) => Ok(Value::Uint(one % other)),
        _ => Err(Failure::overload()),
    }
}

pub(super) fn negate<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    match &arguments[0] {
        Value::Int(value) => checked(value.checked_neg(), INT).map(Value::Int),
        Value::Double(value) => Ok(Value::Double(-value)),
        Value::Duration(nanos) => checked(nanos.checked_neg(), DURATION).map(Value::Duration),
        _ => Err(Failure::overload()),
    }
}

pub(super) fn not<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    Ok(Value::Bool(!arguments[0].as_bool()?))
}

pub(super) fn less<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    Ok(Value::Bool(arguments[0].compare(&arguments[1])?.is_lt()))
}

pub(super) fn less_equals<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    Ok(Value::Bool(arguments[0].compare(&arguments[1])?.is_le()))
}

pub(super) fn greater<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    Ok(Value::Bool(arguments[0].compare(&arguments[1])?.is_gt()))
}

pub(super) fn greater_equals<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    Ok(Value::Bool(arguments[0].compare(&arguments[1])?.is_ge()))
}

pub(super) fn is_in<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    match &arguments[1] {
        Value::List(list) => list.contains(&arguments[0]).map(Value::Bool),
        Value::Map(map) => map.contains(&arguments[0]).map(Value::Bool),
        _ => Err(Failure::overload()),
    }
}
