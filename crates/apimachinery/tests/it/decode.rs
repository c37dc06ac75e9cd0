//! Values in the form that Go would give them.

use klient_apimachinery::schema::Schema;
use klient_apimachinery::values::{Decoded, UnmarshalTypeError, decode};
use klient_schema::{apiextensions_v1, apps_v1, core_v1};
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

/// Answers of a real server about a pod with several wrong fields, in JSON and as the result of a strategic merge patch.
#[test]
fn of_several_wrong_fields_that_is_told_at_which_a_decoder_of_go_ends() {
    let quantity =
        "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
    let name =
        "json: cannot unmarshal number into Go struct field Container.spec.containers.name of type string";
    for (pod, of_json, of_value) in [
        (
            json!({"metadata": 1.5, "spec": {"containers": [{"name": 1, "resources": {"limits": {"cpu": [1]}}}]}}),
            quantity,
            "cannot restore struct from: float64",
        ),
        (
            json!({"spec": {"activeDeadlineSeconds": "x", "containers": [{"name": 1}, {"name": "b", "image": 2, "livenessProbe": {"httpGet": {"port": true}}}]}}),
            "json: cannot unmarshal bool into Go struct field HTTPGetAction.spec.containers.livenessProbe.ProbeHandler.httpGet.port of type int32",
            "cannot convert int64 to string",
        ),
        (
            json!({"spec": {"containers": [{"name": 1}, {"name": 2}], "dnsPolicy": 3}}),
            name,
            "cannot convert int64 to string",
        ),
        (
            json!({"metadata": {"labels": {"a": 1}, "deletionTimestamp": "x"}}),
            r#"parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006""#,
            r#"parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006""#,
        ),
        (
            json!({"metadata": {"labels": {"a": 1, "b": 2}}, "spec": []}),
            "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string",
            "cannot convert int64 to string",
        ),
    ] {
        let mismatch = read(pod.clone(), &core_v1::POD).unwrap_err();
        assert_eq!((&*mismatch.of_json, &*mismatch.of_value), (of_json, of_value), "{pod}");
    }
}

#[test]
fn embedded_structs_are_named_in_errors() {
    for (pod, field) in [
        (
            json!({"spec": {"volumes": [{"emptyDir": 5}]}}),
            "Volume.spec.volumes.VolumeSource.emptyDir of type v1.EmptyDirVolumeSource",
        ),
        (
            json!({"spec": {"volumes": [{"configMap": {"name": 5}}]}}),
            "ConfigMapVolumeSource.spec.volumes.VolumeSource.configMap.LocalObjectReference.name of type string",
        ),
        (
            json!({"spec": {"containers": [{"env": [{"valueFrom": {"secretKeyRef": {"name": 5}}}]}]}}),
            "SecretKeySelector.spec.containers.env.valueFrom.secretKeyRef.LocalObjectReference.name of type string",
        ),
        (
            json!({"spec": {"containers": [{"lifecycle": {"preStop": {"exec": 5}}}]}}),
            "LifecycleHandler.spec.containers.lifecycle.preStop.exec of type v1.ExecAction",
        ),
        (
            json!({"spec": {"containers": [{"livenessProbe": {"httpGet": 5}}]}}),
            "Probe.spec.containers.livenessProbe.ProbeHandler.httpGet of type v1.HTTPGetAction",
        ),
    ] {
        let mismatch = read(pod, &core_v1::POD).unwrap_err();
        assert_eq!(mismatch.of_json, format!("json: cannot unmarshal number into Go struct field {field}"));
    }
}

#[test]
fn the_path_of_what_reads_itself_begins_there() {
    for (additional, rest) in [
        (json!({"type": []}), "array into Go struct field JSONSchemaProps.§type of type string"),
        (json!({"maxLength": "x"}), "string into Go struct field JSONSchemaProps.§maxLength of type int64"),
        (
            json!({"properties": {"a": {"items": {"type": 5}}}}),
            "number into Go struct field JSONSchemaProps.§properties.items.type of type string",
        ),
        (
            json!({"x-kubernetes-validations": [{"fieldPath": []}]}),
            "array into Go struct field ValidationRule.§x-kubernetes-validations.fieldPath of type string",
        ),
    ] {
        let schema = json!({"properties": {"f": {"type": "object", "additionalProperties": additional}}});
        let versions = json!([{"name": "v1", "schema": {"openAPIV3Schema": schema}}]);
        let definition = json!({"spec": {"versions": versions}});
        let mismatch = read(definition, &apiextensions_v1::CUSTOM_RESOURCE_DEFINITION).unwrap_err();
        let outer = "spec.versions.schema.openAPIV3Schema.properties.additionalProperties.";
        let said = |outer: &str| format!("json: cannot unmarshal {}", rest.replace('§', outer));
        // The decoder around it knows the struct of the value only.
        let of_json = said(outer).replace("ValidationRule", "JSONSchemaProps");
        assert_eq!((mismatch.of_json, mismatch.of_value), (of_json, said("")));
    }
}
