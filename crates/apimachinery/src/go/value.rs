//! Values in Go's eyes, as messages quote them.

use std::fmt;

use serde_json::{Number, Value};

/// A value as Go's `%v` prints it, which is how the API server quotes values in messages.
pub struct GoValue<'a>(pub &'a Value);

impl fmt::Display for GoValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print(self.0, f, &|scalar, f| match scalar {
            Value::Null => f.write_str("<nil>"),
            other => plain(other, f),
        })
    }
}

/// A value as Go's `%s` prints it, which complains about all that is no text.
pub(super) struct GoText<'a>(pub(super) &'a Value);

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

/// The Go type a value has when it is read from JSON into `any`.
pub(super) fn type_name(value: &Value) -> &'static str {
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

/// Go prints floats with an exponent below 1e-4 and from 1e6 on, of two digits at least.
fn float_or_integer(number: &Number, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let Some(float) = number.as_f64().filter(|_| !number.is_i64()) else { return write!(f, "{number}") };
    if float == 0.0 || (1e-4..1e6).contains(&float.abs()) {
        return write!(f, "{float}");
    }
    let text = format!("{float:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |rest| ('-', rest));
    write!(f, "{digits}e{sign}{exponent:0>2}")
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
