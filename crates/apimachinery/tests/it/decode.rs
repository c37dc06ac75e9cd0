//! Values in the form that Go would give them.

use klient_apimachinery::schema::Schema;
use klient_apimachinery::values::{Decoded, UnmarshalTypeError, decode};
use klient_schema::{apps_v1, core_v1};
use serde_json::{Value, json};

fn read(value: Value, schema: &'static Schema) -> Result<Decoded, UnmarshalTypeError> {
    decode(value.as_object().expect("an object").clone(), schema)
}

#[track_caller]
fn check(value: Value, schema: &'static Schema, expected: Value) {
    assert_eq!(Value::Object(read(value, schema).expect("it decodes").object), expected);
}

#[test]
fn objects_take_the_form_go_gives_them() {
    check(
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "labels": {}}, "data": null}),
        &core_v1::CONFIG_MAP,
        json!({"metadata": {"name": "a"}}),
    );
    check(
        json!({"spec": {"containers": [{"name": "c", "ports": [{"containerPort": 80, "hostPort": 0}]}]}}),
        &core_v1::POD,
        json!({
            "metadata": {},
            "spec": {"containers": [{"name": "c", "ports": [{"containerPort": 80}], "resources": {}}]},
            "status": {},
        }),
    );
    check(json!({}), &core_v1::POD, json!({"metadata": {}, "spec": {"containers": null}, "status": {}}));
    check(
        json!({"spec": {"ports": [{"port": 80, "targetPort": "http"}]}}),
        &core_v1::SERVICE,
        json!({"metadata": {}, "spec": {"ports": [{"port": 80, "targetPort": "http"}]}, "status": {"loadBalancer": {}}}),
    );
    check(
        json!({"limits": {"cpu": "1000m", "memory": 1024}}),
        &core_v1::RESOURCE_REQUIREMENTS,
        json!({"limits": {"cpu": "1", "memory": "1024"}}),
    );
}

#[test]
fn unknown_fields_are_dropped_and_named() {
    let decoded = read(
        json!({"nosuch": 1, "spec": {"foo": 1, "template": {"spec": {"containers": [{"x": 1}]}}}}),
        &apps_v1::DEPLOYMENT,
    );
    let unknown = decoded.expect("it decodes").unknown;
    assert_eq!(unknown, ["nosuch", "spec.foo", "spec.template.spec.containers[0].x"]);
}

#[test]
fn what_cannot_be_held_is_refused_in_gos_words() {
    for (value, schema, problem) in [
        (
            json!({"data": {"a": true}}),
            &core_v1::CONFIG_MAP,
            "json: cannot unmarshal bool into Go struct field ConfigMap.data of type string",
        ),
        (
            json!({"spec": {"replicas": "one"}}),
            &apps_v1::DEPLOYMENT,
            "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        (
            json!({"spec": {"containers": {}}}),
            &core_v1::POD,
            "json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container",
        ),
        (json!({"data": {"a": "!"}}), &core_v1::SECRET, "illegal base64 data at input byte 0"),
    ] {
        assert_eq!(read(value, schema).unwrap_err().of_json, problem);
    }
}
