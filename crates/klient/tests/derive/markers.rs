//! Markers of fields and of structs within others.

use std::collections::BTreeMap;

use klient::definitions::{Declaration, Definition, schema_of};
use klient::{CustomResource, ResourceSchema, json};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cluster::TestCluster;
use crate::definitions::{install, pretty_equal};

/// A gauge.
#[derive(Clone, Debug, Default, CustomResource, Deserialize, JsonSchema, Serialize)]
#[resource(group = "example.com", version = "v1", status = GaugeStatus)]
#[resource(rule("self.spec.limits.size() > 0", message = "no limits"))]
#[serde(rename_all = "camelCase", default = "sample")]
struct GaugeSpec {
    /// The room that it hangs in.
    #[resource(rule(
        "oldSelf.orValue(self) == self",
        message_expression = "'it hangs in ' + self",
        reason = "FieldValueForbidden",
        optional_old_self = true
    ))]
    room: String,
    #[resource(list_type = "map", list_map_keys("kind", "unit"))]
    limits: Vec<Limit>,
    #[resource(list_type = "set", rule("self.all(tag, tag.size() < 4)"), rule("self.size() < 3"))]
    tags: Vec<String>,
    #[resource(list_type = "atomic")]
    history: Vec<i32>,
    #[resource(map_type = "atomic")]
    labels: BTreeMap<String, String>,
    #[resource(struct_type = "atomic")]
    point: Point,
    #[resource(default = 7, nullable)]
    period_seconds: i32,
    #[resource(int_or_string)]
    port: String,
    #[resource(int_or_string)]
    other_port: Option<String>,
    #[resource(embedded_resource)]
    template: Value,
    #[resource(preserve_unknown_fields)]
    extra: Extra,
    #[resource(default = {"x": 1})]
    corner: Point,
}

fn sample() -> GaugeSpec {
    GaugeSpec { room: "hall".into(), ..Default::default() }
}

#[derive(Clone, Debug, Default, Deserialize, ResourceSchema, Serialize)]
#[resource(rule("self.min <= self.max", message = "min is above max", field_path = ".min"))]
struct Limit {
    kind: String,
    unit: String,
    #[resource(rule("self > -274", reason = "FieldValueInvalid"))]
    min: i32,
    max: i32,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema, Serialize)]
struct Point {
    x: i32,
}

#[derive(Clone, Debug, Default, Deserialize, ResourceSchema, Serialize)]
struct Extra {}

#[derive(Clone, Debug, Default, Deserialize, ResourceSchema, Serialize)]
#[serde(default)]
struct GaugeStatus {
    #[resource(list_type = "set")]
    seen: Vec<Seen>,
    #[serde(flatten)]
    level: Option<Level>,
}

#[derive(Clone, Debug, Default, Deserialize, ResourceSchema, Serialize)]
#[resource(struct_type = "atomic")]
struct Seen {
    at: String,
}

/// Markers within the variants of an enum.
#[derive(Clone, Debug, Deserialize, ResourceSchema, Serialize)]
#[serde(rename_all = "camelCase")]
enum Level {
    Low {
        #[resource(rule("self < 10"))]
        number: i32,
    },
    High(Point),
}

#[test]
fn every_marker_is_in_the_schema() {
    let definition = serde_json::to_value(Gauge::definition().build().unwrap()).unwrap();
    let schema = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"];
    let int = json!({"type": "integer", "format": "int32"});
    let point = |with: Value| {
        let mut point = json!({"type": "object", "required": ["x"], "properties": {"x": int}});
        point.as_object_mut().unwrap().extend(with.as_object().unwrap().clone());
        point
    };
    let mut expected = json!({
        "room": {
            "type": "string", "default": "hall", "description": "The room that it hangs in.",
            "x-kubernetes-validations": [{
                "rule": "oldSelf.orValue(self) == self", "messageExpression": "'it hangs in ' + self",
                "reason": "FieldValueForbidden", "optionalOldSelf": true,
            }],
        },
        "limits": {
            "type": "array", "default": [], "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["kind", "unit"],
            "items": {
                "type": "object", "required": ["kind", "max", "min", "unit"],
                "properties": {
                    "kind": {"type": "string"}, "unit": {"type": "string"}, "max": int,
                    "min": {
                        "type": "integer", "format": "int32",
                        "x-kubernetes-validations": [{"rule": "self > -274", "reason": "FieldValueInvalid"}],
                    },
                },
                "x-kubernetes-validations": [
                    {"rule": "self.min <= self.max", "message": "min is above max", "fieldPath": ".min"},
                ],
            },
        },
        "tags": {
            "type": "array", "default": [], "items": {"type": "string"}, "x-kubernetes-list-type": "set",
            "x-kubernetes-validations": [{"rule": "self.all(tag, tag.size() < 4)"}, {"rule": "self.size() < 3"}],
        },
        "history": {"type": "array", "default": [], "items": int, "x-kubernetes-list-type": "atomic"},
        "labels": {
            "type": "object", "default": {}, "additionalProperties": {"type": "string"}, "x-kubernetes-map-type": "atomic",
        },
        "point": point(json!({"default": {"x": 0}, "x-kubernetes-map-type": "atomic"})),
        "periodSeconds": {"type": "integer", "format": "int32", "default": 7, "nullable": true},
        "port": {
            "anyOf": [{"type": "integer"}, {"type": "string"}], "x-kubernetes-int-or-string": true, "default": "",
        },
        "otherPort": {
            "anyOf": [{"type": "integer"}, {"type": "string"}], "x-kubernetes-int-or-string": true, "nullable": true,
        },
        "template": {
            "type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true,
        },
        "extra": {"type": "object", "default": {}, "x-kubernetes-preserve-unknown-fields": true},
        "corner": point(json!({"default": {"x": 1}})),
    });
    let spec = &schema["spec"]["properties"];
    for (name, expected) in expected.as_object_mut().unwrap() {
        println!("{name}");
        pretty_equal(&plain(&spec[name]), &plain(expected));
    }
    assert_eq!(schema["spec"].get("required"), None);
    assert_eq!(
        schema["status"]["properties"]["seen"],
        json!({
            "type": "array", "default": [], "x-kubernetes-list-type": "set",
            "items": {
                "type": "object", "required": ["at"], "properties": {"at": {"type": "string"}},
                "x-kubernetes-map-type": "atomic",
            },
        }),
    );
    let number = &schema["status"]["properties"]["low"]["properties"]["number"];
    assert_eq!(number["x-kubernetes-validations"], json!([{"rule": "self < 10"}]));
}

/// Lists of names in one order.
fn plain(value: &Value) -> Value {
    let mut value = value.clone();
    if let Some(object) = value.as_object_mut() {
        for (name, value) in object.iter_mut() {
            match value {
                Value::Array(items) if name == "required" => items.sort_by_key(ToString::to_string),
                value => *value = plain(value),
            }
        }
    }
    value
}

#[tokio::test]
async fn the_server_judges_by_the_rules_of_fields_and_nested_structs() {
    let cluster = TestCluster::start().await;
    let client = cluster.client();
    install(&client, Gauge::definition()).await;
    let gauges = client.api::<Gauge>().namespace("default");
    let limit = |min, max| Limit { kind: "heat".into(), unit: "C".into(), min, max };
    let gauge = |limits: Vec<Limit>| {
        let template = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}});
        Gauge::new("a", GaugeSpec { limits, port: "80".into(), template, ..sample() })
    };
    let refused = async |gauge: Gauge| gauges.create(&gauge).await.unwrap_err().to_string();
    let error = refused(gauge(vec![limit(3, 2)])).await;
    assert!(
        error.contains("spec.limits[0].min: Invalid value") && error.contains("min is above max"),
        "{error}"
    );
    let error = refused(gauge(vec![limit(-300, 2)])).await;
    assert!(error.contains("failed rule: self > -274"), "{error}");
    let error = refused(gauge(vec![limit(1, 2), limit(2, 3)])).await;
    assert!(error.contains("spec.limits[1]: Duplicate value"), "{error}");
    let mut tagged = gauge(vec![limit(1, 2)]);
    tagged.spec.tags = vec!["long-tag".into()];
    assert!(refused(tagged).await.contains("failed rule: self.all(tag, tag.size() < 4)"));
    let mut created = gauges.create(&gauge(vec![limit(1, 2)])).await.unwrap();
    created.spec.room = "attic".into();
    let error = gauges.update(&created).await.unwrap_err().to_string();
    assert!(error.contains("spec.room: Forbidden: it hangs in attic"), "{error}");
}

#[derive(Clone, Debug, Default, CustomResource, Deserialize, JsonSchema, Serialize)]
#[resource(group = "example.com", version = "v1")]
struct WrongSpec {
    #[resource(rule("self.size() > 1"))]
    number: i32,
}

#[derive(ResourceSchema)]
struct Set {
    #[resource(list_type = "set")]
    #[allow(dead_code, reason = "only the schema counts")]
    items: Vec<Point>,
}

#[test]
fn markers_that_a_server_refuses_are_told_when_the_definition_is_built() {
    let error = Wrong::definition().build().unwrap_err().to_string();
    assert!(error.contains("properties[number].x-kubernetes-validations[0].rule"), "{error}");
    assert!(error.contains("found no matching overload for 'size'"), "{error}");
    let declaration = Declaration { spec: Some(schema_of::<Set>()), ..Default::default() };
    let error = Definition::new::<Wrong>(declaration).build().unwrap_err().to_string();
    assert!(error.contains("items.x-kubernetes-map-type"), "{error}");
}
