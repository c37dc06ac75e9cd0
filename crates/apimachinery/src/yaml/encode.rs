//! Encoding of a JSON value as a YAML document.

use std::cmp::Ordering;

use serde_json::{Number, Value};

use super::emit::{Emitter, Style};
use super::scalar::{Scalar, is_base_60, resolve};
use crate::go;

/// Writes a value as kubectl's `-o yaml` does.
///
/// ```
/// use klient_apimachinery::yaml;
/// let text = yaml::to_string(&serde_json::json!({"kind": "Pod", "args": ["a", "1"], "note": "x\ny\n"}));
/// assert_eq!(text, "args:\n- a\n- \"1\"\nkind: Pod\nnote: |\n  x\n  y\n");
/// ```
pub fn to_string(value: &Value) -> String {
    let mut emitter = Emitter::new();
    write(value, None, false, &mut emitter);
    emitter.finish()
}

/// Writes a value in a block with an indentation.
fn write(value: &Value, indent: Option<usize>, is_behind_key: bool, emitter: &mut Emitter) {
    let inner = indent.map_or(0, |indent| indent + 2);
    let further = inner.max(2);
    match value {
        Value::Null => emitter.scalar("null", Style::Plain, further),
        Value::Bool(value) => emitter.scalar(&value.to_string(), Style::Plain, further),
        Value::Number(value) => emitter.scalar(&number(value), Style::Plain, further),
        Value::String(text) => emitter.scalar(text, style(text), further),
        Value::Array(items) if items.is_empty() => emitter.empty(["[", "]"]),
        Value::Object(entries) if entries.is_empty() => emitter.empty(["{", "}"]),
        Value::Array(items) => {
            // A list behind a key is indented like the key.
            let own = indent.filter(|_| is_behind_key && !emitter.is_at_indentation()).unwrap_or(inner);
            for item in items {
                emitter.item(own);
                write(item, Some(own), false, emitter);
            }
        }
        Value::Object(entries) => {
            let mut entries: Vec<_> = entries.iter().collect();
            entries.sort_by(|(a, _), (b, _)| natural(a, b));
            for (key, value) in entries {
                emitter.key(key, style(key), inner);
                write(value, Some(inner), true, emitter);
            }
        }
    }
}

/// The style of a string: plain unless it would be read as something else. kubectl writes `<<` plain too.
fn style(text: &str) -> Style {
    if text.contains('\n') {
        Style::Literal
    } else if matches!(resolve(text), Scalar::Text | Scalar::Merge) && !is_base_60(text) {
        Style::Plain
    } else {
        Style::DoubleQuoted
    }
}

/// The order of keys in kubectl's output: letters after other characters, runs of digits by their value.
fn natural(a: &str, b: &str) -> Ordering {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let Some(at) = a.iter().zip(&b).position(|(a, b)| a != b) else { return a.len().cmp(&b.len()) };
    let (x, y) = (a[at], b[at]);
    match (x.is_alphabetic(), y.is_alphabetic()) {
        (true, true) => return x.cmp(&y),
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    let run = |chars: &[char]| -> (u128, usize) {
        let digits: String = chars[at..].iter().take_while(|c| c.is_ascii_digit()).take(30).collect();
        (digits.parse().unwrap_or(0), digits.len())
    };
    let ((mut x_number, x_len), (mut y_number, y_len)) = (run(&a), run(&b));
    // Behind a digit other than 0, a 0 is part of a longer number.
    let in_number = a[..at].iter().rev().take_while(|c| c.is_ascii_digit()).any(|c| *c != '0');
    if (x == '0' || y == '0') && in_number {
        x_number += 10_u128.pow(x_len as u32);
        y_number += 10_u128.pow(y_len as u32);
    }
    x_number.cmp(&y_number).then(x_len.cmp(&y_len)).then(x.cmp(&y))
}

/// A number as Go's YAML writes it after Go's JSON has read it: whole ones as integers if they fit into 64 bits.
fn number(number: &Number) -> String {
    let Some(float) = number.as_f64().filter(|_| !number.is_i64()) else { return number.to_string() };
    match go::json_float(float) {
        zero if zero == "-0" => "0".to_owned(),
        whole if whole.parse::<i64>().is_ok() || whole.parse::<u64>().is_ok() => whole,
        _ => go::float(float),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use serde_json::json;

    use super::*;
    use crate::yaml;

    #[track_caller]
    fn check(value: Value, text: Expect) {
        let written = to_string(&value);
        text.assert_eq(&written);
        assert_eq!(yaml::from_str(&written), Ok(value));
    }

    #[test]
    fn layout_and_quotes_are_kubectls() {
        check(
            json!({
                "empty": {"list": [], "map": {}, "text": ""},
                "items": [{"a": 1, "b": [1, [2, 3]]}, "x"],
                "quoted": ["yes", "1", "null", "2026-11-21T10:04:03Z", "1:30", "~", "0x1"],
                "single": ["a: b", " lead", "*star", "#hash", "- dash", "{x", "@at", "a #b", "end:"],
                "plain": ["a:b", "-x", "10.0.0.1", "a b", "ü", "/path", "25%", "a,b", "http://x/y?z=1", "<<"],
                "special": ["tab\there", "bell\u{7}", "\u{1F600}"],
                "lines": ["a\nb", "a\nb\n", "a\n\n", "\n", " a\nb", "a \nb"],
                "null": null,
                "float": 1.5,
            }),
            expect![[r#"
                empty:
                  list: []
                  map: {}
                  text: ""
                float: 1.5
                items:
                - a: 1
                  b:
                  - 1
                  - - 2
                    - 3
                - x
                lines:
                - |-
                  a
                  b
                - |
                  a
                  b
                - |+
                  a

                - |2+

                - |2-
                   a
                  b
                - "a \nb"
                "null": null
                plain:
                - a:b
                - -x
                - 10.0.0.1
                - a b
                - ü
                - /path
                - 25%
                - a,b
                - http://x/y?z=1
                - <<
                quoted:
                - "yes"
                - "1"
                - "null"
                - "2026-11-21T10:04:03Z"
                - "1:30"
                - "~"
                - "0x1"
                single:
                - 'a: b'
                - ' lead'
                - '*star'
                - '#hash'
                - '- dash'
                - '{x'
                - '@at'
                - 'a #b'
                - 'end:'
                special:
                - "tab\there"
                - "bell\a"
                - "\U0001F600"
            "#]],
        );
    }

    #[test]
    fn numbers_are_gos() {
        let cases =
            [(1.0, "1"), (1e6, "1000000"), (0.5, "0.5"), (1e-7, "1e-07"), (1234567.5, "1.2345675e+06")];
        for (number, text) in cases {
            assert_eq!(to_string(&json!(number)), format!("{text}\n"));
        }
        assert_eq!(to_string(&json!(u64::MAX)), "1.8446744073709552e+19\n");
        assert_eq!(to_string(&json!(10_000_000_000_000_000_000_u64)), "10000000000000000000\n");
        assert_eq!(to_string(&json!(9_223_372_036_854_775_808.0)), "9223372036854776000\n");
        assert_eq!(to_string(&json!(-0.0)), "0\n");
    }

    #[test]
    fn keys_are_sorted_as_people_count() {
        let mut keys = ["b", "a10", "a2", "a", "10", "9", "a-b", "aB", "A", "a100", "a20"];
        keys.sort_by(|a, b| natural(a, b));
        assert_eq!(keys, ["9", "10", "A", "a", "a-b", "a2", "a10", "a20", "a100", "aB", "b"]);
    }
}
