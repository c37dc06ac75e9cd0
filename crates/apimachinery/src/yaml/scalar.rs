//! What plain scalars mean in YAML 1.1.

use serde_json::{Number, Value};

/// What a plain scalar is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Scalar {
    /// Text.
    Text,
    /// A timestamp, which is text to JSON but is not written without quotes.
    Timestamp,
    /// Null, a boolean or a number.
    Value(Value),
    /// Infinity or not a number, which JSON cannot say.
    NotFinite,
    /// `<<`, which merges a map into another.
    Merge,
}

pub(super) fn resolve(text: &str) -> Scalar {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Scalar::Value(Value::Null),
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Scalar::Value(true.into());
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Scalar::Value(false.into());
        }
        "<<" => return Scalar::Merge,
        _ => {}
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Scalar::NotFinite;
    }
    if !text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) {
        return Scalar::Text;
    }
    if is_timestamp(text) {
        return Scalar::Timestamp;
    }
    match number(text) {
        Some(number) => Scalar::Value(Value::Number(number)),
        None => Scalar::Text,
    }
}

fn number(text: &str) -> Option<Number> {
    let plain = text.replace('_', "");
    let (negative, digits) = match plain.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, plain.strip_prefix('+').unwrap_or(&plain)),
    };
    if let Some(value) = whole(digits) {
        return if negative {
            i64::try_from(-i128::from(value)).ok().map(Number::from)
        } else {
            Some(Number::from(value))
        };
    }
    if is_float(&plain) { Number::from_f64(plain.parse().ok()?) } else { None }
}

/// A whole number in the forms Go reads with base 0: decimal, `0x`, `0b`, `0o` and octal with a leading zero.
fn whole(digits: &str) -> Option<u64> {
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    if digits.starts_with('+') { None } else { u64::from_str_radix(digits, radix).ok() }
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn is_float(text: &str) -> bool {
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (text, None),
    };
    let digits = |text: &str| text.bytes().all(|c| c.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let has_digits = !whole.is_empty() || !fraction.is_empty();
    has_digits && digits(whole) && digits(fraction) && exponent.is_none_or(|e| !e.is_empty() && digits(e))
}

/// A date, or a date and a time, in the forms YAML 1.1 gives.
fn is_timestamp(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digits = bytes.iter().take_while(|c| c.is_ascii_digit()).count();
    if digits != 4 || bytes.get(4) != Some(&b'-') {
        return false;
    }
    let (date, time) = match text.find(['T', 't', ' ']) {
        Some(at) => (&text[..at], Some(text[at + 1..].trim_start())),
        None => (text, None),
    };
    let part =
        |text: &str, max: usize| (1..=max).contains(&text.len()) && text.bytes().all(|c| c.is_ascii_digit());
    let fields: Vec<&str> = date.split('-').collect();
    let is_date = matches!(fields[..], [_, month, day] if part(month, 2) && part(day, 2));
    let is_time = |time: &str| {
        let clock = time.find(['Z', '+', '-', ' ']).map_or(time, |at| &time[..at]);
        let clock = clock.split('.').next().unwrap_or_default();
        matches!(clock.split(':').collect::<Vec<_>>()[..], [h, m, s] if part(h, 2) && part(m, 2) && part(s, 2))
    };
    is_date && time.is_none_or(is_time)
}

/// A number in base 60, such as `1:30`, which other YAML 1.1 readers would not take for text.
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
            ("1e3", json!(1000.0)),
            (".5", json!(0.5)),
            ("18446744073709551615", json!(u64::MAX)),
            ("-9223372036854775808", json!(i64::MIN)),
        ] {
            assert_eq!(resolve(text), Scalar::Value(value), "{text}");
        }
        for text in [
            "yEs", "nginx", "1.2.3", "10.0.0.1", "1e", "-", "+", "0x", "0b2", "099x", "1:30", "25%", "-a",
            "1-2",
        ] {
            assert_eq!(resolve(text), Scalar::Text, "{text}");
        }
        for text in ["2026-11-21", "2026-11-21T10:04:03Z", "2001-12-14 21:59:43.10 -5"] {
            assert_eq!(resolve(text), Scalar::Timestamp, "{text}");
        }
        assert_eq!(resolve("-.inf"), Scalar::NotFinite);
        assert!(
            is_base_60("1:30") && is_base_60("+190:20:30.15") && !is_base_60("1:60") && !is_base_60("a:1")
        );
    }
}
