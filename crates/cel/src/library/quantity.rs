//! Quantities such as `1Gi` (`quantity`, `isQuantity`), and the order of quantities and versions.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::failure::{Failure, Result};
use crate::value::{Quantity, Value};

fn parse(text: &str) -> Result<Quantity> {
    const FORMAT: &str =
        "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
    const SUFFIX: &str = "unable to parse quantity's suffix";
    text.parse::<Quantity>().map_err(|_| {
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let digits =
            unsigned.len() - unsigned.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').len();
        let number = &unsigned[..digits];
        let message = if number.matches('.').count() > 1 || !number.bytes().any(|c| c.is_ascii_digit()) {
            FORMAT
        } else {
            let suffix = &unsigned[digits..];
            let known = suffix
                .bytes()
                .all(|c| b"eEinumkKMGTP".contains(&c) || c.is_ascii_digit() || b"+-".contains(&c));
            if known { SUFFIX } else { FORMAT }
        };
        Failure::error(message)
    })
}

fn of<'v>(value: &'v Value<'_>) -> Result<&'v Quantity> {
    match value {
        Value::Quantity(quantity) => Ok(quantity),
        _ => Err(Failure::overload()),
    }
}

fn invalid(error: impl std::fmt::Display) -> Failure {
    Failure::Error(error.to_string())
}

pub(super) fn quantity<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    Ok(Value::Quantity(Arc::new(parse(arguments[0].as_str()?)?)))
}

pub(super) fn is_quantity<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    Ok(Value::Bool(parse(arguments[0].as_str()?).is_ok()))
}

fn nanos(value: &Value<'_>) -> Result<i128> {
    of(value)?.nanos().map_err(invalid)
}

pub(super) fn sign<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    Ok(Value::Int(nanos(&arguments[0])?.signum() as i64))
}

const NANOS: i128 = 1_000_000_000;

/// The amount as an integer, if it is one.
fn integer(value: &Value<'_>) -> Result<Option<i64>> {
    let nanos = nanos(value)?;
    Ok(if nanos % NANOS == 0 { i64::try_from(nanos / NANOS).ok() } else { None })
}

pub(super) fn is_integer<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    Ok(Value::Bool(integer(&arguments[0])?.is_some()))
}

pub(super) fn as_integer<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    let value = integer(&arguments[0])?.ok_or_else(|| Failure::error("cannot convert value to integer"))?;
    Ok(Value::Int(value))
}

pub(super) fn as_approximate_float<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    let nanos = nanos(&arguments[0])?;
    let whole = (nanos / NANOS) as f64;
    Ok(Value::Double(whole + (nanos % NANOS) as f64 / 1e9))
}

fn operand(value: &Value<'_>) -> Result<Quantity> {
    match value {
        Value::Int(value) => Ok(Quantity::decimal(*value)),
        value => of(value).cloned(),
    }
}

pub(super) fn add<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    let sum = of(&arguments[0])?.try_add(&operand(&arguments[1])?).map_err(invalid)?;
    Ok(Value::Quantity(Arc::new(sum)))
}

pub(super) fn sub<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    let difference = of(&arguments[0])?.try_sub(&operand(&arguments[1])?).map_err(invalid)?;
    Ok(Value::Quantity(Arc::new(difference)))
}

/// The order of two quantities or two versions.
fn order(arguments: &[Value<'_>]) -> Result<Ordering> {
    match (&arguments[0], &arguments[1]) {
        (Value::Semver(one), Value::Semver(other)) => Ok(one.compare(other)),
        (one, other) => Ok(nanos(one)?.cmp(&nanos(other)?)),
    }
}

pub(super) fn compare_to<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    Ok(Value::Int(order(arguments)? as i64))
}

pub(super) fn is_greater_than<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    Ok(Value::Bool(order(arguments)?.is_gt()))
}

pub(super) fn is_less_than<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    Ok(Value::Bool(order(arguments)?.is_lt()))
}
