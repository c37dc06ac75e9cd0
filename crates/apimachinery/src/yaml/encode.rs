//! A JSON value to a YAML document.

use std::cmp::Ordering;

use libyaml_safer::{Emitter, Encoding, Event, MappingStyle, ScalarStyle, SequenceStyle};
use serde_json::{Number, Value};

use super::scalar::{Scalar, is_base_60, resolve};

/// Writes a value as kubectl's `-o yaml` does.
///
/// ```
/// use klient_apimachinery::yaml;
/// let text = yaml::to_string(&serde_json::json!({"kind": "Pod", "args": ["a", "1"], "note": "x\ny\n"}));
/// assert_eq!(text, "args:\n- a\n- \"1\"\nkind: Pod\nnote: |\n  x\n  y\n");
/// ```
pub fn to_string(value: &Value) -> String {
    let mut out = Vec::new();
    {
        let mut emitter = Emitter::new();
        emitter.set_output_string(&mut out);
        emitter.set_unicode(true);
        emitter.set_width(-1);
        let mut emit = |event| emitter.emit(event).expect("events are well-formed and memory takes them");
        emit(Event::stream_start(Encoding::Utf8));
        emit(Event::document_start(None, &[], true));
        write(value, &mut emit);
        emit(Event::document_end(true));
        emit(Event::stream_end());
    }
    String::from_utf8(out).expect("the emitter writes UTF-8")
}

fn write(value: &Value, emit: &mut impl FnMut(Event)) {
    match value {
        Value::Null => emit(plain("null")),
        Value::Bool(value) => emit(plain(&value.to_string())),
        Value::Number(number) => emit(plain(&number_text(number))),
        Value::String(text) => emit(string(text)),
        Value::Array(items) => {
            emit(Event::sequence_start(None, None, true, SequenceStyle::Block));
            items.iter().for_each(|item| write(item, emit));
            emit(Event::sequence_end());
        }
        Value::Object(entries) => {
            emit(Event::mapping_start(None, None, true, MappingStyle::Block));
            let mut entries: Vec<_> = entries.iter().collect();
            entries.sort_by(|(a, _), (b, _)| natural(a, b));
            for (key, value) in entries {
                emit(string(key));
                write(value, emit);
            }
            emit(Event::mapping_end());
        }
    }
}

fn plain(text: &str) -> Event {
    Event::scalar(None, None, text, true, true, ScalarStyle::Plain)
}

/// Text is plain unless it would be read as something else; the emitter quotes what cannot be plain.
fn string(text: &str) -> Event {
    let style = if text.contains('\n') {
        ScalarStyle::Literal
    } else if resolve(text) == Scalar::Text && !is_base_60(text) {
        ScalarStyle::Plain
    } else {
        ScalarStyle::DoubleQuoted
    };
    Event::scalar(None, None, text, true, true, style)
}

/// The order in which kubectl writes keys: letters after other characters, runs of digits by their number.
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

/// A number as Go writes it: whole ones as integers, others with an exponent where that is far from zero.
fn number_text(number: &Number) -> String {
    let Some(float) = number.as_f64().filter(|_| number.is_f64()) else { return number.to_string() };
    if float.fract() == 0.0 && float.abs() < u64::MAX as f64 {
        return format!("{float:.0}");
    }
    let scientific = format!("{float:e}");
    match scientific.split_once('e').map(|(digits, exponent)| (digits, exponent.parse::<i32>())) {
        Some((digits, Ok(exponent))) if !(-4..6).contains(&exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", exponent.unsigned_abs())
        }
        _ => number.to_string(),
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
                "plain": ["a:b", "-x", "10.0.0.1", "a b", "ü", "/path", "25%", "a,b", "http://x/y?z=1"],
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
                - 😀
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
        assert_eq!(to_string(&json!(u64::MAX)), "18446744073709551615\n");
    }

    #[test]
    fn keys_are_sorted_as_people_count() {
        let mut keys = ["b", "a10", "a2", "a", "10", "9", "a-b", "aB", "A", "a100", "a20"];
        keys.sort_by(|a, b| natural(a, b));
        assert_eq!(keys, ["9", "10", "A", "a", "a-b", "a2", "a10", "a20", "a100", "aB", "b"]);
    }
}
