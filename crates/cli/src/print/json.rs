//! JSON as Go's `encoding/json` writes it: `<`, `>` and `&` are escaped, and numbers have Go's format.

use klient_apimachinery::go::json_float;
use klient_apimachinery::{Unstructured, values};
use serde_json::Value;

use super::field_order::FieldOrder;
use super::go_syntax::Number;

/// Returns JSON indented by four spaces.
pub(crate) fn pretty(value: &Value) -> String {
    indent(&compact(value))
}

/// Returns JSON indented by four spaces, with its fields in an order.
pub(super) fn pretty_in_order(value: &Value, order: FieldOrder) -> String {
    indent(&compact_in_order(value, order))
}

fn compact_in_order(value: &Value, order: FieldOrder) -> String {
    match value {
        Value::Object(fields) => {
            let field = |(name, value, order): (&str, &Value, FieldOrder)| {
                format!("{}:{}", compact(&name.into()), compact_in_order(value, order))
            };
            format!("{{{}}}", order.of(fields).into_iter().map(field).collect::<Vec<_>>().join(","))
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| compact_in_order(item, order)).collect();
            format!("[{}]", items.join(","))
        }
        value => compact(value),
    }
}

/// Returns the indented JSON of an object of a built-in kind, with the field order of Go's struct.
pub(crate) fn pretty_built_in(object: &Unstructured) -> String {
    indent(&compact_built_in(object))
}

/// Returns the compact JSON of an object of a built-in kind, with the field order of Go's struct.
pub(crate) fn compact_built_in(object: &Unstructured) -> String {
    let kind = object.group_version_kind();
    let Some(schema) = klient_schema::kind(&kind.group, &kind.version, &kind.kind) else {
        return compact(&Value::Object(object.0.clone()));
    };
    let mut json = Vec::new();
    values::encode(&object.0, schema, &mut json);
    String::from_utf8(json).expect("JSON is UTF-8")
}

/// Returns compact JSON.
pub(crate) fn compact(value: &Value) -> String {
    let mut json = Vec::new();
    values::encode_untyped(value, &mut json);
    String::from_utf8(json).expect("JSON is UTF-8")
}

/// Returns the compact JSON of a watch event, its type first.
pub(super) fn event(kind: &str, object: &Value) -> String {
    format!("{{\"type\":{},\"object\":{}}}", compact(&kind.into()), compact(object))
}

/// Indents compact JSON.
fn indent(json: &str) -> String {
    const INDENT: &str = "    ";
    let mut out = String::with_capacity(json.len() * 2);
    let mut depth = 0;
    let mut rest = json;
    let break_line = |out: &mut String, depth| {
        out.push('\n');
        (0..depth).for_each(|_| out.push_str(INDENT));
    };
    while let Some(c) = rest.chars().next() {
        let mut token = c.len_utf8();
        match c {
            '"' => {
                token = string_end(rest);
                out.push_str(&rest[..token]);
            }
            '{' | '[' if rest[1..].starts_with(['}', ']']) => {
                token = 2;
                out.push_str(&rest[..token]);
            }
            '{' | '[' => {
                depth += 1;
                out.push(c);
                break_line(&mut out, depth);
            }
            '}' | ']' => {
                depth -= 1;
                break_line(&mut out, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                break_line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            c => out.push(c),
        }
        rest = &rest[token..];
    }
    out
}

/// Returns the length of the string at the beginning of JSON.
fn string_end(json: &str) -> usize {
    let mut escaped = true;
    let end = json.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    });
    end.map_or(json.len(), |end| end + 1)
}

/// Returns a number in Go's JSON format.
pub(super) fn number(number: &serde_json::Number) -> String {
    match Number::from(number) {
        Number::Int(number) => number.to_string(),
        Number::Float(number) => json_float(number),
    }
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
