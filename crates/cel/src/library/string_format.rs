//! `string.format`: clauses such as `%s` and `%.2f` with their arguments.

use klient_apimachinery::go::quoted;

use super::conversion::text_of;
use crate::failure::{Failure, Result};
use crate::steps::Steps;
use crate::value::Value;

/// The digits after the point of numbers in fixed and scientific form.
const PRECISION: usize = 6;

/// The largest precision of a clause; Kubernetes has none, and would fill its memory.
const PRECISION_MAX: usize = 10_000;

/// The parts of a value that a message shows.
const SHOWN_MAX: u64 = 100_000;

/// A clause of a format string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Clause {
    String,
    Decimal,
    Fixed(usize),
    Scientific(usize),
    Binary,
    Hex { upper: bool },
    Octal,
}

/// A part of a format string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part<'f> {
    Text(&'f str),
    Clause(std::result::Result<Clause, String>),
}

/// The parts of a format string.
pub(crate) fn parts(format: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        if at > 0 {
            parts.push(Part::Text(&rest[..at]));
        }
        rest = &rest[at..];
        if rest.starts_with("%%") {
            parts.push(Part::Text("%"));
            rest = &rest[2..];
            continue;
        }
        match clause(&rest[1..]) {
            Ok((clause, len)) => {
                parts.push(Part::Clause(Ok(clause)));
                rest = &rest[1 + len..];
            }
            Err(problem) => {
                parts.push(Part::Clause(Err(problem)));
                return parts;
            }
        }
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest));
    }
    parts
}

/// The clause after a `%`, with its length, or the problem with it.
fn clause(text: &str) -> std::result::Result<(Clause, usize), String> {
    if text.is_empty() {
        return Err("unexpected end of string".to_owned());
    }
    let wrong = |problem: String| format!("could not parse formatting clause: {problem}");
    let mut precision = PRECISION;
    let mut len = 0;
    if let Some(after) = text.strip_prefix('.') {
        let precise = |problem: &str| wrong(format!("error while parsing precision: {problem}"));
        let digits = after.find(|c: char| !c.is_ascii_digit());
        let digits = digits.ok_or_else(|| precise("could not find end of precision specifier"))?;
        let number = &after[..digits];
        precision = number.parse().map_err(|_| {
            let shown = quoted(number);
            let reason = if number.is_empty() { "invalid syntax" } else { "value out of range" };
            precise(&format!(
                "error while converting precision to integer: strconv.Atoi: parsing {shown}: {reason}"
            ))
        })?;
        len = digits + 1;
    }
    let c = text[len..].chars().next().unwrap_or_default();
    let clause = match c {
        's' => Clause::String,
        'd' => Clause::Decimal,
        'f' => Clause::Fixed(precision),
        'e' => Clause::Scientific(precision),
        'b' => Clause::Binary,
        'x' => Clause::Hex { upper: false },
        'X' => Clause::Hex { upper: true },
        'o' => Clause::Octal,
        c => return Err(wrong(format!("unrecognized formatting clause \"{}\"", first_byte(c)))),
    };
    Ok((clause, len + 1))
}

/// The first byte of a character as a character, which is what Go reads.
fn first_byte(c: char) -> char {
    let mut bytes = [0; 4];
    char::from(c.encode_utf8(&mut bytes).as_bytes()[0])
}

impl Clause {
    /// The message for an argument of a type that the clause does not accept.
    pub(crate) fn refusal(self, ty: &str) -> String {
        let only = match self {
            Clause::String => {
                "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps"
            }
            Clause::Decimal => "decimal clause can only be used on integers",
            Clause::Fixed(_) => "fixed-point clause can only be used on doubles",
            Clause::Scientific(_) => "scientific clause can only be used on doubles",
            Clause::Binary => "only integers and bools can be formatted as binary",
            Clause::Hex { .. } => "only integers, byte buffers, and strings can be formatted as hex",
            Clause::Octal => "octal clause can only be used on integers",
        };
        format!("{only}, was given {ty}")
    }

    fn write(self, value: &Value<'_>) -> std::result::Result<String, String> {
        let refuse = || Err(self.refusal(value.type_name()));
        match (self, value) {
            (Clause::String, value) => text(value),
            (Clause::Decimal, Value::Int(number)) => Ok(number.to_string()),
            (Clause::Decimal, Value::Uint(number)) => Ok(number.to_string()),
            (Clause::Fixed(precision), value) => match number(value) {
                Some(number) if number.is_finite() => {
                    Ok(grouped(&format!("{number:.*}", precision.min(PRECISION_MAX))))
                }
                Some(number) => Ok(special(number)),
                None => refuse(),
            },
            (Clause::Scientific(precision), value) => match number(value) {
                // Go takes the precision for the width.
                Some(number) => {
                    let text = if number.is_finite() { scientific(number) } else { special(number) };
                    let width = precision.min(PRECISION_MAX);
                    Ok(format!("{text:>width$}"))
                }
                None => refuse(),
            },
            (Clause::Binary, Value::Int(number)) => Ok(signed(*number, |number| format!("{number:b}"))),
            (Clause::Binary, Value::Uint(number)) => Ok(format!("{number:b}")),
            (Clause::Binary, Value::Bool(value)) => Ok(u8::from(*value).to_string()),
            (Clause::Octal, Value::Int(number)) => Ok(signed(*number, |number| format!("{number:o}"))),
            (Clause::Octal, Value::Uint(number)) => Ok(format!("{number:o}")),
            (Clause::Hex { upper }, value) => {
                let hex = match value {
                    Value::Int(number) => signed(*number, |number| format!("{number:x}")),
                    Value::Uint(number) => format!("{number:x}"),
                    Value::String(text) => hex(text.as_bytes()),
                    Value::Bytes(bytes) => hex(bytes),
                    _ => return refuse(),
                };
                Ok(if upper { hex.to_uppercase() } else { hex })
            }
            _ => refuse(),
        }
    }
}

fn signed(number: i64, write: impl Fn(u64) -> String) -> String {
    let sign = if number < 0 { "-" } else { "" };
    format!("{sign}{}", write(number.unsigned_abs()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn number(value: &Value<'_>) -> Option<f64> {
    match value {
        Value::Double(number) => Some(*number),
        Value::String(text) => match &**text {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            _ => None,
        },
        _ => None,
    }
}

/// Infinity and NaN in the words of American English.
fn special(number: f64) -> String {
    match number {
        number if number.is_nan() => "NaN",
        number if number > 0.0 => "∞",
        _ => "-∞",
    }
    .to_owned()
}

/// A decimal number with commas between groups of three digits.
fn grouped(text: &str) -> String {
    let (sign, rest) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let (whole, fraction) =
        rest.split_once('.').map_or((rest, None), |(whole, fraction)| (whole, Some(fraction)));
    let mut out = String::from(sign);
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if let Some(fraction) = fraction {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

/// `1.500000×10⁰³`
fn scientific(number: f64) -> String {
    let text = format!("{number:.PRECISION$e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let sign = if exponent < 0 { "⁻" } else { "" };
    let raised: String = format!("{:02}", exponent.unsigned_abs())
        .chars()
        .map(|digit| match digit {
            '0' => '⁰',
            '1' => '¹',
            '2' => '²',
            '3' => '³',
            '4' => '⁴',
            '5' => '⁵',
            '6' => '⁶',
            '7' => '⁷',
            '8' => '⁸',
            _ => '⁹',
        })
        .collect();
    format!("{digits}×10{sign}{raised}")
}

/// A value as `%s` writes it.
fn text(value: &Value<'_>) -> std::result::Result<String, String> {
    match value {
        Value::Null => Ok("null".to_owned()),
        Value::List(_) | Value::Map(_) => nested(value),
        Value::Ip(_) | Value::Cidr(_) => Err(Clause::String.refusal(value.type_name())),
        value => match text_of(value) {
            Ok(text) => Ok(text),
            Err(Failure::Error(problem)) if problem.starts_with("invalid UTF-8") => Err(problem),
            Err(_) => Err(Clause::String.refusal(value.type_name())),
        },
    }
}

/// A value inside a list or map, as a literal of CEL.
fn nested(value: &Value<'_>) -> std::result::Result<String, String> {
    match value {
        Value::String(text) => Ok(quoted(&**text)),
        Value::Bytes(_) => Ok(format!("b{}", quoted(text(value)?))),
        Value::Double(number) if !number.is_finite() => {
            let shown = if number.is_nan() {
                "NaN"
            } else if *number > 0.0 {
                "+Inf"
            } else {
                "-Inf"
            };
            Ok(quoted(shown))
        }
        Value::Double(number) => Ok(format!("{number:.6}")),
        Value::Duration(_) => Ok(format!("duration({})", quoted(text(value)?))),
        Value::Timestamp(_) => Ok(format!("timestamp({})", quoted(text(value)?))),
        Value::List(list) => {
            let mut items = Vec::with_capacity(list.len().min(1024));
            for item in list.iter() {
                items.push(nested(&item.map_err(|_| "no such overload".to_owned())?)?);
            }
            Ok(format!("[{}]", items.join(", ")))
        }
        Value::Map(map) => {
            let mut entries = Vec::with_capacity(map.len().min(1024));
            for key in map.keys() {
                let shown = match &key {
                    Value::String(_) | Value::Bool(_) | Value::Int(_) | Value::Uint(_) => nested(&key)?,
                    other => {
                        return Err(format!(
                            "no formatting function for map key of type {}",
                            other.type_name()
                        ));
                    }
                };
                let value = map.find(&key).ok().flatten();
                let value = value.ok_or_else(|| format!("could not find key: {shown}"))?;
                entries.push((shown, nested(&value)?));
            }
            entries.sort();
            let entries: Vec<String> =
                entries.into_iter().map(|(key, value)| format!("{key}:{value}")).collect();
            Ok(format!("{{{}}}", entries.join(", ")))
        }
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Uint(_) | Value::Type(_) => text(value),
        other => Err(format!("no formatting function for {}", other.type_name())),
    }
}

/// A value for a message; its type if it is too large.
pub(crate) fn show(value: &Value<'_>) -> String {
    let text = match Steps::timeless(SHOWN_MAX).take_parts(value, 1) {
        Ok(()) => text(value).ok(),
        Err(_) => None,
    };
    text.unwrap_or_else(|| value.type_name().to_owned())
}

pub(super) fn format<'a>(arguments: &[Value<'a>]) -> Result<Value<'a>> {
    let list = arguments[1].as_list()?;
    let mut room = Steps::timeless(super::TEXT_MAX as u64 / 10);
    let mut out = String::new();
    let mut next = 0;
    for part in parts(arguments[0].as_str()?) {
        match part {
            Part::Text(text) => out.push_str(text),
            Part::Clause(clause) => {
                if next >= list.len() {
                    return Err(Failure::Error(format!("index {next} out of range")));
                }
                if let Ok(value) = list.get(next) {
                    room.take_parts(&value, 1)?;
                }
                let written = clause.and_then(|clause| {
                    let value = list.get(next).map_err(|_| "no such overload".to_owned())?;
                    clause.write(&value).map_err(|problem| format!("error during formatting: {problem}"))
                });
                out.push_str(&written.map_err(Failure::Error)?);
                next += 1;
            }
        }
        if out.len() > super::TEXT_MAX {
            return Err(Failure::Budget);
        }
    }
    Ok(Value::string(out))
}
