//! JSON as Go writes it: with `<`, `>` and `&` escaped, and numbers in Go's form.

use klient_apimachinery::go::json_float;
use serde_json::Value;

use super::golang::Number;

const INDENT: &str = "    ";

/// With each entry on a line of its own.
pub(crate) fn pretty(value: &Value) -> String {
    let mut out = String::new();
    write(&mut out, value, Some(0));
    out
}

/// On one line.
pub(crate) fn compact(value: &Value) -> String {
    let mut out = String::new();
    write(&mut out, value, None);
    out
}

/// A watch event on one line, its type first.
pub(super) fn event(kind: &str, object: &Value) -> String {
    let mut out = String::from("{\"type\":");
    write_string(&mut out, kind);
    out.push_str(",\"object\":");
    write(&mut out, object, None);
    out.push('}');
    out
}

fn write(out: &mut String, value: &Value, depth: Option<usize>) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Number(value) => out.push_str(&number(value)),
        Value::String(text) => write_string(out, text),
        Value::Array(items) => write_entries(out, ['[', ']'], depth, items, write),
        Value::Object(entries) => {
            write_entries(out, ['{', '}'], depth, entries, |out, (key, value), inner| {
                write_string(out, key);
                out.push_str(if inner.is_some() { ": " } else { ":" });
                write(out, value, inner);
            })
        }
    }
}

fn write_entries<T>(
    out: &mut String,
    [open, close]: [char; 2],
    depth: Option<usize>,
    entries: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&mut String, T, Option<usize>),
) {
    let inner = depth.map(|depth| depth + 1);
    let mut any = false;
    out.push(open);
    for entry in entries {
        if any {
            out.push(',');
        }
        any = true;
        break_line(out, inner);
        write(out, entry, inner);
    }
    if any {
        break_line(out, depth);
    }
    out.push(close);
}

fn break_line(out: &mut String, depth: Option<usize>) {
    if let Some(depth) = depth {
        out.push('\n');
        (0..depth).for_each(|_| out.push_str(INDENT));
    }
}

/// A number in JSON.
pub(super) fn number(number: &serde_json::Number) -> String {
    match Number::from(number) {
        Number::Int(number) => number.to_string(),
        Number::Float(number) => json_float(number),
    }
}

fn write_string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..' ' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                out.push_str(&format!("\\u{:04x}", c as u32));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_written_as_go_does() {
        let cases = [
            ("numbers", json!([-5, 1.0, -0.0, 2.5, 1e20]), "[-5,1,-0,2.5,100000000000000000000]"),
            ("large numbers", json!([1e21, 1.5e300, u64::MAX]), "[1e+21,1.5e+300,18446744073709552000]"),
            ("small numbers", json!([0.00001, 0.000001, 0.0000001]), "[0.00001,0.000001,1e-7]"),
            ("markup", json!("<a href=\"x\">&</a>"), r#""\u003ca href=\"x\"\u003e\u0026\u003c/a\u003e""#),
            ("controls", json!("\\\n\t\r\u{8}\u{c}\u{1}\u{1b}"), r#""\\\n\t\r\b\f\u0001\u001b""#),
            ("other text", json!("é😀\u{7f}\u{a0}\u{2028}"), "\"é😀\u{7f}\u{a0}\\u2028\""),
            (
                "keys in order",
                json!({"b": null, "a": {}, "c": [true, []]}),
                r#"{"a":{},"b":null,"c":[true,[]]}"#,
            ),
        ];
        for (name, value, written) in cases {
            assert_eq!(compact(&value), written, "{name}");
        }
    }

    #[test]
    fn entries_are_indented() {
        let value = json!({"a": [1, {"b": {}}], "c": [], "d": {"e": null}});
        let lines = [
            "{",
            "    \"a\": [",
            "        1,",
            "        {",
            "            \"b\": {}",
            "        }",
            "    ],",
            "    \"c\": [],",
            "    \"d\": {",
            "        \"e\": null",
            "    }",
            "}",
        ];
        assert_eq!(pretty(&value), lines.join("\n"));
    }
}
