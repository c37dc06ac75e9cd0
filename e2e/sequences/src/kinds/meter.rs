//! Meters, a custom kind whose schema has rules of CEL, nested defaults, formats and alternatives, and differs from one
//! version to the other.

use serde_json::{Value, json};

use super::custom::definition;
use super::metadata;
use crate::kind::{Kind, Place};
use crate::shape::{Shape, may, must};

pub(super) fn meter() -> Kind {
    let one = |values: Value| Shape::one(values);
    let points = Shape::keyed(
        json!([{"name": "a"}, {"name": "b"}, {"name": "c"}]),
        vec![
            must("value", one(json!([1, 2.5, 99, 100]))),
            may("note", one(json!(["x", "none"]))),
            may("unknown", one(json!([1]))),
        ],
    );
    Kind {
        kind: "Meter",
        plural: "meters",
        place: Place::Namespace,
        api_versions: &["e2e.klient.example/v1", "e2e.klient.example/v2"],
        has_status: true,
        has_scale: false,
        is_builtin: false,
        shape: Shape::Object(vec![
            may("metadata", metadata(true)),
            must(
                "spec",
                Shape::Object(vec![
                    may("low", one(json!([0, 1, 5, -1]))),
                    may("high", one(json!([1, 5, 9, 11]))),
                    may("unit", one(json!(["m", "m", "s", "furlong"]))),
                    may("serial", one(json!(["a-1", "a-1", "a-1", "b-2", "?"]))),
                    may("limits", Shape::Map(&["p", "q", "r", "s"], Box::new(one(json!([1, 2, 3, -1]))))),
                    may("points", points),
                    may("tags", Shape::list(json!(["t1", "t2", "t3", "u"]))),
                    may("steps", Shape::list(json!([1, 2, 3]))),
                    may("reset", one(json!(["auto", 1, 5, 0, "never"]))),
                    may("volume", one(json!(["1Gi", "500m", "much"]))),
                    may("address", one(json!(["10.1.2.3", "::1", "here"]))),
                    may("day", one(json!(["2026-01-31", "2026-02-30"]))),
                    may("every", one(json!(["1h", "90s", "soon"]))),
                    may("size", one(json!([1.5, 2, 0.25]))),
                    may("maybe", one(json!(["x", null]))),
                    may(
                        "deep",
                        Shape::Object(vec![
                            may(
                                "er",
                                Shape::Object(vec![
                                    may("a", one(json!([1, 2]))),
                                    may("b", one(json!(["x"]))),
                                ]),
                            ),
                            may("unknown", one(json!([1, {"a": 1}]))),
                        ]),
                    ),
                    may("later", one(json!(["x", "y"]))),
                    may("unknown", one(json!([1, "x", {"a": 1}]))),
                    may("left", one(json!([1]))),
                    may("right", one(json!([1]))),
                ]),
            ),
        ]),
        second_shape: None,
        status: Shape::Object(vec![
            may("reading", one(json!([1, 2, 3, 0]))),
            may("unknown", one(json!([1]))),
            may("phase", one(json!(["Good", "Bad", "Ugly"]))),
        ]),
        defaults: &["unit", "note", "deep", "er", "a", "finalizers", "status", "maybe", "later", "size"],
        // What the other version does not have is pruned.
        dropped: &["later"],
    }
}

pub(super) fn meter_definition() -> Value {
    let integer = json!({"type": "integer"});
    let string = |length: u32| json!({"type": "string", "maxLength": length});
    let spec = json!({
        "type": "object",
        "x-kubernetes-validations": [
            {"rule": "!has(self.low) || !has(self.high) || self.low <= self.high", "message": "low must not be above high"},
            {"rule": "self.unit == oldSelf.unit", "message": "the unit stays", "reason": "FieldValueForbidden", "fieldPath": ".unit"},
            {"rule": "!(has(self.left) && has(self.right))", "messageExpression": "self.left > self.right ? 'left is more' : 'right is more'"},
        ],
        "properties": {
            "low": {"type": "integer", "minimum": 0},
            "high": {"type": "integer", "format": "int32", "maximum": 10},
            "unit": {"type": "string", "enum": ["m", "s", "h"], "default": "m"},
            "serial": {
                "type": "string", "pattern": "^[a-z]-[0-9]$", "maxLength": 5,
                "x-kubernetes-validations": [{"rule": "self == oldSelf", "messageExpression": "'the serial number stays ' + oldSelf"}],
            },
            "limits": {
                "type": "object", "maxProperties": 3, "additionalProperties": integer,
                "x-kubernetes-validations": [{
                    "rule": "self.all(key, self[key] >= 0)",
                    "messageExpression": "self.size() > 1 ? 'not all limits are positive' : 'the limit is negative'",
                }],
            },
            "points": {
                "type": "array", "maxItems": 4,
                "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
                "x-kubernetes-validations": [{"rule": "self.exists(point, point.name == 'a') || self.size() == 0", "reason": "FieldValueRequired"}],
                "items": {
                    "type": "object",
                    "required": ["name", "value"],
                    "x-kubernetes-validations": [{"rule": "self.value >= oldSelf.value", "message": "a point never sinks"}],
                    "properties": {
                        "name": string(5),
                        "value": {"type": "number", "exclusiveMaximum": true, "maximum": 100},
                        "note": {"type": "string", "default": "none"},
                    },
                },
            },
            "tags": {
                "type": "array", "maxItems": 3, "x-kubernetes-list-type": "set", "items": string(5),
                "x-kubernetes-validations": [{"rule": "self.all(tag, tag.startsWith('t'))"}],
            },
            "steps": {
                "type": "array", "maxItems": 5, "x-kubernetes-list-type": "atomic", "items": integer,
                "x-kubernetes-validations": [{"rule": "self.sum() < 6", "messageExpression": "self.size() > 3 ? 'too many steps' : 'steps that are too large'"}],
            },
            "reset": {
                "x-kubernetes-int-or-string": true,
                "x-kubernetes-validations": [{"rule": "type(self) == int ? self > 0 : self == 'auto'"}],
            },
            "volume": {
                "type": "string", "maxLength": 10,
                "x-kubernetes-validations": [{"rule": "isQuantity(self) && quantity(self).isGreaterThan(quantity('0'))"}],
            },
            "address": {"type": "string", "maxLength": 20, "x-kubernetes-validations": [{"rule": "isIP(self) && ip(self).family() == 4"}]},
            "day": {"type": "string", "format": "date"},
            "every": {"type": "string", "format": "duration", "x-kubernetes-validations": [{"rule": "duration(self) > duration('2m')"}]},
            "size": {
                "type": "number", "multipleOf": 0.5,
                "x-kubernetes-validations": [{"rule": "!oldSelf.hasValue() || self >= oldSelf.value()", "optionalOldSelf": true}],
            },
            "maybe": {"type": "string", "nullable": true, "default": "x"},
            "deep": {
                "type": "object",
                "default": {},
                "properties": {
                    "er": {
                        "type": "object",
                        "default": {"b": "y"},
                        "properties": {"a": {"type": "integer", "default": 1}, "b": {"type": "string"}},
                    },
                },
            },
            "left": integer,
            "right": integer,
        },
        "anyOf": [{"required": ["low"]}, {"required": ["unit"]}],
        "not": {"required": ["steps", "tags"]},
    });
    let mut later = spec.clone();
    later["properties"]["later"] = json!({"type": "string", "default": "x"});
    later["properties"]["deep"]["properties"]["er"]["properties"]["a"]["default"] = 2.into();
    later["required"] = json!(["low"]);
    let status = json!({
        "type": "object",
        "properties": {
            "reading": {
                "type": "integer",
                "x-kubernetes-validations": [{"rule": "self >= oldSelf", "message": "a reading never sinks"}],
            },
            "phase": {"type": "string", "enum": ["Good", "Bad"]},
        },
    });
    let version = |name: &str, spec: &Value, storage: bool| {
        json!({
            "name": name,
            "served": true,
            "storage": storage,
            "schema": {"openAPIV3Schema": {
                "type": "object",
                "required": ["spec"],
                "properties": {"spec": spec, "status": status},
                "x-kubernetes-validations": [
                    {"rule": "self.metadata.name.startsWith('i')"},
                    {"rule": "!has(self.status) || !has(self.status.reading) || !has(self.spec.high) || self.status.reading <= self.spec.high", "fieldPath": ".status.reading"},
                ],
            }},
            "subresources": {"status": {}},
        })
    };
    definition("meters", "Meter", json!([version("v1", &spec, true), version("v2", &later, false)]))
}
