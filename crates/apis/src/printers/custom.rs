//! Cells of custom resources, whose columns are defined by type and path.

use std::borrow::Cow;

use klient_apimachinery::go::float;
use klient_apimachinery::{Time, values};
use serde_json::{Number, Value};

use super::age;

/// The cell of an additional printer column: the value at its path, in the format of its type. A value of another
/// type gives an empty cell.
pub fn cell_of(column_type: &str, value: Option<&Value>, now: Time) -> Value {
    let Some(value) = value else { return Value::Null };
    match (column_type, value) {
        ("string", value) => printed(value).into(),
        ("integer", Value::Number(number)) => whole(number),
        ("number", Value::Number(number)) => number.as_f64().into(),
        ("boolean", Value::Bool(_)) => value.clone(),
        ("date", Value::String(text)) => date(text, now).into(),
        _ => Value::Null,
    }
}

fn whole(number: &Number) -> Value {
    match (number.as_i64(), number.as_f64()) {
        (Some(number), _) => number.into(),
        (None, Some(number)) => (number as i64).into(),
        (None, None) => Value::Null,
    }
}

fn date(text: &str, now: Time) -> Cow<'static, str> {
    match text {
        "" | "null" => age::UNKNOWN.into(),
        _ if text.parse::<Time>().is_err() => "<invalid>".into(),
        _ => age::age(text, now).into(),
    }
}

/// A value of any type as Go's JSON paths print it.
fn printed(value: &Value) -> String {
    match value {
        Value::Null => "<no value>".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (None, Some(number)) => float(number),
            _ => number.to_string(),
        },
        Value::Bool(_) => value.to_string(),
        Value::Array(_) | Value::Object(_) => {
            let mut json = Vec::new();
            values::encode_untyped(value, &mut json);
            String::from_utf8(json).expect("JSON is UTF-8")
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(column_type: &str, cases: &[(Value, Value)]) {
        let now: Time = "2026-01-10T12:00:00Z".parse().expect("a time");
        for (value, cell) in cases {
            assert_eq!(cell_of(column_type, Some(value), now), *cell, "{column_type} {value}");
        }
        assert_eq!(cell_of(column_type, None, now), json!(null));
    }

    #[test]
    fn typed_columns_take_values_of_their_type_only() {
        check(
            "integer",
            &[
                (json!(3), json!(3)),
                (json!(-2.9), json!(-2)),
                (json!("3"), json!(null)),
                (json!(true), json!(null)),
                (json!(null), json!(null)),
            ],
        );
        check("number", &[(json!(3), json!(3.0)), (json!(0.5), json!(0.5)), (json!("3"), json!(null))]);
        check("boolean", &[(json!(false), json!(false)), (json!("true"), json!(null))]);
        check("thing", &[(json!("a"), json!(null))]);
    }

    #[test]
    fn date_columns_show_ages() {
        check(
            "date",
            &[
                (json!("2026-01-10T11:00:00Z"), json!("60m")),
                (json!("soon"), json!("<invalid>")),
                (json!(""), json!("<unknown>")),
                (json!(7), json!(null)),
            ],
        );
    }

    #[test]
    fn string_columns_print_anything() {
        check(
            "string",
            &[
                (json!("a\"b"), json!("a\"b")),
                (json!(""), json!("")),
                (json!(12), json!("12")),
                (json!(true), json!("true")),
                (json!(null), json!("<no value>")),
                (json!(["a", 1]), json!(r#"["a",1]"#)),
                (
                    json!({"b": "<&>", "a": {"c": null}}),
                    json!(r#"{"a":{"c":null},"b":"\u003c\u0026\u003e"}"#),
                ),
            ],
        );
    }

    #[test]
    fn floats_print_as_in_go() {
        for (number, text) in [
            (1.0, "1"),
            (0.5, "0.5"),
            (-2.5, "-2.5"),
            (0.0, "0"),
            (123_456.0, "123456"),
            (1e6, "1e+06"),
            (1_234_567.5, "1.2345675e+06"),
            (1.5e300, "1.5e+300"),
            (0.0001, "0.0001"),
            (0.000_01, "1e-05"),
        ] {
            assert_eq!(float(number), text);
        }
    }
}
