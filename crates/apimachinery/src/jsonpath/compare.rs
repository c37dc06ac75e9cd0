//! Comparison of two values in filters: only those of the same type are comparable.

use std::cmp::Ordering;

use super::Found;

/// An operator of a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    /// No operator: true if the left side finds a value.
    Exists,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    /// An unknown operator, which is an error once there are values to compare.
    Unknown(String),
}

impl From<&str> for Operator {
    fn from(text: &str) -> Self {
        match text {
            "==" => Operator::Equal,
            "!=" => Operator::NotEqual,
            "<" => Operator::Less,
            "<=" => Operator::LessOrEqual,
            ">" => Operator::Greater,
            ">=" => Operator::GreaterOrEqual,
            _ => Operator::Unknown(text.to_owned()),
        }
    }
}

/// Returns the result of comparing `left` with `right`.
pub(super) fn compare(left: Found<'_>, operator: &Operator, right: Found<'_>) -> Result<bool, String> {
    let order = || order(left, right);
    Ok(match operator {
        Operator::Exists => true,
        Operator::Equal => equal(left, right)?,
        Operator::NotEqual => !equal(left, right)?,
        Operator::Less => order()?.is_lt(),
        Operator::LessOrEqual => order()?.is_le(),
        Operator::Greater => order()?.is_gt(),
        Operator::GreaterOrEqual => order()?.is_ge(),
        Operator::Unknown(operator) => return Err(format!("unrecognized filter operator {operator}")),
    })
}

fn equal(left: Found<'_>, right: Found<'_>) -> Result<bool, String> {
    match (left, right) {
        (Found::Bool(left), Found::Bool(right)) => Ok(left == right),
        _ => order(left, right).map(Ordering::is_eq),
    }
}

fn order(left: Found<'_>, right: Found<'_>) -> Result<Ordering, String> {
    match (left, right) {
        (Found::Int(left), Found::Int(right)) => Ok(left.cmp(&right)),
        (Found::Byte(left), Found::Byte(right)) => Ok(left.cmp(&right)),
        (Found::Int(left), Found::Byte(right)) => Ok(left.cmp(&right.into())),
        (Found::Byte(left), Found::Int(right)) => Ok(i64::from(left).cmp(&right)),
        (Found::Float(left), Found::Float(right)) => Ok(left.partial_cmp(&right).unwrap_or(Ordering::Equal)),
        (Found::Text(left), Found::Text(right)) => Ok(left.cmp(right)),
        (Found::Bool(_), Found::Bool(_)) => Err("invalid type for comparison".to_owned()),
        _ if is_comparable(left) && is_comparable(right) => {
            Err("incompatible types for comparison".to_owned())
        }
        _ => Err("invalid type for comparison".to_owned()),
    }
}

fn is_comparable(value: Found<'_>) -> bool {
    !matches!(value, Found::Absent | Found::Null | Found::List(_) | Found::Map(_))
}
