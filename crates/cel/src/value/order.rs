//! The order of values.

use std::cmp::Ordering;

use super::Value;
use crate::failure::{Failure, Result};

impl Value<'_> {
    /// Compares two values of types with an order.
    pub(crate) fn compare(&self, other: &Value<'_>) -> Result<Ordering> {
        match (self, other) {
            (Value::Bool(one), Value::Bool(other)) => Ok(one.cmp(other)),
            (Value::String(one), Value::String(other)) => Ok((**one).cmp(&**other)),
            (Value::Bytes(one), Value::Bytes(other)) => Ok(one.cmp(other)),
            (Value::Duration(one), Value::Duration(other)) => Ok(one.cmp(other)),
            (Value::Timestamp(one), Value::Timestamp(other)) => Ok(one.cmp(other)),
            _ => match self.compare_numbers(other) {
                Some(order) => order.ok_or_else(|| Failure::error("NaN values cannot be ordered")),
                None => Err(Failure::overload()),
            },
        }
    }

    /// Compares numbers of any types; `None` if one is no number, and `Some(None)` if one is NaN.
    pub(super) fn compare_numbers(&self, other: &Value<'_>) -> Option<Option<Ordering>> {
        Some(match (self, other) {
            (Value::Int(one), Value::Int(other)) => Some(one.cmp(other)),
            (Value::Uint(one), Value::Uint(other)) => Some(one.cmp(other)),
            (Value::Int(one), Value::Uint(other)) => Some(i128::from(*one).cmp(&i128::from(*other))),
            (Value::Uint(one), Value::Int(other)) => Some(i128::from(*one).cmp(&i128::from(*other))),
            (Value::Double(one), Value::Double(other)) => one.partial_cmp(other),
            (Value::Double(one), Value::Int(other)) => one.partial_cmp(&(*other as f64)),
            (Value::Double(one), Value::Uint(other)) => one.partial_cmp(&(*other as f64)),
            (Value::Int(one), Value::Double(other)) => (*one as f64).partial_cmp(other),
            (Value::Uint(one), Value::Double(other)) => (*one as f64).partial_cmp(other),
            _ => return None,
        })
    }
}
