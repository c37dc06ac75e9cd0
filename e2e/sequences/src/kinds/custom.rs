//! Custom kinds: Widgets have a structural schema and two versions, Blobs take anything.

use serde_json::{Value, json};

use super::{conditions, metadata};
use crate::kind::{Kind, Place};
use crate::shape::{Shape, may, must};

pub(super) fn widget() -> Kind {
    let parts =
        json!([{"name": "a"}, {"name": "a", "kind": "big"}, {"name": "b", "kind": "small"}, {"name": "b"}]);
    Kind {
        kind: "Widget",
        plural: "widgets",
        place: Place::Namespace,
        api_versions: &["e2e.klient.example/v1", "e2e.klient.example/v2"],
        has_status: true,
        has_scale: true,
        is_builtin: false,
        shape: Shape::Object(vec![
            may("metadata", metadata(true)),
            must(
                "spec",
                Shape::Object(vec![
                    may("replicas", Shape::one(json!([1, 2, 3]))),
                    may("mode", Shape::one(json!(["fast", "slow"]))),
                    may("port", Shape::one(json!([80, "80", "web"]))),
                    may("tags", Shape::list(json!(["x", "y", "z"]))),
                    may("ids", Shape::list(json!([1, 2, 3]))),
                    may("words", Shape::list(json!(["x", "y", "y"]))),
                    may("unmarked", Shape::list(json!([{"a": 1}, {"a": 2}]))),
                    may(
                        "parts",
                        Shape::keyed(
                            parts,
                            vec![
                                may("size", Shape::one(json!([1, 2]))),
                                may("labels", Shape::strings(&["p", "q"])),
                            ],
                        ),
                    ),
                    may("labels", Shape::strings(&["l", "m"])),
                    may("whole", Shape::strings(&["n", "o"])),
                    may("wholeStruct", any(&["a", "b"])),
                    may(
                        "nested",
                        Shape::Object(vec![
                            may("a", Shape::one(json!([1, 2]))),
                            may("b", Shape::one(json!(["x"]))),
                        ]),
                    ),
                    may(
                        "loose",
                        Shape::Object(vec![
                            may("k", Shape::one(json!([1, "s", [1, 2], {"deep": {"er": 1}}]))),
                            may("l", Shape::list(json!([{"name": "a"}, {"name": "b", "v": 1}]))),
                            may("known", Shape::one(json!(["x", "y"]))),
                        ]),
                    ),
                    may(
                        "template",
                        Shape::one(json!([
                            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"labels": {"a": "b"}}, "data": {"a": "1"}},
                            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "extra": [1]},
                        ])),
                    ),
                    may("maybe", Shape::one(json!(["x", null]))),
                ]),
            ),
        ]),
        second_shape: None,
        status: Shape::Object(vec![
            may("replicas", Shape::one(json!([1, 2]))),
            may("selector", Shape::one(json!(["app=web"]))),
            may("conditions", conditions()),
        ]),
        defaults: &["mode", "kind", "size", "finalizers", "status", "nested", "a"],
        dropped: &[],
    }
}

pub(super) fn widget_definition() -> Value {
    let text = json!({"type": "string"});
    let texts = json!({"type": "object", "additionalProperties": {"type": "string"}});
    let spec = json!({
        "type": "object",
        "properties": {
            "replicas": {"type": "integer", "format": "int32", "minimum": 0},
            "mode": {"type": "string", "default": "fast", "enum": ["fast", "slow"]},
            "port": {"x-kubernetes-int-or-string": true},
            "tags": {"type": "array", "items": text, "x-kubernetes-list-type": "set"},
            "ids": {"type": "array", "items": {"type": "integer"}, "x-kubernetes-list-type": "set"},
            "words": {"type": "array", "items": text, "x-kubernetes-list-type": "atomic"},
            "unmarked": {"type": "array", "items": {
                "type": "object", "properties": {"a": {"type": "integer"}},
            }},
            "parts": {
                "type": "array",
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["name", "kind"],
                "items": {
                    "type": "object",
                    "required": ["name"],
                    "properties": {
                        "name": text,
                        "kind": {"type": "string", "default": "small"},
                        "size": {"type": "integer", "default": 7},
                        "labels": texts,
                    },
                },
            },
            "labels": texts,
            "whole": {
                "type": "object",
                "additionalProperties": {"type": "string"},
                "x-kubernetes-map-type": "atomic",
            },
            "wholeStruct": {
                "type": "object",
                "x-kubernetes-map-type": "atomic",
                "properties": {"a": {"x-kubernetes-int-or-string": true}, "b": {"x-kubernetes-int-or-string": true}},
            },
            "nested": {
                "type": "object",
                "default": {},
                "properties": {"a": {"type": "integer", "default": 1}, "b": text},
            },
            "loose": {
                "type": "object",
                "x-kubernetes-preserve-unknown-fields": true,
                "properties": {"known": text},
            },
            "template": {
                "type": "object",
                "x-kubernetes-embedded-resource": true,
                "x-kubernetes-preserve-unknown-fields": true,
            },
            "maybe": {"type": "string", "nullable": true},
        },
    });
    let mut later = spec.clone();
    later["properties"]["later"] = text.clone();
    let status = json!({
        "type": "object",
        "properties": {
            "replicas": {"type": "integer"},
            "selector": text,
            "conditions": {
                "type": "array",
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["type"],
                "items": {
                    "type": "object",
                    "required": ["type", "status"],
                    "properties": {"type": text, "status": text, "reason": text},
                },
            },
        },
    });
    let version = |name: &str, spec: &Value, storage: bool| {
        json!({
            "name": name,
            "served": true,
            "storage": storage,
            "schema": {"openAPIV3Schema": {
                "type": "object",
                "properties": {"spec": spec, "status": status},
            }},
            "subresources": {
                "status": {},
                "scale": {
                    "specReplicasPath": ".spec.replicas",
                    "statusReplicasPath": ".status.replicas",
                    "labelSelectorPath": ".status.selector",
                },
            },
        })
    };
    definition("widgets", "Widget", json!([version("v1", &spec, true), version("v2", &later, false)]))
}

pub(super) fn blob() -> Kind {
    Kind {
        kind: "Blob",
        plural: "blobs",
        place: Place::Namespace,
        api_versions: &["e2e.klient.example/v1"],
        has_status: false,
        has_scale: false,
        is_builtin: false,
        shape: Shape::Object(vec![
            may("metadata", metadata(true)),
            may(
                "spec",
                Shape::Object(vec![
                    may("a", Shape::one(json!([1, 1.5, "s", null, [], {}, [1, 2]]))),
                    may("b", Shape::Object(vec![may("c", Shape::strings(&["d", "e"]))])),
                    may("list", Shape::keyed(json!([{"name": "x"}, {"name": "y"}]), vec![])),
                ]),
            ),
            may("other", Shape::strings(&["f", "g"])),
            may("status", Shape::strings(&["h"])),
        ]),
        second_shape: None,
        status: Shape::Object(vec![]),
        defaults: &["finalizers"],
        dropped: &[],
    }
}

pub(super) fn blob_definition() -> Value {
    let versions = json!([{
        "name": "v1",
        "served": true,
        "storage": true,
        "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}},
    }]);
    definition("blobs", "Blob", versions)
}

pub(super) fn definition(plural: &str, kind: &str, versions: Value) -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.e2e.klient.example")},
        "spec": {
            "group": "e2e.klient.example",
            "scope": "Namespaced",
            "names": {"plural": plural, "singular": kind.to_lowercase(), "kind": kind, "listKind": format!("{kind}List")},
            "versions": versions,
        },
    })
}

fn any(names: &'static [&'static str]) -> Shape {
    Shape::Object(names.iter().map(|name| may(name, Shape::one(json!([1, "1", true])))).collect())
}
