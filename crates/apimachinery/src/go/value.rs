//! Values formatted as by Go's `%v`, `%s` and `%#v`.

use std::fmt;

use serde_json::{Number, Value};

use super::{float, quoted};

/// A value as Go's `%v` formats it, with which the API server shows values in messages.
///
/// ```
/// use klient_apimachinery::go::GoValue;
/// let value = serde_json::json!({"b": [1, "x", null], "a": 1234567.5});
/// assert_eq!(GoValue(&value).to_string(), "map[a:1.2345675e+06 b:[1 x <nil>]]");
/// ```
pub struct GoValue<'a>(pub &'a Value);

impl fmt::Display for GoValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print(self.0, f, &|scalar, f| match scalar {
            Value::Null => f.write_str("<nil>"),
            other => plain(other, f),
        })
    }
}

/// A value as Go's `%s` formats it, with `%!s(…)` around everything that is not a string.
pub(crate) struct GoText<'a>(pub(crate) &'a Value);

impl fmt::Display for GoText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_null() {
            return f.write_str("%!s(<nil>)");
        }
        print(self.0, f, &|scalar, f| match scalar {
            Value::String(text) => f.write_str(text),
            Value::Null => f.write_str("<nil>"),
            other => {
                write!(f, "%!s({}=", type_name(other))?;
                plain(other, f)?;
                f.write_str(")")
            }
        })
    }
}

/// The Go type of a value that is decoded from JSON into `any`.
pub(crate) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "%!s(<nil>)",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_i64() => "int64",
        Value::Number(_) => "float64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}

type Scalar<'a> = &'a dyn Fn(&Value, &mut fmt::Formatter<'_>) -> fmt::Result;

fn print(value: &Value, f: &mut fmt::Formatter<'_>, scalar: Scalar<'_>) -> fmt::Result {
    match value {
        Value::Array(items) => {
            f.write_str("[")?;
            for (index, item) in items.iter().enumerate() {
                f.write_str(if index > 0 { " " } else { "" })?;
                print(item, f, scalar)?;
            }
            f.write_str("]")
        }
        Value::Object(entries) => {
            f.write_str("map[")?;
            for (index, (key, value)) in entries.iter().enumerate() {
                write!(f, "{}{key}:", if index > 0 { " " } else { "" })?;
                print(value, f, scalar)?;
            }
            f.write_str("]")
        }
        other => scalar(other, f),
    }
}

fn plain(scalar: &Value, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match scalar {
        Value::String(text) => f.write_str(text),
        Value::Number(number) => float_or_integer(number, f),
        other => write!(f, "{other}"),
    }
}

fn float_or_integer(number: &Number, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match number.as_f64().filter(|_| !number.is_i64()) {
        Some(number) => f.write_str(&float(number)),
        None => write!(f, "{number}"),
    }
}

/// A value as Go's `%#v` formats it.
///
/// ```
/// use klient_apimachinery::go::GoSyntax;
/// let value = serde_json::json!({"a": [1, null]});
/// assert_eq!(
///     GoSyntax::of_json(&value).to_string(),
///     r#"map[string]interface {}{"a":[]interface {}{1, interface {}(nil)}}"#
/// );
/// ```
pub struct GoSyntax<'a> {
    value: &'a Value,
    /// The Go type of the keys.
    key: &'static str,
}

impl<'a> GoSyntax<'a> {
    /// A value that was decoded from JSON.
    pub fn of_json(value: &'a Value) -> Self {
        GoSyntax { value, key: "string" }
    }

    /// A value that was decoded from YAML, whose keys may have any type.
    pub(crate) fn of_yaml(value: &'a Value) -> Self {
        GoSyntax { value, key: "interface {}" }
    }
}

impl fmt::Display for GoSyntax<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let within = |value| GoSyntax { value, key: self.key };
        let separator = |index| if index > 0 { ", " } else { "" };
        match self.value {
            Value::Null => f.write_str("interface {}(nil)"),
            Value::String(text) => f.write_str(&quoted(text)),
            Value::Bool(_) | Value::Number(_) => plain(self.value, f),
            Value::Array(items) => {
                f.write_str("[]interface {}{")?;
                for (index, item) in items.iter().enumerate() {
                    write!(f, "{}{}", separator(index), within(item))?;
                }
                f.write_str("}")
            }
            Value::Object(entries) => {
                write!(f, "map[{}]interface {{}}{{", self.key)?;
                for (index, (key, value)) in entries.iter().enumerate() {
                    write!(f, "{}{}:{}", separator(index), quoted(key), within(value))?;
                }
                f.write_str("}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_printed_as_go_prints_them() {
        let value = json!({"b": [1, "x", null, true], "a": {"f": 1.5}});
        assert_eq!(GoValue(&value).to_string(), "map[a:map[f:1.5] b:[1 x <nil> true]]");
        assert_eq!(
            GoText(&value).to_string(),
            "map[a:map[f:%!s(float64=1.5)] b:[%!s(int64=1) x <nil> %!s(bool=true)]]"
        );
        assert_eq!(GoText(&json!(null)).to_string(), "%!s(<nil>)");
        for (number, text) in [
            (json!(1.0), "1"),
            (json!(1e21), "1e+21"),
            (json!(1234567.5), "1.2345675e+06"),
            (json!(123456789.5), "1.234567895e+08"),
            (json!(2.5e-7), "2.5e-07"),
            (json!(u64::MAX), "1.8446744073709552e+19"),
            (json!(i64::MIN), "-9223372036854775808"),
            (json!(0.0), "0"),
        ] {
            assert_eq!(GoValue(&number).to_string(), text);
        }
    }
}
