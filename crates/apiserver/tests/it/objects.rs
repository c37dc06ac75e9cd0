//! Objects that tests send, and where they send them.

use serde_json::{Value, json};

pub(crate) const CONFIG_MAPS: &str = "/api/v1/namespaces/default/configmaps";
pub(crate) const PODS: &str = "/api/v1/namespaces/default/pods";
pub(crate) const NAMESPACES: &str = "/api/v1/namespaces";
pub(crate) const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
pub(crate) const GADGETS: &str = "/apis/a.example/v1/namespaces/default/gadgets";

pub(crate) fn named(name: &str) -> Value {
    json!({ "metadata": { "name": name } })
}

pub(crate) fn labelled(name: &str, app: &str) -> Value {
    json!({ "metadata": { "name": name, "labels": { "app": app } } })
}

pub(crate) fn pod(name: &str) -> Value {
    json!({
        "metadata": { "name": name },
        "spec": { "containers": [{ "name": "c", "image": "nginx:1" }] },
    })
}

pub(crate) fn deployment(name: &str) -> Value {
    json!({
        "metadata": { "name": name },
        "spec": {
            "selector": { "matchLabels": { "app": name } },
            "template": {
                "metadata": { "labels": { "app": name } },
                "spec": { "containers": [{ "name": "c", "image": "nginx:1" }] },
            },
        },
    })
}

/// A definition of gadgets in one version, `v1`, with this schema for `spec`.
pub(crate) fn gadgets(spec: Value) -> Value {
    json!({
        "metadata": { "name": "gadgets.a.example" },
        "spec": {
            "group": "a.example",
            "scope": "Namespaced",
            "names": { "plural": "gadgets", "kind": "Gadget" },
            "versions": [{
                "name": "v1",
                "served": true,
                "storage": true,
                "schema": { "openAPIV3Schema": { "type": "object", "properties": {
                    "spec": spec,
                    "status": { "type": "object", "x-kubernetes-preserve-unknown-fields": true },
                } } },
                "subresources": { "status": {} },
            }],
        },
    })
}

/// A schema that takes any object.
pub(crate) fn anything() -> Value {
    json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true })
}

pub(crate) fn gadget(name: &str, spec: Value) -> Value {
    json!({
        "apiVersion": "a.example/v1",
        "kind": "Gadget",
        "metadata": { "name": name },
        "spec": spec,
    })
}

/// Gadgets in two versions: `v1` knows `size` and `old`, `v2` knows `size` and `new`, which has a default.
pub(crate) fn two_versions() -> Value {
    let mut definition = gadgets(json!({"type": "object", "properties": {
        "size": {"type": "integer"}, "old": {"type": "string"},
    }}));
    let mut second = definition["spec"]["versions"][0].clone();
    second["name"] = "v2".into();
    second["storage"] = false.into();
    second["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"] =
        json!({"size": {"type": "integer"}, "new": {"type": "string", "default": "n"}});
    definition["spec"]["versions"].as_array_mut().expect("it has versions").push(second);
    definition
}

/// The text of an object at a JSON pointer.
#[track_caller]
pub(crate) fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    let value = object.pointer(pointer).and_then(Value::as_str);
    value.unwrap_or_else(|| panic!("there is no text at {pointer} in {object}"))
}

#[track_caller]
pub(crate) fn version(object: &Value) -> u64 {
    text(object, "/metadata/resourceVersion").parse().expect("a version is a number")
}

/// The names of a list's items.
pub(crate) fn names(list: &Value) -> Vec<String> {
    let items = list["items"].as_array().into_iter().flatten();
    items.map(|item| item["metadata"]["name"].as_str().unwrap_or("?").to_owned()).collect()
}
