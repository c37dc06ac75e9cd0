//! Numbers, escapes and I/O errors in Go's format.

/// A JSON number with the type that Go decodes it to.
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

/// Returns the shortest numeric escape of a character in a Go string literal.
pub(super) fn escape(c: char) -> String {
    match c as u32 {
        code @ (0..0x20 | 0x7f) => format!("\\x{code:02x}"),
        code @ 0..0x1_0000 => format!("\\u{code:04x}"),
        code => format!("\\U{code:08x}"),
    }
}

/// Returns Go's message for an I/O error.
pub(super) fn io_error(error: &std::io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error ").next().unwrap_or_default();
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}
