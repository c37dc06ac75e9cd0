//! Floating-point numbers.

use std::io;

use serde_json::{Number, Value};

/// A number as Go's `%v` formats it: with an exponent, of two digits or more, below 10⁻⁴ and from 10⁶ on.
///
/// ```
/// use klient_apimachinery::go::float;
/// assert_eq!([float(3.0), float(1234567.5), float(1e-5)], ["3", "1.2345675e+06", "1e-05"]);
/// ```
pub fn float(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let is_plain = number == 0.0 || (1e-4..1e6).contains(&number.abs());
    if is_plain { plain(number) } else { scientific(number, 2) }
}

/// A number as Go's `encoding/json` writes it: with an exponent below 10⁻⁶ and from 10²¹ on. The number must be finite,
/// as JSON has no infinity and no NaN.
///
/// ```
/// use klient_apimachinery::go::json_float;
/// assert_eq!([json_float(3.0), json_float(1234567.5), json_float(1e-7)], ["3", "1234567.5", "1e-7"]);
/// ```
pub fn json_float(number: f64) -> String {
    let is_plain = number == 0.0 || (1e-6..1e21).contains(&number.abs());
    if is_plain { plain(number) } else { scientific(number, 1) }
}

/// The number that Go reads back from a float that it has written as JSON: an integer if it is whole and fits into 64
/// bits. Negative zero, which Go writes `-0`, is a float. `None` if JSON has no such number.
///
/// ```
/// use klient_apimachinery::go::number;
/// assert_eq!(number(400.0).map(|number| number.to_string()).as_deref(), Some("400"));
/// ```
pub fn number(float: f64) -> Option<Number> {
    let is_whole = float.fract() == 0.0 && (-TWO_TO_63..TWO_TO_63).contains(&float);
    if is_whole
        && !(float == 0.0 && float.is_sign_negative())
        && let Ok(integer) = json_float(float).parse::<i64>()
    {
        return Some(integer.into());
    }
    Number::from_f64(float)
}

/// A formatter of serde_json that writes floating-point numbers as Go does: `3`, not `3.0`.
#[derive(Clone, Copy, Debug)]
pub struct JsonNumbers;

impl serde_json::ser::Formatter for JsonNumbers {
    fn write_f64<W: io::Write + ?Sized>(&mut self, out: &mut W, value: f64) -> io::Result<()> {
        out.write_all(json_float(value).as_bytes())
    }
}

/// Replaces each float, and each integer beyond 63 bits, by the number that Go reads back after writing it as JSON, as
/// Go programs do with objects that they pass on.
///
/// ```
/// use klient_apimachinery::go::rewrite_numbers;
/// let mut value = serde_json::json!({"replicas": 3.0, "ratio": 0.5});
/// rewrite_numbers(&mut value);
/// assert_eq!(value, serde_json::json!({"replicas": 3, "ratio": 0.5}));
/// ```
pub fn rewrite_numbers(value: &mut Value) {
    match value {
        Value::Number(own) => {
            if let Some(number) = own.as_f64().filter(|_| !own.is_i64()).and_then(number) {
                *own = number;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(rewrite_numbers),
        Value::Object(entries) => entries.values_mut().for_each(rewrite_numbers),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;

/// A number without an exponent.
fn plain(number: f64) -> String {
    let Decimal { sign, digits, exponent } = Decimal::of(number);
    match usize::try_from(exponent + 1) {
        Ok(0) | Err(_) => format!(
            "{sign}0.{:0>width$}",
            digits,
            width = digits.len() + exponent.unsigned_abs() as usize - 1
        ),
        Ok(whole) if whole >= digits.len() => format!("{sign}{digits:0<whole$}"),
        Ok(whole) => format!("{sign}{}.{}", &digits[..whole], &digits[whole..]),
    }
}

/// A number with an exponent of at least `width` digits.
fn scientific(number: f64, width: usize) -> String {
    let Decimal { sign, digits, exponent } = Decimal::of(number);
    let (first, rest) = digits.split_at(1);
    let point = if rest.is_empty() { "" } else { "." };
    let exponent_sign = if exponent < 0 { '-' } else { '+' };
    format!("{sign}{first}{point}{rest}e{exponent_sign}{:0width$}", exponent.unsigned_abs())
}

/// The shortest digits that read back to a finite number; of several the nearest, and of two equally near the even one,
/// where `std` rounds up.
struct Decimal {
    sign: &'static str,
    digits: String,
    /// The power of ten of the first digit.
    exponent: i32,
}

impl Decimal {
    fn of(number: f64) -> Self {
        let sign = if number.is_sign_negative() { "-" } else { "" };
        let text = Number::from_f64(number.abs()).expect("the number is finite").to_string();
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let exponent: i32 = exponent.parse().expect("an exponent is a number");
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{fraction}");
        let digits = all.trim_start_matches('0');
        let zeros = all.len() - digits.len();
        if digits.is_empty() {
            return Decimal { sign, digits: "0".to_owned(), exponent: 0 };
        }
        let exponent = exponent + whole.len() as i32 - 1 - zeros as i32;
        Decimal { sign, digits: digits.trim_end_matches('0').to_owned(), exponent }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cases of a Go program: `fmt.Sprintf("%v", f)` and `json.Marshal(f)`.
    const CASES: [(f64, &str, &str); 30] = [
        (0e+00, "0", "0"),
        (-0e+00, "-0", "-0"),
        (1e+00, "1", "1"),
        (-1.5e+00, "-1.5", "-1.5"),
        (1e-01, "0.1", "0.1"),
        (1e-04, "0.0001", "0.0001"),
        (1e-05, "1e-05", "0.00001"),
        (1e-06, "1e-06", "0.000001"),
        (1e-07, "1e-07", "1e-7"),
        (2.5e-07, "2.5e-07", "2.5e-7"),
        (1e+05, "100000", "100000"),
        (9.999995e+05, "999999.5", "999999.5"),
        (1e+06, "1e+06", "1000000"),
        (1.234567e+06, "1.234567e+06", "1234567"),
        (1.2345675e+06, "1.2345675e+06", "1234567.5"),
        (1.234567895e+08, "1.234567895e+08", "123456789.5"),
        (8.263619611694712e+13, "8.263619611694712e+13", "82636196116947.12"),
        (9.007199254740992e+15, "9.007199254740992e+15", "9007199254740992"),
        (9.223372036854776e+18, "9.223372036854776e+18", "9223372036854776000"),
        (1.8446744073709552e+19, "1.8446744073709552e+19", "18446744073709552000"),
        (1e+19, "1e+19", "10000000000000000000"),
        (1e+20, "1e+20", "100000000000000000000"),
        (1e+21, "1e+21", "1e+21"),
        (1.5e+21, "1.5e+21", "1.5e+21"),
        (-1e+100, "-1e+100", "-1e+100"),
        (5e-324, "5e-324", "5e-324"),
        (1.7976931348623157e+308, "1.7976931348623157e+308", "1.7976931348623157e+308"),
        (3.0000000000000004e-01, "0.30000000000000004", "0.30000000000000004"),
        (1.23456e+02, "123.456", "123.456"),
        (1.0025e+02, "100.25", "100.25"),
    ];

    #[test]
    fn floats_are_printed_as_go_prints_them() {
        for (number, value, json) in CASES {
            assert_eq!((float(number).as_str(), json_float(number).as_str()), (value, json));
        }
        assert_eq!([f64::NAN, f64::INFINITY, f64::NEG_INFINITY].map(float), ["NaN", "+Inf", "-Inf"]);
    }
}
