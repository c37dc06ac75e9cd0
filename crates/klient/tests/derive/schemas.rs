//! Structural schemas of the shapes that serde has.

#![allow(dead_code, reason = "of the types that are no custom resources only the schema counts")]

use std::collections::{BTreeMap, BTreeSet};

use klient::api::core::v1 as api;
use klient::definitions::{Declaration, Definition, schema_of};
use klient::{CustomResource, json};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::definitions::pretty_equal;

#[derive(Clone, Debug, Default, CustomResource, Deserialize, JsonSchema, Serialize)]
#[resource(group = "example.com", version = "v1")]
struct ShapeSpec {}

/// The schema of a field `value` of a type.
fn shape<T: JsonSchema>() -> Result<Value, klient::definitions::Error> {
    #[derive(JsonSchema)]
    struct Spec<T> {
        value: T,
    }
    let declaration = Declaration { spec: Some(schema_of::<Spec<T>>()), ..Default::default() };
    let definition = serde_json::to_value(Definition::new::<Shape>(declaration).build()?).unwrap();
    let schema = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    Ok(schema["properties"]["spec"]["properties"]["value"].clone())
}

fn problem<T: JsonSchema>() -> String {
    shape::<T>().unwrap_err().problems().join("; ")
}

#[derive(JsonSchema)]
struct Point {
    x: i32,
}

#[test]
fn scalars_and_containers() {
    let int = |minimum: i64, maximum: i64| json!({"type": "integer", "format": "int32", "minimum": minimum as f64, "maximum": maximum as f64});
    let cases = [
        (shape::<bool>(), json!({"type": "boolean"})),
        (shape::<String>(), json!({"type": "string"})),
        (shape::<i8>(), int(-128, 127)),
        (shape::<u16>(), int(0, 65535)),
        (shape::<i32>(), json!({"type": "integer", "format": "int32"})),
        (shape::<u64>(), json!({"type": "integer", "format": "int64", "minimum": 0})),
        (shape::<f32>(), json!({"type": "number", "format": "float"})),
        (shape::<Option<i64>>(), json!({"type": "integer", "format": "int64", "nullable": true})),
        (shape::<Vec<String>>(), json!({"type": "array", "items": {"type": "string"}})),
        (
            shape::<BTreeSet<String>>(),
            json!({"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"}),
        ),
        (
            shape::<BTreeMap<String, i32>>(),
            json!({"type": "object", "additionalProperties": {"type": "integer", "format": "int32"}}),
        ),
        (shape::<Value>(), json!({"x-kubernetes-preserve-unknown-fields": true})),
        (
            shape::<serde_json::Map<String, Value>>(),
            json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true}),
        ),
        (
            shape::<Option<Point>>(),
            json!({
                "type": "object", "nullable": true, "required": ["x"],
                "properties": {"x": {"type": "integer", "format": "int32"}},
            }),
        ),
        (
            shape::<klient::IntOrString>(),
            json!({"anyOf": [{"type": "integer"}, {"type": "string"}], "x-kubernetes-int-or-string": true}),
        ),
        (shape::<klient::Time>(), json!({"type": "string", "format": "date-time"})),
    ];
    for (index, (schema, expected)) in cases.into_iter().enumerate() {
        println!("case {index}");
        same(&schema.unwrap(), &expected);
    }
}

/// As controller-gen writes them.
#[test]
fn the_name_of_a_reference_has_a_default_and_need_not_be_there() {
    let name = json!({"type": "string", "default": ""});
    let (key, optional) = (json!({"type": "string"}), json!({"type": "boolean"}));
    let selector = json!({
        "type": "object", "required": ["key"], "properties": {"name": name, "key": key, "optional": optional},
        "x-kubernetes-map-type": "atomic",
    });
    let source = json!({"type": "object", "properties": {"name": name, "optional": optional}});
    let cases = [
        (
            shape::<api::LocalObjectReference>(),
            json!({"type": "object", "properties": {"name": name}, "x-kubernetes-map-type": "atomic"}),
        ),
        (shape::<api::SecretKeySelector>(), selector.clone()),
        (shape::<api::ConfigMapKeySelector>(), selector),
        (shape::<api::SecretEnvSource>(), source.clone()),
        (shape::<api::ConfigMapEnvSource>(), source),
    ];
    for (schema, expected) in cases {
        pretty_equal(&schema.unwrap(), &expected);
    }
    for schema in [shape::<api::SecretProjection>(), shape::<api::ConfigMapVolumeSource>()] {
        let schema = schema.unwrap();
        assert!(schema.get("required").is_none() && schema["properties"]["name"] == name, "{schema}");
    }
}

/// Compares schemas in which numbers may be integers or not.
fn same(one: &Value, other: &Value) {
    fn plain(value: &Value) -> Value {
        match value {
            Value::Number(number) => json!(number.as_f64()),
            Value::Array(items) => items.iter().map(plain).collect(),
            Value::Object(fields) => {
                fields.iter().map(|(name, value)| (name.clone(), plain(value))).collect()
            }
            value => value.clone(),
        }
    }
    pretty_equal(&plain(one), &plain(other));
}

#[derive(JsonSchema)]
enum Theme {
    /// Black on white.
    Light,
    /// White on black.
    Dark,
}

#[derive(JsonSchema)]
#[serde(rename_all = "camelCase")]
enum Source {
    Git { url: String },
    Image(Point),
}

#[derive(JsonSchema)]
#[serde(tag = "type")]
enum Tagged {
    Git { url: String },
    Nothing,
}

#[derive(JsonSchema)]
#[serde(untagged)]
enum Port {
    Number(i32),
    Name(String),
}

#[derive(JsonSchema)]
struct Flat {
    name: String,
    #[serde(flatten)]
    source: Source,
}

#[derive(JsonSchema)]
#[serde(rename_all = "camelCase")]
enum Sink {
    Disk { path: String },
    Nowhere {},
}

#[derive(JsonSchema)]
struct Flats {
    name: String,
    #[serde(flatten)]
    source: Source,
    #[serde(flatten)]
    sink: Sink,
}

#[derive(JsonSchema)]
struct OptionalFlats {
    #[serde(flatten)]
    source: Option<Source>,
    #[serde(flatten)]
    sink: Option<Sink>,
}

#[derive(JsonSchema)]
struct OpenFlat {
    #[serde(flatten)]
    open: Open,
    #[serde(flatten)]
    source: Source,
}

#[derive(JsonSchema)]
struct Open {
    name: String,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

#[test]
fn several_enums_are_flattened_into_one_struct() {
    let sources = shape::<Source>().unwrap()["properties"].clone();
    let mut both = sources.as_object().unwrap().clone();
    both.extend(shape::<Sink>().unwrap()["properties"].as_object().unwrap().clone());
    let of_source = json!([{"required": ["git"]}, {"required": ["image"]}]);
    let of_sink = json!([{"required": ["disk"]}, {"required": ["nowhere"]}]);
    let with_name = |properties: &serde_json::Map<String, Value>| {
        let mut properties = properties.clone();
        properties.insert("name".to_owned(), json!({"type": "string"}));
        properties
    };
    let object = json!({"type": "object", "required": ["name"], "properties": with_name(&both)});
    let mut flats = object.clone();
    flats["allOf"] = json!([{"oneOf": of_source}, {"oneOf": of_sink}]);
    let mut nullable = object;
    nullable["nullable"] = true.into();
    nullable["allOf"] = json!([{"anyOf": of_source}, {"anyOf": of_sink}]);
    let sources = sources.as_object().unwrap();
    let flat = json!({
        "type": "object", "required": ["name"], "properties": with_name(sources), "nullable": true,
        "anyOf": of_source,
    });
    let open = json!({
        "type": "object", "required": ["name"], "properties": with_name(sources), "oneOf": of_source,
        "x-kubernetes-preserve-unknown-fields": true,
    });
    let cases = [
        (shape::<Flats>(), flats),
        (shape::<Option<Flats>>(), nullable),
        (shape::<OptionalFlats>(), json!({"type": "object", "properties": both})),
        // The name is beside the one field of a variant.
        (shape::<Option<Flat>>(), flat),
        (shape::<OpenFlat>(), open),
    ];
    for (index, (schema, expected)) in cases.into_iter().enumerate() {
        println!("case {index}");
        pretty_equal(&schema.unwrap(), &expected);
    }
}

#[test]
fn enums_and_what_is_flattened() {
    let git = json!({"type": "object", "required": ["url"], "properties": {"url": {"type": "string"}}});
    let point = json!({
        "type": "object", "required": ["x"], "properties": {"x": {"type": "integer", "format": "int32"}},
    });
    let source = json!({
        "type": "object", "properties": {"git": git, "image": point},
        "oneOf": [{"required": ["git"]}, {"required": ["image"]}],
    });
    let mut optional = source.clone();
    optional.as_object_mut().unwrap().remove("oneOf");
    optional["nullable"] = true.into();
    optional["minProperties"] = 1.into();
    optional["maxProperties"] = 1.into();
    let mut flat = source.clone();
    flat["properties"]["name"] = json!({"type": "string"});
    flat["required"] = json!(["name"]);
    let cases = [
        (
            shape::<Option<Theme>>(),
            json!({
                "type": "string", "nullable": true, "enum": ["Light", "Dark"],
                "description": "- Light: Black on white.\n- Dark: White on black.",
            }),
        ),
        (shape::<Source>(), source),
        (shape::<Option<Source>>(), optional),
        (
            shape::<Tagged>(),
            json!({
                "type": "object",
                "properties": {"type": {"type": "string", "enum": ["Git", "Nothing"]}, "url": {"type": "string"}},
                "oneOf": [
                    {"properties": {"type": {"enum": ["Git"]}}, "required": ["type", "url"]},
                    {"properties": {"type": {"enum": ["Nothing"]}}, "required": ["type"]},
                ],
            }),
        ),
        (
            shape::<Port>(),
            json!({"anyOf": [{"type": "integer"}, {"type": "string"}], "x-kubernetes-int-or-string": true}),
        ),
        (shape::<Flat>(), flat),
        (
            shape::<Open>(),
            json!({
                "type": "object", "required": ["name"], "properties": {"name": {"type": "string"}},
                "x-kubernetes-preserve-unknown-fields": true,
            }),
        ),
    ];
    for (index, (schema, expected)) in cases.into_iter().enumerate() {
        println!("case {index}");
        same(&schema.unwrap(), &expected);
    }
}

#[derive(JsonSchema)]
struct Tree {
    children: Vec<Tree>,
}

#[derive(JsonSchema)]
enum Mixed {
    Off,
    On { level: i32 },
}

#[derive(JsonSchema)]
#[serde(tag = "type")]
enum Differing {
    A { value: i32 },
    B { value: String },
}

#[derive(JsonSchema)]
struct Ruled {
    #[schemars(extend("x-kubernetes-validations" = [{"rule": "self.size() > 1"}]))]
    number: i32,
}

#[test]
fn what_has_no_structural_schema_is_told_with_its_field_and_a_remedy() {
    assert_eq!(
        problem::<(i32, String)>(),
        "spec.value: a tuple has no structural schema, since its items have different types: use a struct",
    );
    assert_eq!(
        problem::<Tree>(),
        "spec.value.children[]: type Tree has itself as a field, and a structural schema ends somewhere: give the field \
         #[schemars(with = \"serde_json::Value\")]",
    );
    assert_eq!(
        problem::<Mixed>(),
        "spec.value: the variants have different types, which no structural schema has: give each variant fields, as in \
         `Off {}`, or name the variant in a field with #[serde(tag = \"type\")]",
    );
    assert_eq!(
        problem::<Differing>(),
        "spec.value.value: the field has another type in another variant, and a structural schema has one schema per \
         field: give one of them another name",
    );
    assert_eq!(
        problem::<()>(),
        "spec.value: `()` has no value but null: leave the field out, or use an empty struct",
    );
    assert_eq!(
        problem::<Vec<u128>>(),
        "spec.value[]: an integer of the API has 64 bits: use u64, i64 or a string",
    );
    // By the rules of the server.
    let rule = problem::<Ruled>();
    // Without the rule, of which the message quotes what is wrong.
    assert!(
        rule.contains("properties[number].x-kubernetes-validations[0].rule: compilation failed: "),
        "{rule}"
    );
    assert!(rule.contains("found no matching overload for 'size'") && !rule.contains("fieldPath"), "{rule}");
}

#[test]
fn exclusive_limits_are_words_beside_the_limit() {
    #[derive(JsonSchema)]
    struct Limits {
        #[schemars(extend("exclusiveMinimum" = 0, "exclusiveMaximum" = 1.5, "multipleOf" = 0.5))]
        ratio: f64,
        #[schemars(extend("exclusiveMinimum" = 10))]
        narrower: u32,
        #[schemars(extend("exclusiveMinimum" = -10))]
        wider: u32,
    }
    let limits = shape::<Limits>().unwrap();
    pretty_equal(
        &limits["properties"],
        &json!({
            "ratio": {
                "type": "number", "format": "double", "multipleOf": 0.5,
                "minimum": 0, "exclusiveMinimum": true, "maximum": 1.5, "exclusiveMaximum": true,
            },
            "narrower": {"type": "integer", "format": "int64", "minimum": 10, "exclusiveMinimum": true, "maximum": u32::MAX},
            "wider": {"type": "integer", "format": "int64", "minimum": 0, "maximum": u32::MAX},
        }),
    );
}

#[test]
fn the_items_of_a_list_have_limits_by_a_type_of_their_own() {
    #[derive(JsonSchema)]
    struct Name(#[schemars(length(max = 63), regex(pattern = "^[a-z]+$"))] String);
    pretty_equal(
        &shape::<Vec<Name>>().unwrap(),
        &json!({"type": "array", "items": {"type": "string", "maxLength": 63, "pattern": "^[a-z]+$"}}),
    );
}
