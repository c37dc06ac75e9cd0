//! KYAML, YAML in flow style with quoted strings (KEP-5295).

use klient_apimachinery::Time;
use klient_apimachinery::go::is_printable;
use serde_json::Value;

use super::field_order::FieldOrder;
use super::go_syntax::escape;
use super::json::number;

const FOLD: &str = "\\\n";

/// Returns a document, with the `---` before it.
pub(super) fn document(object: &Value, order: FieldOrder) -> String {
    let mut out = String::from("---\n");
    write(&mut out, object, order, 0);
    out.push('\n');
    out
}

/// Returns a watch event as a document, its type first.
pub(super) fn event(kind: &str, object: &Value) -> String {
    let mut out = String::from("---\n");
    let kind = Value::from(kind);
    let order = FieldOrder::ALPHABETICAL;
    write_mapping(&mut out, [("type", &kind, order), ("object", object, order)], 0);
    out.push('\n');
    out
}

fn write(out: &mut String, value: &Value, order: FieldOrder, depth: usize) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Number(value) => out.push_str(&number(value)),
        Value::String(text) if text.contains('\n') => write_lines(out, text, depth + 1),
        Value::String(text) => write_quoted(out, text, "\t"),
        Value::Array(items) if items.is_empty() => out.push_str("[]"),
        Value::Array(items) => write_sequence(out, items, order, depth),
        Value::Object(entries) if entries.is_empty() => out.push_str("{}"),
        Value::Object(entries) => write_mapping(out, order.of(entries), depth),
    }
}

fn write_mapping<'a>(
    out: &mut String,
    entries: impl IntoIterator<Item = (&'a str, &'a Value, FieldOrder)>,
    depth: usize,
) {
    out.push_str("{\n");
    for (key, value, order) in entries {
        indent(out, depth + 1);
        if needs_quotes(key) {
            write_quoted(out, key, "\\t");
        } else {
            out.push_str(key);
        }
        out.push_str(": ");
        write(out, value, order, depth + 1);
        out.push_str(",\n");
    }
    indent(out, depth);
    out.push('}');
}

/// Writes a sequence. Items that are all mappings or sequences share lines; otherwise each item has its own line.
fn write_sequence(out: &mut String, items: &[Value], order: FieldOrder, depth: usize) {
    out.push('[');
    if items.iter().all(|item| item.is_array() || item.is_object()) {
        for (index, item) in items.iter().enumerate() {
            out.push_str(if index > 0 { ", " } else { "" });
            write(out, item, order, depth);
        }
    } else {
        out.push('\n');
        for item in items {
            indent(out, depth + 1);
            write(out, item, order, depth + 1);
            out.push_str(",\n");
        }
        indent(out, depth);
    }
    out.push(']');
}

/// Writes a string on one line, with `tab` in place of a tab.
fn write_quoted(out: &mut String, text: &str, tab: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '\t' => out.push_str(tab),
            c => write_escaped(out, c),
        }
    }
    out.push('"');
}

/// Writes a string of several lines, folded after each line break. A YAML parser drops the indentation of a folded
/// line, so a backslash precedes a line that begins with white space, and a space any other line.
fn write_lines(out: &mut String, text: &str, depth: usize) {
    out.push('"');
    out.push_str(FOLD);
    let mut line_start = true;
    for c in text.chars() {
        if line_start {
            indent(out, depth);
            out.push(if c.is_whitespace() && c != '\n' { '\\' } else { ' ' });
        }
        line_start = c == '\n';
        match c {
            '\n' => {
                out.push_str("\\n");
                out.push_str(FOLD);
            }
            '\t' => out.push('\t'),
            c => write_escaped(out, c),
        }
    }
    if !line_start {
        out.push_str(FOLD);
    }
    indent(out, depth);
    out.push('"');
}

fn write_escaped(out: &mut String, c: char) {
    match c {
        '"' | '\\' => out.extend(['\\', c]),
        c if is_printable(c) => out.push(c),
        '\0' => out.push_str("\\0"),
        '\x07' => out.push_str("\\a"),
        '\x08' => out.push_str("\\b"),
        '\n' => out.push_str("\\n"),
        '\x0b' => out.push_str("\\v"),
        '\x0c' => out.push_str("\\f"),
        '\r' => out.push_str("\\r"),
        '\x1b' => out.push_str("\\e"),
        '\u{85}' => out.push_str("\\N"),
        '\u{a0}' => out.push_str("\\_"),
        '\u{2028}' => out.push_str("\\L"),
        '\u{2029}' => out.push_str("\\P"),
        c => out.push_str(&escape(c)),
    }
}

fn indent(out: &mut String, depth: usize) {
    (0..depth).for_each(|_| out.push_str("  "));
}

fn needs_quotes(key: &str) -> bool {
    let last = key.chars().count().saturating_sub(1);
    let is_plain = |(index, c): (usize, char)| {
        c.is_alphabetic() || c.is_numeric() || c == '_' || (index > 0 && index < last && "-./".contains(c))
    };
    key.is_empty() || !key.chars().enumerate().all(is_plain) || is_ambiguous(key)
}

/// Returns true if a YAML parser might not read a plain scalar as a string.
fn is_ambiguous(word: &str) -> bool {
    const WORDS: [&str; 12] = ["null", "true", "t", "y", "yes", "on", "false", "f", "n", "no", "off", "nan"];
    WORDS.contains(&word.to_lowercase().as_str()) || is_number(&word.replace('_', "")) || is_date(word)
}

fn is_number(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    let in_base = |prefix, base| {
        let digits = lower.strip_prefix(prefix).filter(|digits| !digits.starts_with('-'));
        digits.is_some_and(|digits| i64::from_str_radix(digits, base).is_ok())
    };
    let is_decimal =
        || lower.parse::<f64>().is_ok_and(|number| number.is_finite() || lower.starts_with("inf"));
    in_base("0x", 16) || in_base("0o", 8) || in_base("0b", 2) || is_decimal() || is_hexadecimal_float(&lower)
}

/// Returns true for a number such as `0x1.8p-2`.
fn is_hexadecimal_float(word: &str) -> bool {
    let Some((mantissa, exponent)) = word.strip_prefix("0x").and_then(|rest| rest.split_once('p')) else {
        return false;
    };
    let digits = mantissa.replacen('.', "", 1);
    !digits.is_empty()
        && digits.chars().all(|c| c.is_ascii_hexdigit())
        && exponent.parse::<i64>().is_ok_and(|exponent| exponent < 1024)
}

fn is_date(word: &str) -> bool {
    let mut parts = word.splitn(3, '-');
    let (Some(year), Some(month), Some(day)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let is_short = |part: &str| matches!(part.len(), 1 | 2);
    let midnight = format!("{year}-{month:0>2}-{day:0>2}T00:00:00Z");
    year.len() == 4 && is_short(month) && is_short(day) && midnight.parse::<Time>().is_ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_are_quoted_where_they_may_be_read_as_something_else() {
        let plain = [
            "a",
            "a.b/c-d",
            "_",
            "é",
            "2020-02-30",
            "0x",
            "0b2",
            "1e999",
            "truely",
            "e5",
            "0xp1",
            "0x-1",
            "１",
        ];
        let quoted = [
            "",
            "yes",
            "T",
            "Null",
            "1",
            "08",
            "1_000",
            "1e-5",
            "0x1f",
            "0o17",
            "0b1",
            "0x1p4",
            "inf",
            "Infinity",
            "nan",
            "2020-02-29",
            "2020-2-9",
            "a-",
            ".a",
            "a b",
            "x\ny",
            "~",
            "<<",
        ];
        for key in plain {
            assert!(!needs_quotes(key), "{key:?}");
        }
        for key in quoted {
            assert!(needs_quotes(key), "{key:?}");
        }
    }

    #[test]
    fn documents_are_laid_out() {
        let cases = [
            ("items of brackets", json!({"a": [{}, {"b": 1}, [2]]}), {
                "---\n{\n  a: [{}, {\n    b: 1,\n  }, [\n    2,\n  ]],\n}\n"
            }),
            ("other items", json!({"a": [{}, "x", null], "b": []}), {
                "---\n{\n  a: [\n    {},\n    \"x\",\n    null,\n  ],\n  b: [],\n}\n"
            }),
            ("lines", json!({"a": "x\n  y\n\tz\n"}), {
                "---\n{\n  a: \"\\\n     x\\n\\\n    \\  y\\n\\\n    \\\tz\\n\\\n    \",\n}\n"
            }),
            ("a last line without an end", json!({"a": "\nx"}), {
                "---\n{\n  a: \"\\\n     \\n\\\n     x\\\n    \",\n}\n"
            }),
            ("escapes", json!({"a\tb": "\ta\"\\\u{1b}\u{a0}\u{200b}é"}), {
                "---\n{\n  \"a\\tb\": \"\ta\\\"\\\\\\e\\_\\u200bé\",\n}\n"
            }),
        ];
        for (name, value, text) in cases {
            assert_eq!(document(&value, FieldOrder::ALPHABETICAL), text, "{name}");
        }
    }
}
