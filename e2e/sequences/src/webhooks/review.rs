//! The responses of webhooks, which follow from labels and annotations of the objects.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use crate::kinds::gauge;

/// The response of the webhook at a path to a request; `None` if there is no such webhook.
pub(super) fn response(path: &str, request: &Value) -> Option<Value> {
    let object = &request["object"];
    Some(match path {
        "/convert" => convert(request),
        "/mutate" => patched(mutate(object)),
        "/mutate-again" => patched(mutate_again(object)),
        "/mutate-some" => patched(vec![annotate(object, "some", "yes")]),
        "/validate" => validate(object),
        _ => return None,
    })
}

fn convert(request: &Value) -> Value {
    let desired = request["desiredAPIVersion"].as_str().unwrap_or_default();
    let objects = request["objects"].as_array().map_or(&[][..], Vec::as_slice).iter();
    let converted: Result<Vec<Value>, String> =
        objects.map(|object| gauge::convert(object, desired)).collect();
    match converted {
        Ok(objects) => json!({"result": {"status": "Success"}, "convertedObjects": objects}),
        Err(message) => json!({"result": {"status": "Failure", "message": message}}),
    }
}

/// The response with a patch, if it changes anything.
fn patched(operations: Vec<Value>) -> Value {
    if operations.is_empty() {
        return json!({"allowed": true});
    }
    let patch = BASE64.encode(Value::from(operations).to_string());
    json!({"allowed": true, "patchType": "JSONPatch", "patch": patch})
}

fn text<'a>(object: &'a Value, map: &str, key: &str) -> Option<&'a str> {
    object["metadata"][map][key].as_str()
}

fn add(path: &str, value: impl Into<Value>) -> Value {
    json!({"op": "add", "path": path, "value": value.into()})
}

fn annotate(object: &Value, key: &str, value: &str) -> Value {
    if object["metadata"]["annotations"].is_object() {
        add(&format!("/metadata/annotations/{key}"), value)
    } else {
        add("/metadata/annotations", json!({key: value}))
    }
}

/// Operations that add, replace and remove fields, and spoil managed fields.
fn mutate(object: &Value) -> Vec<Value> {
    let mut operations = Vec::new();
    let (app, tier) = (text(object, "labels", "app"), text(object, "labels", "tier"));
    if let Some(app) = app {
        operations.push(add("/metadata/labels/hook", app));
    }
    match text(object, "annotations", "note") {
        Some("1") => operations.push(add("/metadata/annotations/a.example~1y", "hooked")),
        Some("2") => operations.push(json!({"op": "remove", "path": "/metadata/annotations/note"})),
        _ => {}
    }
    if text(object, "labels", "a.example/x") == Some("2") {
        operations.extend(spec(object));
    }
    match (app, tier) {
        (Some("2"), Some("1")) => operations.push(add("/metadata/managedFields", json!([]))),
        (Some("2"), Some("2")) => {
            let entries = json!([{"manager": "hook", "operation": "Other"}]);
            operations.push(add("/metadata/managedFields", entries));
        }
        _ => {}
    }
    if object["kind"] == "Scale" && object["spec"]["replicas"] == 3 {
        operations.push(add("/spec/replicas", 4));
    }
    operations
}

/// An operation on what clients care for.
fn spec(object: &Value) -> Option<Value> {
    let kind = object["kind"].as_str()?;
    let field = if kind == "ConfigMap" { "data" } else { "spec" };
    object[field].as_object()?;
    let is_first = object["apiVersion"].as_str()?.ends_with("/v1");
    Some(match kind {
        "ConfigMap" => add("/data/hooked", "1"),
        "Deployment" => add("/spec/replicas", 2),
        "Widget" => add("/spec/mode", "slow"),
        "Meter" => add("/spec/low", 1),
        "Gauge" if is_first => add("/spec/size", 3),
        "Gauge" => add("/spec/amount", 3),
        _ => return None,
    })
}

fn mutate_again(object: &Value) -> Vec<Value> {
    let hook = text(object, "labels", "hook");
    let seen = hook.filter(|hook| text(object, "labels", "seen") != Some(hook));
    seen.map(|hook| add("/metadata/labels/seen", hook)).into_iter().collect()
}

fn validate(object: &Value) -> Value {
    match (text(object, "annotations", "a.example/y"), text(object, "labels", "tier")) {
        (Some("2"), Some("2")) => json!({"allowed": false}),
        (Some("2"), _) => {
            let status = json!({"message": "y must not be 2", "reason": "NotAcceptable", "code": 406});
            json!({"allowed": false, "status": status})
        }
        _ => json!({"allowed": true, "warnings": ["it is allowed"]}),
    }
}
