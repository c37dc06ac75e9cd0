//! Gauges, a custom kind in two versions that a webhook converts.

use serde_json::{Map, Value, json};

use super::custom::definition;
use super::metadata;
use crate::kind::{Kind, Place};
use crate::shape::{Field, Shape, may, must};

const FIRST: &str = "e2e.klient.example/v1";
const SECOND: &str = "e2e.klient.example/v2";

/// The annotation for the field that the first version does not have.
const ROOM: &str = "e2e.klient.example/room";

/// The number that cannot be converted.
const UNLUCKY: i64 = 13;

/// The fields whose names differ, in a specification and in its points.
const NAMES: [(&str, &str); 2] = [("size", "amount"), ("tags", "marks")];
const NAMES_OF_POINTS: [(&str, &str); 1] = [("value", "reading")];

pub(super) fn gauge() -> Kind {
    let one = |values: Value| Shape::one(values);
    let numbers = || one(json!([1, 2, 3, 4, 5, 6, 7, UNLUCKY]));
    let points = |value: &'static str| {
        Shape::keyed(
            json!([{"name": "a"}, {"name": "b"}]),
            vec![may(value, one(json!([1, 2]))), may("note", one(json!(["x", "y"])))],
        )
    };
    let spec = |mut own: Vec<Field>| {
        own.push(may("replicas", one(json!([1, 2]))));
        own.push(may("labels", Shape::strings(&["l", "m"])));
        Shape::Object(vec![may("metadata", metadata(true)), must("spec", Shape::Object(own))])
    };
    Kind {
        kind: "Gauge",
        plural: "gauges",
        place: Place::Namespace,
        api_versions: &[FIRST, SECOND],
        has_status: true,
        has_scale: false,
        is_builtin: false,
        shape: spec(vec![
            may("size", numbers()),
            may("tags", Shape::list(json!(["x", "y", "z"]))),
            may("unit", one(json!(["m", "s"]))),
            may("points", points("value")),
        ]),
        second_shape: Some(spec(vec![
            may("amount", numbers()),
            may("marks", Shape::list(json!(["x", "y", "z"]))),
            may("measure", Shape::Object(vec![may("unit", one(json!(["m", "s"])))])),
            may("points", points("reading")),
            may("room", one(json!(["hall", "attic"]))),
        ])),
        status: Shape::Object(vec![may("phase", one(json!(["Good", "Bad"])))]),
        defaults: &["finalizers", "status", "unit"],
        dropped: &[],
    }
}

/// The definition, with the `clientConfig` of its webhook.
pub(crate) fn gauge_definition(client_config: &Value) -> Value {
    let text = json!({"type": "string"});
    let integer = json!({"type": "integer"});
    let set = json!({"type": "array", "x-kubernetes-list-type": "set", "items": text});
    let points = |value: &str| {
        json!({
            "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
            "items": {
                "type": "object", "required": ["name"],
                "properties": {"name": text, value: integer, "note": text},
            },
        })
    };
    let texts = json!({"type": "object", "additionalProperties": text});
    let version = |name: &str, storage: bool, spec: Value| {
        json!({
            "name": name,
            "served": true,
            "storage": storage,
            "schema": {"openAPIV3Schema": {
                "type": "object",
                "properties": {
                    "spec": {"type": "object", "properties": spec},
                    "status": {"type": "object", "properties": {"phase": text}},
                },
            }},
            "subresources": {"status": {}},
        })
    };
    let first = json!({
        "size": integer, "tags": set, "unit": {"type": "string", "default": "m"}, "points": points("value"),
        "replicas": integer, "labels": texts,
    });
    let second = json!({
        "amount": integer, "marks": set, "points": points("reading"), "replicas": integer, "labels": texts,
        "measure": {"type": "object", "properties": {"unit": text}}, "room": text,
    });
    let mut defined =
        definition("gauges", "Gauge", json!([version("v1", true, first), version("v2", false, second)]));
    let webhook = json!({"clientConfig": client_config, "conversionReviewVersions": ["v1"]});
    defined["spec"]["conversion"] = json!({"strategy": "Webhook", "webhook": webhook});
    defined
}

/// Converts a gauge.
///
/// # Errors
///
/// If it has the number that cannot be converted.
pub(crate) fn convert(gauge: &Value, desired: &str) -> Result<Value, String> {
    let mut gauge = gauge.clone();
    let to_second = desired == SECOND;
    gauge["apiVersion"] = desired.into();
    let Some(Value::Object(spec)) = gauge.get_mut("spec") else { return Ok(gauge) };
    let numbers = [spec.get("size"), spec.get("amount")];
    if numbers.into_iter().flatten().any(|number| number.as_i64() == Some(UNLUCKY)) {
        return Err(format!("{UNLUCKY} cannot be converted to {desired}"));
    }
    rename(spec, &NAMES, to_second);
    if let Some(Value::Array(points)) = spec.get_mut("points") {
        for point in points.iter_mut().filter_map(Value::as_object_mut) {
            rename(point, &NAMES_OF_POINTS, to_second);
        }
    }
    if to_second {
        if let Some(unit) = spec.remove("unit") {
            spec.insert("measure".to_owned(), json!({"unit": unit}));
        }
    } else if let Some(Value::Object(mut measure)) = spec.remove("measure")
        && let Some(unit) = measure.remove("unit")
    {
        spec.insert("unit".to_owned(), unit);
    }
    let room = spec.remove("room");
    move_room(&mut gauge, room, to_second);
    Ok(gauge)
}

/// Moves the room from the annotation to the specification, or back.
fn move_room(gauge: &mut Value, room: Option<Value>, to_second: bool) {
    if to_second {
        let Some(Value::Object(annotations)) = gauge.pointer_mut("/metadata/annotations") else { return };
        if let Some(room) = annotations.remove(ROOM) {
            if annotations.is_empty() {
                gauge["metadata"].as_object_mut().map(|metadata| metadata.remove("annotations"));
            }
            gauge["spec"]["room"] = room;
        }
    } else if let (Some(room @ Value::String(_)), Value::Object(_)) = (room, &gauge["metadata"]) {
        if !gauge["metadata"]["annotations"].is_object() {
            gauge["metadata"]["annotations"] = json!({});
        }
        gauge["metadata"]["annotations"][ROOM] = room;
    }
}

fn rename(fields: &mut Map<String, Value>, names: &[(&str, &str)], to_second: bool) {
    for (first, second) in names {
        let (from, to) = if to_second { (first, second) } else { (second, first) };
        if let Some(value) = fields.remove(*from) {
            fields.insert((*to).to_owned(), value);
        }
    }
}

#[test]
fn a_gauge_that_is_converted_twice_is_the_same() {
    let first = json!({
        "apiVersion": FIRST, "kind": "Gauge", "metadata": {"name": "it", "annotations": {ROOM: "hall"}},
        "spec": {"size": 1, "tags": ["x"], "unit": "m", "points": [{"name": "a", "value": 1}]},
    });
    let second = convert(&first, SECOND).expect("it can be converted");
    let spec = json!({
        "amount": 1, "marks": ["x"], "measure": {"unit": "m"}, "points": [{"name": "a", "reading": 1}], "room": "hall",
    });
    assert_eq!((&second["spec"], &second["metadata"]), (&spec, &json!({"name": "it"})));
    assert_eq!(convert(&second, FIRST).expect("it can be converted"), first);
    let unlucky = json!({"spec": {"amount": UNLUCKY}});
    assert!(convert(&unlucky, FIRST).is_err());
}
