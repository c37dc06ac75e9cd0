//! Strings, numbers and values formatted as by Go, for messages and documents that are the same as Kubernetes'.

mod number;
mod printable;
mod value;

use std::fmt::Write as _;
use std::io;

use serde_json::Value;

pub use number::{JsonNumbers, float, json_float, number, rewrite_numbers};
pub use printable::is_printable;
pub use value::{GoSyntax, GoValue};
pub(crate) use value::{GoText, type_name};

/// A string as Go's `%q` formats it.
///
/// ```
/// use klient_apimachinery::go::quoted;
/// assert_eq!(quoted("a\u{7}\"é\u{200b}"), r#""a\a\"é\u200b""#);
/// ```
pub fn quoted(text: impl AsRef<str>) -> String {
    let text = text.as_ref();
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            c if is_printable(c) => out.push(c),
            c => {
                let code = u32::from(c);
                let escaped = match code {
                    0..0x80 => write!(out, "\\x{code:02x}"),
                    0x80..0x1_0000 => write!(out, "\\u{code:04x}"),
                    _ => write!(out, "\\U{code:08x}"),
                };
                escaped.expect("a String takes all text");
            }
        }
    }
    out.push('"');
    out
}

/// An error of the operating system as Go words it: in lower case, without its number.
///
/// ```
/// use klient_apimachinery::go::os_error;
/// let error = std::fs::read("/no/such/file").unwrap_err();
/// assert_eq!(os_error(&error), "no such file or directory");
/// ```
pub fn os_error(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.rsplit_once(" (os error ").map_or(text.as_str(), |(text, _)| text);
    let mut characters = text.chars();
    characters.next().map(|first| first.to_lowercase().chain(characters).collect()).unwrap_or_default()
}

/// The name of a value's JSON type in the errors of Go's `encoding/json`.
///
/// ```
/// use klient_apimachinery::go::json_type;
/// assert_eq!(json_type(&serde_json::json!([1])), "array");
/// ```
pub fn json_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
