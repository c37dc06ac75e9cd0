//! Objects in, errors out, as a client would see them.

mod networking;
mod others;
mod pods;
mod policies;
mod workloads;

use klient_apimachinery::schema::ResourceSchema;
use klient_apimachinery::values::decode;
use serde_json::{Value, json};

use super::*;
use crate::defaults;

const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const SUBDOMAIN: &str = r"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

fn resource(group: &str, plural: &str) -> &'static ResourceSchema {
    let version = if group == "autoscaling" { "v2" } else { "v1" };
    klient_schema::resource(group, version, plural).expect("a built-in resource")
}

/// An object as it comes to validation; one without a name gets one.
fn read(resource: &ResourceSchema, value: &Value) -> Map {
    let mut object = value.as_object().expect("an object").clone();
    let metadata = object.entry("metadata").or_insert_with(|| json!({})).as_object_mut().expect("an object");
    let name = if resource.kind == "Pod" { "p" } else { "x" };
    metadata.entry("name").or_insert_with(|| name.into());
    metadata.entry("uid").or_insert_with(|| "u".into());
    if resource.namespaced {
        metadata.entry("namespace").or_insert_with(|| "shop".into());
    }
    let mut object = decode(object, resource.schema).expect("it decodes").object;
    defaults::apply(resource, &mut object);
    object
}

fn shown(errors: &[FieldError]) -> Vec<String> {
    errors.iter().map(ToString::to_string).collect()
}

/// Creates an object, which is refused for these reasons.
#[track_caller]
fn check(group: &str, plural: &str, value: &Value, expected: &[&str]) {
    let resource = resource(group, plural);
    let mut object = read(resource, value);
    defaults::prepare_create(resource, &mut object);
    assert_eq!(shown(&create(resource, &object)), expected, "{value}");
}

/// Updates an object, which is refused for these reasons.
#[track_caller]
fn check_update(group: &str, plural: &str, old: &Value, value: &Value, expected: &[&str]) {
    let resource = resource(group, plural);
    let mut before = read(resource, old);
    defaults::prepare_create(resource, &mut before);
    let mut object = read(resource, value);
    defaults::prepare_update(resource, &mut object, &before);
    assert_eq!(shown(&update(resource, &object, &before)), expected, "{value}");
}

/// A value with another in it at a JSON pointer.
fn with(mut value: Value, pointer: &str, new: Value) -> Value {
    let mut at = &mut value;
    for name in pointer.trim_start_matches('/').split('/') {
        let name = name.replace("~1", "/");
        at = match at {
            Value::Array(items) => {
                let index: usize = name.parse().expect("an index");
                while items.len() <= index {
                    items.push(Value::Null);
                }
                &mut items[index]
            }
            other => &mut other[name.as_str()],
        };
    }
    *at = new;
    value
}

#[test]
fn metadata_has_the_same_rules_everywhere() {
    let config_map = |metadata: Value| json!({ "metadata": metadata });
    let generated = |value: Value| {
        let resource = resource("", "configmaps");
        let mut problems = ErrorList::default();
        metadata(
            value.as_object().expect("an object"),
            resource.namespaced,
            form::dns_subdomain,
            &mut problems,
        );
        shown(&problems.0)
    };
    assert_eq!(
        generated(json!({"namespace": "shop"})),
        ["metadata.name: Required value: name or generateName is required"]
    );
    assert_eq!(
        generated(json!({"generateName": "Web-", "name": "web-abcde"})),
        [
            format!(r#"metadata.generateName: Invalid value: "Web-": {SUBDOMAIN}"#),
            "metadata.namespace: Required value".to_owned(),
        ]
    );
    check(
        "",
        "configmaps",
        &config_map(json!({"name": "Bad_Name"})),
        &[&format!(r#"metadata.name: Invalid value: "Bad_Name": {SUBDOMAIN}"#)],
    );
    check(
        "",
        "nodes",
        &config_map(json!({"namespace": "a"})),
        &["metadata.namespace: Forbidden: not allowed on this type"],
    );
    check("", "services", &json!({"metadata": {"name": "1a"}, "spec": {"ports": [{"port": 80}]}}), &[]);
    check(
        "",
        "configmaps",
        &config_map(json!({
            "labels": {"a": "y z"},
            "annotations": {"Example.com/A": "", "a/b/c": ""},
            "ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": ""}],
            "finalizers": ["x", "example.com/x"],
        })),
        &[
            r#"metadata.labels: Invalid value: "y z": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"#,
            &format!(
                r#"metadata.annotations: Invalid value: "a/b/c": {}"#,
                form::qualified_name("a/b/c").concat()
            ),
            "metadata.ownerReferences[0].uid: Required value: must not be empty",
            r#"metadata.finalizers[0]: Invalid value: "x": name is neither a standard finalizer name nor is it fully qualified"#,
        ],
    );
    let long = "a".repeat(256 * 1024);
    check(
        "",
        "configmaps",
        &config_map(json!({"annotations": {"a": long}})),
        &["metadata.annotations: Too long: may not be more than 262144 bytes"],
    );
}

#[test]
fn owners_are_shown_in_the_order_of_their_struct() {
    let owner = |name: &str, kind: &str| json!({"apiVersion": "v1", "kind": kind, "name": name, "uid": name, "controller": true});
    let event = owner("a", "Event");
    let shown = |name: &str, kind: &str| {
        format!(r#"{{"apiVersion":"v1","kind":"{kind}","name":"{name}","uid":"{name}","controller":true}}"#)
    };
    check(
        "",
        "configmaps",
        &json!({"metadata": {"ownerReferences": [event, owner("b", "Node")]}}),
        &[
            &format!(
                "metadata.ownerReferences[0]: Invalid value: {}: /v1, Kind=Event is disallowed from being an owner",
                shown("a", "Event")
            ),
            &format!(
                "metadata.ownerReferences: Invalid value: [{},{}]: Only one reference can have Controller set to true. Found \"true\" in references for Event/a and Node/b",
                shown("a", "Event"),
                shown("b", "Node")
            ),
        ],
    );
}

#[test]
fn managed_fields_have_short_names() {
    let entry = json!({"manager": "m".repeat(129), "operation": "Other", "subresource": "s".repeat(257)});
    let fits = json!({"manager": "m".repeat(128), "operation": "Update", "subresource": "s".repeat(256)});
    check(
        "",
        "configmaps",
        &json!({"metadata": {"managedFields": [entry, fits]}}),
        &[
            r#"metadata.managedFields[0].operation: Unsupported value: "Other": supported values: "Apply", "Update""#,
            "metadata.managedFields[0].manager: Too long: may not be more than 128 bytes",
            "metadata.managedFields[0].subresource: Too long: may not be more than 256 bytes",
        ],
    );
}

#[test]
fn metadata_that_is_kept_cannot_change() {
    let updated = |old: Value, new: Value| {
        let mut problems = ErrorList::default();
        let as_map = |value: &Value| value.as_object().expect("an object").clone();
        metadata_update(&as_map(&new), &as_map(&old), &mut problems);
        shown(&problems.0)
    };
    let time = "2026-01-01T00:00:00Z";
    assert_eq!(
        updated(
            json!({"name": "a", "uid": "1", "creationTimestamp": time}),
            json!({"name": "b", "uid": "2", "creationTimestamp": time}),
        ),
        [
            r#"metadata.name: Invalid value: "b": field is immutable"#,
            r#"metadata.uid: Invalid value: "2": field is immutable"#,
        ]
    );
    assert_eq!(
        updated(
            json!({"name": "a", "deletionTimestamp": time, "finalizers": ["a/b"]}),
            json!({"name": "a", "deletionTimestamp": time, "finalizers": ["a/b", "x", "a/c"]}),
        ),
        [
            r#"metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"a/c", "x"}"#
        ]
    );
}

#[test]
fn no_kind_fears_an_empty_object() {
    let nothing = Map::new();
    for resource in klient_schema::RESOURCES.iter().copied().flatten() {
        let object = klient_apimachinery::values::empty(resource.schema);
        for (new, old) in [(&object, &object), (&nothing, &object), (&object, &nothing)] {
            create(resource, new);
            update(resource, new, old);
            status(resource, new, old);
        }
    }
}
