//! Strict decoding: unknown and duplicate fields.

use klient_apimachinery::values::{Target, strict_errors};
use klient_schema::{apiextensions_v1, apps_v1};

#[track_caller]
fn check(text: &str, target: Target, expected: &[&str]) {
    assert_eq!(strict_errors(text.as_bytes(), target), expected);
}

#[test]
fn fields_are_named_in_the_order_of_the_text() {
    check(
        r#"{"kind": "Deployment", "spec": {"replicas": 1, "zoo": 1, "replicas": 2, "foo": {"a": 1, "a": 2}},
            "metadata": {"labels": {"a": "b", "a": "c"}}, "odd": 1, "odd": 2, "kind": "Deployment"}"#,
        Target::Kind(&apps_v1::DEPLOYMENT),
        &[
            r#"unknown field "spec.zoo""#,
            r#"duplicate field "spec.replicas""#,
            r#"unknown field "spec.foo""#,
            r#"duplicate field "metadata.labels.a""#,
            r#"unknown field "odd""#,
            r#"duplicate field "kind""#,
        ],
    );
    check(r#"{"a": [{"b": 1, "b": 2, "b": 3}]}"#, Target::Anything, &[r#"duplicate field "a[0].b""#]);
    check(
        r#"[{"op": "add", "path": "/a", "value": {"x": 1, "x": 2}, "path": "/b", "foo": 1}]"#,
        Target::Operations,
        &[r#"duplicate field "[0].value.x""#, r#"duplicate field "[0].path""#, r#"unknown field "[0].foo""#],
    );
}

#[test]
fn what_decodes_itself_is_not_looked_into() {
    check(
        r#"{"spec": {"versions": [{"schema": {"openAPIV3Schema": {"foo": 1, "items": {"bar": 1, "type": "a", "type": "b"}}}}]}}"#,
        Target::Kind(&apiextensions_v1::CUSTOM_RESOURCE_DEFINITION),
        &[r#"unknown field "spec.versions[0].schema.openAPIV3Schema.foo""#],
    );
}
