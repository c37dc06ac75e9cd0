//! Comparison, ordering and printing of JSON values as in Kubernetes.
//!
//! 1 and 1.0 are the same number, and values of all types have one order: numbers, strings, booleans, lists, maps,
//! null.

use klient_apimachinery::go::{self, quoted};
use std::cmp::Ordering;
use std::fmt::Write as _;

use serde_json::{Number, Value};

use crate::Map;

/// A value, or the object at the root, which is no [`Value`] of its own.
#[derive(Clone, Copy)]
pub(crate) enum Node<'a> {
    Null,
    Scalar(&'a Value),
    List(&'a [Value]),
    Map(&'a Map),
}

impl Node<'_> {
    /// The value itself.
    pub(crate) fn to_value(self) -> Value {
        match self {
            Node::Null => Value::Null,
            Node::Scalar(value) => value.clone(),
            Node::List(items) => Value::Array(items.to_vec()),
            Node::Map(entries) => Value::Object(entries.clone()),
        }
    }
}

impl<'a> From<&'a Value> for Node<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => Node::Null,
            Value::Array(items) => Node::List(items),
            Value::Object(entries) => Node::Map(entries),
            scalar => Node::Scalar(scalar),
        }
    }
}

impl<'a> From<&'a Map> for Node<'a> {
    fn from(entries: &'a Map) -> Self {
        Node::Map(entries)
    }
}

/// The entries of a map sorted by name: serde_json's `preserve_order` keeps them in insertion order.
pub(crate) fn sorted(entries: &Map) -> Vec<(&str, &Value)> {
    let mut sorted: Vec<_> = entries.iter().map(|(name, value)| (name.as_str(), value)).collect();
    if !sorted.is_sorted_by_key(|(name, _)| *name) {
        sorted.sort_unstable_by_key(|(name, _)| *name);
    }
    sorted
}

/// Returns true if two values are equal.
pub(crate) fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => compare_numbers(left, right).is_eq(),
        (Value::Array(left), Value::Array(right)) => equal_lists(left, right),
        (Value::Object(left), Value::Object(right)) => equal_maps(left, right),
        (left, right) => left == right,
    }
}

/// Returns true if two lists hold equal values.
pub(crate) fn equal_lists(left: &[Value], right: &[Value]) -> bool {
    left.len() == right.len() && left.iter().zip(right).all(|(left, right)| equal(left, right))
}

/// Returns true if two maps hold equal values.
pub(crate) fn equal_maps(left: &Map, right: &Map) -> bool {
    left.len() == right.len()
        && left.iter().all(|(name, value)| right.get(name).is_some_and(|other| equal(value, other)))
}

/// Returns true if two nodes are equal.
pub(crate) fn equal_nodes(left: Node<'_>, right: Node<'_>) -> bool {
    match (left, right) {
        (Node::Null, Node::Null) => true,
        (Node::Scalar(left), Node::Scalar(right)) => equal(left, right),
        (Node::List(left), Node::List(right)) => equal_lists(left, right),
        (Node::Map(left), Node::Map(right)) => equal_maps(left, right),
        _ => false,
    }
}

/// The order of values.
pub(crate) fn compare(left: &Value, right: &Value) -> Ordering {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => compare_numbers(left, right),
        (Value::String(left), Value::String(right)) => left.cmp(right),
        (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
        (Value::Array(left), Value::Array(right)) => {
            let differences = left.iter().zip(right).map(|(left, right)| compare(left, right));
            first_difference(differences).then(left.len().cmp(&right.len()))
        }
        (Value::Object(left), Value::Object(right)) => {
            let (left, right) = (sorted(left), sorted(right));
            let differences = left.iter().zip(&right).map(|((name, value), (other_name, other))| {
                name.cmp(other_name).then_with(|| compare(value, other))
            });
            first_difference(differences).then(left.len().cmp(&right.len()))
        }
        (left, right) => rank(left).cmp(&rank(right)),
    }
}

fn first_difference(mut differences: impl Iterator<Item = Ordering>) -> Ordering {
    differences.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

fn rank(value: &Value) -> u8 {
    match value {
        Value::Number(_) => 0,
        Value::String(_) => 1,
        Value::Bool(_) => 2,
        Value::Array(_) => 3,
        Value::Object(_) => 4,
        Value::Null => 5,
    }
}

/// Compares numbers exactly. Go converts an integer to a float first, so that large ones may be less than, equal to
/// and greater than each other at the same time; a sorted set needs a total order.
fn compare_numbers(left: &Number, right: &Number) -> Ordering {
    match (left.as_i64(), right.as_i64()) {
        (Some(left), Some(right)) => left.cmp(&right),
        (Some(left), None) => compare_with_float(left, float(right)),
        (None, Some(right)) => compare_with_float(right, float(left)).reverse(),
        (None, None) => float(left).partial_cmp(&float(right)).unwrap_or(Ordering::Equal),
    }
}

/// 2⁶³, one more than the greatest integer.
const END: f64 = 9_223_372_036_854_775_808.0;

fn compare_with_float(integer: i64, float: f64) -> Ordering {
    if float >= END {
        return Ordering::Less;
    }
    if float < -END {
        return Ordering::Greater;
    }
    let whole = float.trunc();
    integer
        .cmp(&(whole as i64))
        .then_with(|| 0.0_f64.partial_cmp(&(float - whole)).unwrap_or(Ordering::Equal))
}

/// Integers beyond 64 bits are floats, as in Go.
fn float(number: &Number) -> f64 {
    number.as_f64().unwrap_or_default()
}

/// A value as printed in a path: `"a"`, `1`, `[1,2]`.
pub(crate) fn show(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => show_number(number),
        Value::String(text) => quoted(text),
        Value::Array(items) => format!("[{}]", items.iter().map(show).collect::<Vec<_>>().join(",")),
        Value::Object(entries) => {
            sorted(entries).iter().map(|(name, value)| format!("{name}={}", show(value))).collect()
        }
    }
}

/// A number as Go's `%v` prints it.
pub(crate) fn show_number(number: &Number) -> String {
    number.as_i64().map_or_else(|| go::float(float(number)), |integer| integer.to_string())
}

/// A number as jsoniter writes it: as Go's `encoding/json`, but with at least two digits in an exponent.
fn plain_number(number: &Number) -> String {
    if let Some(integer) = number.as_i64() {
        return integer.to_string();
    }
    let float = float(number);
    if float.fract() == 0.0 && (-END..END).contains(&float) {
        // All its digits, as it reads back as an integer.
        return (float as i64).to_string();
    }
    let text = go::json_float(float);
    match text.split_once("e-") {
        Some((digits, exponent)) => format!("{digits}e-{exponent:0>2}"),
        None => text,
    }
}

/// Appends a value as upstream writes the values of path elements: with jsoniter, whose strings and numbers differ from
/// those of Go's `encoding/json` in a few escapes and exponents.
pub(crate) fn write_json(value: &Value, out: &mut String) {
    match value {
        Value::Number(number) => out.push_str(&plain_number(number)),
        Value::String(text) => write_text(text, true, out),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_json(item, out);
            }
            out.push(']');
        }
        Value::Object(entries) => {
            out.push('{');
            for (index, (name, value)) in sorted(entries).into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_text(name, true, out);
                out.push(':');
                write_json(value, out);
            }
            out.push('}');
        }
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Null => out.push_str("null"),
    }
}

/// Appends a quoted string as jsoniter does; `html` escapes characters with a meaning in HTML.
pub(crate) fn write_text(text: &str, html: bool, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' || (html && matches!(c, '<' | '>' | '&' | '\u{2028}' | '\u{2029}')) => {
                write!(out, "\\u{:04x}", u32::from(c)).expect("a String takes all text");
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
    fn values_have_one_order() {
        let big = 9_007_199_254_740_993_i64;
        let ordered = [
            json!(-1.5),
            json!(-1),
            json!(0),
            json!(0.5),
            json!(1),
            json!(1.5),
            json!(9_007_199_254_740_992.0),
            json!(big),
            json!(u64::MAX),
            json!(1e30),
            json!("a"),
            json!("b"),
            json!(false),
            json!(true),
            json!([]),
            json!([1]),
            json!([1, 1]),
            json!([2]),
            json!({}),
            json!({"a": 1}),
            json!({"a": 1, "b": 0}),
            json!({"a": 2}),
            json!({"b": 0}),
            json!(null),
        ];
        for (at, left) in ordered.iter().enumerate() {
            for (other, right) in ordered.iter().enumerate() {
                assert_eq!(compare(left, right), at.cmp(&other), "{left} {right}");
                assert_eq!(equal(left, right), at == other, "{left} {right}");
            }
        }
        assert!(equal(&json!([1, {"a": 2.0}]), &json!([1.0, {"a": 2}])));
    }

    #[test]
    fn values_are_shown_as_go_shows_them() {
        for (value, shown) in [
            (json!("a\"\n\u{1}é\u{200b}"), r#""a\"\n\x01é\u200b""#),
            (json!(80.0), "80"),
            (json!(0.00001), "1e-05"),
            (json!(1234567.5), "1.2345675e+06"),
            (json!(82636196116947.12), "8.263619611694712e+13"),
            (json!(1e21), "1e+21"),
            (json!([1, "a", true, null]), r#"[1,"a",true,null]"#),
        ] {
            assert_eq!(show(&value), shown);
        }
    }

    #[test]
    fn floats_read_back_to_what_they_were() {
        for text in [
            "49999999999999999999999999999999999999999999999994",
            "[1,{\"a\":[0.30000000000000004,5e-324]}]",
            "18446744073709551615",
            "4999989999999900000.5",
            "-0.0",
            "1.7976931348623157e+308",
        ] {
            let value = serde_json::from_str::<Value>(text).unwrap();
            let mut written = String::new();
            write_json(&value, &mut written);
            assert!(equal(&serde_json::from_str(&written).unwrap(), &value), "{text} {written}");
        }
        assert!(serde_json::from_str::<Value>("1e999").is_err());
    }

    /// Cases of a Go program: `fieldpath.SerializePathElement` of a value.
    #[test]
    fn json_is_written_as_upstream_writes_it() {
        for (value, written) in [
            (json!(-0.5), "-0.5"),
            (json!(1e-5), "0.00001"),
            (json!(1e-6), "0.000001"),
            (json!(9.99e-7), "9.99e-07"),
            (json!(1e-7), "1e-07"),
            (json!(2.5e-10), "2.5e-10"),
            (json!(2.0), "2"),
            (json!(82636196116947.12), "82636196116947.12"),
            (json!(123456789012345680.0), "123456789012345680"),
            (json!(u64::MAX), "18446744073709552000"),
            (json!(1e20), "100000000000000000000"),
            (json!(1e21), "1e+21"),
            (json!(-1e100), "-1e+100"),
            (json!(5e-324), "5e-324"),
            (
                json!("\u{8}\u{c}\n\r\t\u{b}\0\u{1f}\u{7f}\u{80}\u{a0}\u{2028}\u{2029}<>&'\"\\/é😀\u{feff}"),
                "\"\\u0008\\u000c\\n\\r\\t\\u000b\\u0000\\u001f\u{7f}\u{80}\u{a0}\\u2028\\u2029\\u003c\\u003e\\u0026'\\\"\\\\/é😀\u{feff}\"",
            ),
            (
                json!([1.0, "a", null, true, {"b": 1.5e-7, "a<": "<"}]),
                r#"[1,"a",null,true,{"a\u003c":"\u003c","b":1.5e-07}]"#,
            ),
        ] {
            let mut out = String::new();
            write_json(&value, &mut out);
            assert_eq!(out, written);
        }
    }
}
