//! Types of plain scalars in YAML 1.1.

mod timestamp;

use serde_json::{Number, Value};

use super::YamlError;
use crate::go;

/// The type and value of a plain scalar.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Scalar {
    Text,
    /// A timestamp, which is a string in JSON but is not written without quotes.
    Timestamp,
    Null,
    Bool(bool),
    Int(Number),
    Float(f64),
    /// `<<`, which merges a map into another.
    Merge,
}

impl Scalar {
    /// Its tag in YAML 1.1.
    pub(super) fn tag(&self) -> &'static str {
        match self {
            Scalar::Text => "!!str",
            Scalar::Timestamp => "!!timestamp",
            Scalar::Null => "!!null",
            Scalar::Bool(_) => "!!bool",
            Scalar::Int(_) => "!!int",
            Scalar::Float(_) => "!!float",
            Scalar::Merge => "!!merge",
        }
    }

    /// The JSON value of a scalar written as `text`: a whole number is an integer, in any notation.
    ///
    /// # Errors
    ///
    /// If JSON has no such number.
    pub(super) fn into_json(self, text: String) -> Result<Value, YamlError> {
        match self {
            Scalar::Text | Scalar::Timestamp | Scalar::Merge => Ok(Value::String(text)),
            Scalar::Null => Ok(Value::Null),
            Scalar::Bool(value) => Ok(Value::Bool(value)),
            Scalar::Int(number) => Ok(Value::Number(number)),
            Scalar::Float(float) => match go::number(float) {
                Some(number) => Ok(Value::Number(number)),
                None => {
                    Err(YamlError::conversion(format_args!("json: unsupported value: {}", go::float(float))))
                }
            },
        }
    }
}

pub(super) fn resolve(text: &str) -> Scalar {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Scalar::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Scalar::Bool(true);
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Scalar::Bool(false);
        }
        ".nan" | ".NaN" | ".NAN" => return Scalar::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Scalar::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Scalar::Float(f64::NEG_INFINITY),
        "<<" => return Scalar::Merge,
        _ => {}
    }
    match text.as_bytes().first() {
        Some(b'.') => fraction(text),
        Some(b'0'..=b'9' | b'+' | b'-') if timestamp::is_timestamp(text) => Scalar::Timestamp,
        Some(b'0'..=b'9' | b'+' | b'-') => number(text),
        _ => Scalar::Text,
    }
}

/// A number that begins with a point, and may have underscores between digits.
fn fraction(text: &str) -> Scalar {
    let is_digit = |at: usize| text.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
    let separates = |(at, _)| at > 0 && is_digit(at - 1) && is_digit(at + 1);
    if !text.match_indices('_').all(separates) {
        return Scalar::Text;
    }
    float(&text.replace('_', ""))
}

fn number(text: &str) -> Scalar {
    let plain = text.replace('_', "");
    match whole(&plain) {
        Some(number) => Scalar::Int(number),
        None => float(&plain),
    }
}

/// An integer in Go's notations with base 0: decimal, `0x`, `0b`, `0o` and octal with a leading zero. With a sign it
/// has 63 bits.
fn whole(plain: &str) -> Option<Number> {
    let digits = plain.strip_prefix(['+', '-']).unwrap_or(plain);
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    if digits.starts_with('+') {
        return None;
    }
    let value = u64::from_str_radix(digits, radix).ok()?;
    match plain.as_bytes().first() {
        Some(b'-') => i64::try_from(-i128::from(value)).ok().map(Number::from),
        Some(b'+') => i64::try_from(value).ok().map(Number::from),
        _ => Some(Number::from(value)),
    }
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`; a string if it overflows.
fn float(plain: &str) -> Scalar {
    let unsigned = plain.strip_prefix(['+', '-']).unwrap_or(plain);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let digits = |text: &str| text.bytes().all(|c| c.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_float = !(whole.is_empty() && fraction.is_empty())
        && digits(whole)
        && digits(fraction)
        && exponent.is_none_or(|e| !e.is_empty() && digits(e));
    match plain.parse() {
        Ok(float) if is_float && f64::is_finite(float) => Scalar::Float(float),
        _ => Scalar::Text,
    }
}

/// Returns true for a number in base 60, such as `1:30`, which other readers of YAML 1.1 would not take for a string.
pub(super) fn is_base_60(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let Some((first, rest)) = unsigned.split_once(':') else { return false };
    let digits = |text: &str| text.bytes().all(|c| c.is_ascii_digit() || c == b'_');
    let (rest, fraction) = rest.split_once('.').unwrap_or((rest, ""));
    let sixtieth = |part: &str| match part.as_bytes() {
        [c] => c.is_ascii_digit(),
        [tens, c] => (b'0'..=b'5').contains(tens) && c.is_ascii_digit(),
        _ => false,
    };
    !first.is_empty()
        && first.as_bytes()[0].is_ascii_digit()
        && digits(first)
        && digits(fraction)
        && rest.split(':').all(sixtieth)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn plain_scalars_mean_what_yaml_1_1_says() {
        for (text, value) in [
            ("yes", json!(true)),
            ("y", json!(true)),
            ("on", json!(true)),
            ("Off", json!(false)),
            ("~", json!(null)),
            ("", json!(null)),
            ("12", json!(12)),
            ("-12", json!(-12)),
            ("1_000", json!(1000)),
            ("0777", json!(511)),
            ("0o17", json!(15)),
            ("0x1F", json!(31)),
            ("0b11", json!(3)),
            ("1.5", json!(1.5)),
            ("1e3", json!(1000)),
            ("0008", json!(8)),
            ("400.0", json!(400)),
            ("4e2", json!(400)),
            ("1_0.0", json!(10)),
            ("1e20", json!(1e20)),
            ("-0", json!(0)),
            ("+9223372036854775808", json!(9_223_372_036_854_775_808.0)),
            ("-9223372036854775809", json!(-9_223_372_036_854_775_808.0)),
            (".5_0", json!(0.5)),
            (".5", json!(0.5)),
            ("18446744073709551615", json!(u64::MAX)),
            ("-9223372036854775808", json!(i64::MIN)),
        ] {
            assert_eq!(resolve(text).into_json(text.to_owned()), Ok(value), "{text}");
        }
        for text in [
            "yEs",
            "nginx",
            "1.2.3",
            "10.0.0.1",
            "1e",
            "-",
            "+",
            "0x",
            "0b2",
            "099x",
            "1:30",
            "25%",
            "-a",
            "1-2",
            "1e400",
            ".5__0",
            "._5",
            ".5_",
            "0x1p4",
            "2026-13-01",
        ] {
            assert_eq!(resolve(text), Scalar::Text, "{text}");
        }
        for text in ["2026-11-21", "2026-11-21T10:04:03Z", "2001-12-14 21:59:43.10"] {
            assert_eq!(resolve(text), Scalar::Timestamp, "{text}");
        }
        assert_eq!(resolve("2001-12-14 21:59:43.10 -5"), Scalar::Text);
        assert_eq!(resolve("-.inf"), Scalar::Float(f64::NEG_INFINITY));
        assert!(
            is_base_60("1:30") && is_base_60("+190:20:30.15") && !is_base_60("1:60") && !is_base_60("a:1")
        );
    }
}
