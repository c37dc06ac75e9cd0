//! Keys and values in a [`LogFormat`].

use std::fmt::Write as _;

use klient_apimachinery::go::{json_float, quoted};

use crate::LogFormat;

/// Appends a key and a value that is in the format already.
pub(crate) fn push_raw(format: LogFormat, out: &mut String, key: &str, raw: &str) {
    push_key(format, out, key);
    if format == LogFormat::Text {
        out.push('=');
    }
    out.push_str(raw);
}

/// Appends a key and a string.
pub(crate) fn push_string(format: LogFormat, out: &mut String, key: &str, value: &str) {
    push_key(format, out, key);
    match format {
        LogFormat::Json => push_json_string(out, value),
        LogFormat::Text if value.contains('\n') => push_lines(out, value),
        LogFormat::Text => {
            out.push('=');
            push_quoted(out, value);
        }
    }
}

/// Appends a key and a number.
pub(crate) fn push_float(format: LogFormat, out: &mut String, key: &str, value: f64) {
    match format {
        LogFormat::Text if value.is_finite() => push_raw(format, out, key, &json_float(value)),
        LogFormat::Text => {
            let value = infinite(value);
            let problem = format!("<internal error: json: unsupported value: {value}>");
            push_string(format, out, key, &problem);
        }
        LogFormat::Json if value.is_finite() => {
            push_key(format, out, key);
            write!(out, "{value}").expect("a String takes all text");
        }
        LogFormat::Json => push_string(format, out, key, infinite(value)),
    }
}

/// Appends a key. In JSON the colon follows, in text what stands between key and value depends on the value.
fn push_key(format: LogFormat, out: &mut String, key: &str) {
    match format {
        LogFormat::Text => {
            out.push(' ');
            match key.bytes().any(|byte| byte.is_ascii_control()) {
                // A key is a literal, which klog writes as it is.
                false => out.push_str(key),
                true => push_quoted(out, key),
            }
        }
        LogFormat::Json => {
            out.push(',');
            push_json_string(out, key);
            out.push(':');
        }
    }
}

/// A number that JSON does not have, in the words of Go.
fn infinite(value: f64) -> &'static str {
    match value {
        value if value.is_nan() => "NaN",
        value if value > 0.0 => "+Inf",
        _ => "-Inf",
    }
}

/// Appends a string as Go's `strconv.Quote` does.
pub(crate) fn push_quoted(out: &mut String, text: &str) {
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
    if text.bytes().all(is_plain) {
        out.reserve(text.len() + 2);
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        out.push_str(&quoted(text));
    }
}

/// Appends a string of several lines, indented by a tab, so that none of them looks like a line of the log.
fn push_lines(out: &mut String, text: &str) {
    out.push_str("=<\n");
    for line in text.split_inclusive('\n') {
        out.push('\t');
        out.push_str(line);
    }
    out.push_str(if text.ends_with('\n') { " >" } else { "\n >" });
}

/// Appends a JSON string as zap does: only what JSON does not allow is escaped.
pub(crate) fn push_json_string(out: &mut String, text: &str) {
    out.push('"');
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| byte < b' ' || byte == b'"' || byte == b'\\') {
        out.push_str(&rest[..at]);
        match rest.as_bytes()[at] {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            byte => write!(out, "\\u{byte:04x}").expect("a String takes all text"),
        }
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
    out.push('"');
}

/// Appends a whole number. It is in most lines, and `write!` takes several times as long.
pub(crate) fn push_number(out: &mut String, mut number: u64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.push_str(std::str::from_utf8(&digits[at..]).expect("digits are ASCII"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(value: &str, text: &str, json: &str) {
        for (format, expected) in [(LogFormat::Text, text), (LogFormat::Json, json)] {
            let mut out = String::new();
            push_string(format, &mut out, "k", value);
            assert_eq!(out, expected);
        }
    }

    #[test]
    fn no_value_looks_like_another_line() {
        check("a", " k=\"a\"", r#","k":"a""#);
        check("é \"\\", r#" k="é \"\\""#, r#","k":"é \"\\""#);
        check("\u{7}\u{1b}[31m\r", r#" k="\a\x1b[31m\r""#, r#","k":"\u0007\u001b[31m\r""#);
        check("a\nI1129 b", " k=<\n\ta\n\tI1129 b\n >", r#","k":"a\nI1129 b""#);
        check("a\n", " k=<\n\ta\n >", r#","k":"a\n""#);
        check("\u{2028}", r#" k="\u2028""#, ",\"k\":\"\u{2028}\"");
    }

    #[test]
    fn no_key_looks_like_another_line() {
        for (format, expected) in
            [(LogFormat::Text, r#" "a\nI1129 b"="c""#), (LogFormat::Json, r#","a\nI1129 b":"c""#)]
        {
            let mut out = String::new();
            push_string(format, &mut out, "a\nI1129 b", "c");
            assert_eq!(out, expected);
        }
    }

    #[test]
    fn numbers_are_those_of_go() {
        for (value, text, json) in [
            (1.0, " k=1", r#","k":1"#),
            (0.5, " k=0.5", r#","k":0.5"#),
            (1e21, " k=1e+21", r#","k":1000000000000000000000"#),
            (f64::NAN, r#" k="<internal error: json: unsupported value: NaN>""#, r#","k":"NaN""#),
            (f64::NEG_INFINITY, r#" k="<internal error: json: unsupported value: -Inf>""#, r#","k":"-Inf""#),
        ] {
            for (format, expected) in [(LogFormat::Text, text), (LogFormat::Json, json)] {
                let mut out = String::new();
                push_float(format, &mut out, "k", value);
                assert_eq!(out, expected);
            }
        }
    }
}
