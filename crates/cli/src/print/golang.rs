//! Values as Go's `fmt` and `strconv` write them, which kubectl's templates and errors show.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value};

/// What Go reads a JSON number as.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    Int(i64),
    Float(f64),
}

impl From<&serde_json::Number> for Number {
    fn from(number: &serde_json::Number) -> Self {
        match number.as_i64() {
            Some(number) => Number::Int(number),
            None => Number::Float(number.as_f64().unwrap_or_default()),
        }
    }
}

/// A value as `%v` shows it.
pub(super) fn display(value: &Value) -> String {
    let mut out = String::new();
    write_display(&mut out, value);
    out
}

fn write_display(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("<nil>"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Number(value) => write_number(out, value),
        Value::String(text) => out.push_str(text),
        Value::Array(items) => {
            out.push('[');
            separated(out, " ", items, write_display);
            out.push(']');
        }
        Value::Object(entries) => {
            out.push_str("map[");
            separated(out, " ", entries, |out, (key, value)| {
                out.push_str(key);
                out.push(':');
                write_display(out, value);
            });
            out.push(']');
        }
    }
}

/// An object in Go's syntax, as `%#v` shows it.
pub(super) fn syntax(entries: &Map<String, Value>) -> String {
    let mut out = String::new();
    write_map_syntax(&mut out, entries);
    out
}

fn write_syntax(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("interface {}(nil)"),
        Value::String(text) => out.push_str(&quote(text)),
        Value::Bool(_) | Value::Number(_) => write_display(out, value),
        Value::Array(items) => {
            out.push_str("[]interface {}{");
            separated(out, ", ", items, write_syntax);
            out.push('}');
        }
        Value::Object(entries) => write_map_syntax(out, entries),
    }
}

fn write_map_syntax(out: &mut String, entries: &Map<String, Value>) {
    out.push_str("map[string]interface {}{");
    separated(out, ", ", entries, |out, (key, value)| {
        out.push_str(&quote(key));
        out.push(':');
        write_syntax(out, value);
    });
    out.push('}');
}

fn separated<T>(
    out: &mut String,
    separator: &str,
    items: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&mut String, T),
) {
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push_str(separator);
        }
        write(out, item);
    }
}

fn write_number(out: &mut String, number: &serde_json::Number) {
    match Number::from(number) {
        Number::Int(number) => out.push_str(&number.to_string()),
        Number::Float(number) => out.push_str(&float(number)),
    }
}

/// A number as `%v` shows it.
pub(super) fn float(number: f64) -> String {
    let scientific = format!("{number:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else { return scientific };
    match exponent.parse::<i32>() {
        Ok(exponent) if !(-4..6).contains(&exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", exponent.unsigned_abs())
        }
        _ => number.to_string(),
    }
}

/// Text in double quotes, as `%q` shows it.
pub(super) fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if is_printable(c) => out.push(c),
            '\x07' => out.push_str("\\a"),
            '\x08' => out.push_str("\\b"),
            '\x0b' => out.push_str("\\v"),
            '\x0c' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c => out.push_str(&escape(c)),
        }
    }
    out.push('"');
    out
}

/// A character by its number, as short as Go's quoted text can have it.
pub(super) fn escape(c: char) -> String {
    match c as u32 {
        code @ (0..0x20 | 0x7f) => format!("\\x{code:02x}"),
        code @ 0..0x1_0000 => format!("\\u{code:04x}"),
        code => format!("\\U{code:08x}"),
    }
}

/// Whether Go's quoted text has the character as it is.
pub(super) fn is_printable(c: char) -> bool {
    static PRINTABLE: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^[\pL\pM\pN\pP\pS ]$").expect("the pattern is valid"));
    if c.is_ascii() {
        return c == ' ' || c.is_ascii_graphic();
    }
    PRINTABLE.is_match(c.encode_utf8(&mut [0; 4]))
}

/// The text of an error as Go has it.
pub(super) fn io_error(error: &std::io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error ").next().unwrap_or_default();
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_shown_as_go_does() {
        let cases = [
            (json!(null), "<nil>", "interface {}(nil)"),
            (json!(true), "true", "true"),
            (json!(-5), "-5", "-5"),
            (json!(1.0), "1", "1"),
            (json!(-0.0), "-0", "-0"),
            (json!(123456.0), "123456", "123456"),
            (json!(1234567.0), "1.234567e+06", "1.234567e+06"),
            (json!(0.0001), "0.0001", "0.0001"),
            (json!(0.00001), "1e-05", "1e-05"),
            (json!(1e21), "1e+21", "1e+21"),
            (json!(u64::MAX), "1.8446744073709552e+19", "1.8446744073709552e+19"),
            (json!("a \"b\"\n"), "a \"b\"\n", r#""a \"b\"\n""#),
            (
                json!("é\u{200b}\u{7f}\u{1b}\u{a0}\u{301}😀"),
                "é\u{200b}\u{7f}\u{1b}\u{a0}\u{301}😀",
                "\"é\\u200b\\x7f\\x1b\\u00a0\u{301}😀\"",
            ),
            (json!([1, null, [], {}]), "[1 <nil> [] map[]]", {
                "[]interface {}{1, interface {}(nil), []interface {}{}, map[string]interface {}{}}"
            }),
            (json!({"b": "x", "a": {"c": 1}}), "map[a:map[c:1] b:x]", {
                r#"map[string]interface {}{"a":map[string]interface {}{"c":1}, "b":"x"}"#
            }),
        ];
        for (value, displayed, in_syntax) in cases {
            assert_eq!(display(&value), displayed);
            let mut out = String::new();
            write_syntax(&mut out, &value);
            assert_eq!(out, in_syntax);
        }
    }
}
