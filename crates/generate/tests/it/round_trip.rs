//! [`round_trip`] and [`apply`]: an object with every field of its definition goes through the server and a generated type.
//!
//! `cargo xtask generate-check` compiles this file, too.

use std::fmt::Debug;
use std::fs;
use std::path::Path;

use klient::api::apiextensions::v1::CustomResourceDefinition;
use klient::apimachinery::custom::CustomResource;
use klient::client::DynamicPlace;
use klient::{
    Api, ApplyConfiguration, ApplyOptions, BoxFuture, Client, Error, ListOptions, Resource as _,
    ResourceInfo, TestClient as _, TestServer, Unstructured, yaml,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

/// Keywords that do not change the shape of a value.
const VALIDATION: [&str; 17] = [
    "allOf",
    "anyOf",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "maximum",
    "maxItems",
    "maxLength",
    "maxProperties",
    "minimum",
    "minItems",
    "minLength",
    "minProperties",
    "multipleOf",
    "not",
    "oneOf",
    "uniqueItems",
    "x-kubernetes-validations",
];

/// Formats of which a type is made, or that integers have.
const FORMATS: [&str; 6] = ["byte", "date-time", "double", "float", "int32", "int64"];

/// Reads the definitions in a folder.
pub(crate) fn definitions(folder: &Path) -> Vec<Value> {
    let mut definitions = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            definitions.extend(self::definitions(&path));
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            let text = fs::read_to_string(&path).unwrap();
            let documents = yaml::documents(&text).map(Result::unwrap);
            definitions.extend(documents.filter(|document| document["kind"] == "CustomResourceDefinition"));
        }
    }
    definitions
}

/// Writes an object with every field to a server, reads it as `K`, and writes it back. Returns the number of values in it.
///
/// # Panics
///
/// If the object is then another.
pub(crate) async fn round_trip<K>(definitions: &[Value]) -> usize
where
    K: CustomResource + Serialize + DeserializeOwned,
{
    let Served { server: _server, api, object, .. } = served(&K::INFO, definitions).await;
    let kind = &K::INFO.kind;
    let created = api.create(&object).await.unwrap_or_else(|error| panic!("{error}"));
    assert_kept(&created, &object, kind);

    let created = Value::Object(created.0);
    let mut read: K =
        serde_json::from_value(created.clone()).unwrap_or_else(|error| panic!("{kind}: {error}"));
    assert_same(&serde_json::to_value(&read).unwrap(), &created, kind);
    // Without the JSON that it was received in it has only the fields of its types.
    *read.received_mut() = Default::default();
    let known = serde_json::to_value(&read).unwrap();
    assert_same(&known, &created, kind);

    let Value::Object(known) = known else { unreachable!("it is the object") };
    let updated = api.update(&Unstructured(known)).await.unwrap_or_else(|error| panic!("{error}"));
    assert_same(&Value::Object(updated.0), &created, kind);
    count(&created)
}

/// Applies a configuration with every field, and extracts it from the object. Returns the number of values in it.
///
/// # Panics
///
/// If it is then another.
pub(crate) async fn apply<C>(
    definitions: &[Value],
    apply: impl FnOnce(&Client, &C, &ApplyOptions) -> BoxFuture<'static, Result<C::Object, Error>>,
    extract: impl FnOnce(&C::Object, &str) -> Result<C, klient::apply::Error>,
) -> usize
where
    C: ApplyConfiguration + Debug + DeserializeOwned + PartialEq,
    C::Object: CustomResource + Serialize,
{
    let info = C::Object::INFO;
    let Served { server: _server, client, mut object, .. } = served(&info, definitions).await;
    if info.namespaced {
        object.0["metadata"]["namespace"] = json!("default");
    }
    let configuration: C = serde_json::from_value(Value::Object(object.0.clone()))
        .unwrap_or_else(|error| panic!("{}: {error}", info.kind));
    let written = serde_json::to_value(&configuration).unwrap();
    assert_same(&written, &Value::Object(object.0.clone()), &info.kind);
    let applied = apply(&client, &configuration, &ApplyOptions::new("tester")).await;
    let applied = applied.unwrap_or_else(|error| panic!("{error}"));
    let Value::Object(fields) = serde_json::to_value(&applied).unwrap() else {
        unreachable!("it is an object")
    };
    assert_kept(&Unstructured(fields), &object, &info.kind);
    let extracted = extract(&applied, "tester").unwrap_or_else(|error| panic!("{}: {error}", info.kind));
    assert_same(&serde_json::to_value(&extracted).unwrap(), &written, &info.kind);
    count(&written)
}

/// A server that serves a kind, and an object with every field.
struct Served {
    server: TestServer,
    client: Client,
    api: Api<Unstructured, DynamicPlace>,
    object: Unstructured,
}

async fn served(info: &ResourceInfo, definitions: &[Value]) -> Served {
    let definition = definitions.iter().find(|definition| {
        let spec = &definition["spec"];
        spec["group"] == *info.group && spec["names"]["kind"] == *info.kind
    });
    let definition = relaxed(definition.expect("the kind has a definition"), &info.version);
    let server = TestServer::start_in_memory().await.unwrap();
    let client = server.client();
    let typed: CustomResourceDefinition = serde_json::from_value(definition.clone()).unwrap();
    client.api::<CustomResourceDefinition>().create(&typed).await.unwrap();
    let api = client.dynamic(info.clone());
    let api = if info.namespaced { api.namespace("default") } else { api };
    while api.list(&ListOptions::default()).await.is_err() {
        tokio::task::yield_now().await;
    }

    let mut object = Unstructured::new(&info.api_version(), &info.kind, "sample");
    let schema = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    let Value::Object(fields) = sample(schema) else { panic!("{}: the schema is no object's", info.kind) };
    object.0.extend(fields.into_iter().filter(|(name, _)| !is_type_meta(name) && name != "other-thing"));
    if schema["x-kubernetes-preserve-unknown-fields"] == true {
        for name in ["spec", "status"] {
            object.0.entry(name).or_insert_with(|| json!({"any": [{"thing": 1}]}));
        }
    }
    Served { server, client, api, object }
}

/// Checks that the server has pruned nothing.
#[track_caller]
fn assert_kept(answer: &Unstructured, object: &Unstructured, kind: &str) {
    for (name, value) in object.0.iter().filter(|(name, _)| *name != "metadata") {
        assert_eq!(answer.0.get(name), Some(value), "{kind}: the server has pruned {name}");
    }
}

/// Compares objects, and names the first field that differs.
#[track_caller]
fn assert_same(one: &Value, other: &Value, kind: &str) {
    if let Some(difference) = difference(one, other, kind) {
        panic!("{difference}");
    }
}

fn difference(one: &Value, other: &Value, path: &str) -> Option<String> {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let names: std::collections::BTreeSet<&String> = one.keys().chain(other.keys()).collect();
            names.into_iter().find_map(|name| {
                let value = |map: &Map<String, Value>| map.get(name).cloned().unwrap_or(json!("(absent)"));
                difference(&value(one), &value(other), &format!("{path}.{name}"))
            })
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => one
            .iter()
            .zip(other)
            .enumerate()
            .find_map(|(at, (one, other))| difference(one, other, &format!("{path}[{at}]"))),
        _ => (one != other).then(|| format!("{path}: {one} is not {other}")),
    }
}

fn count(value: &Value) -> usize {
    match value {
        Value::Object(map) => map.values().map(count).sum(),
        Value::Array(items) => items.iter().map(count).sum(),
        _ => 1,
    }
}

fn is_type_meta(name: &str) -> bool {
    matches!(name, "apiVersion" | "kind" | "metadata")
}

/// A definition with one version, whose schema has the shape of values and no limits.
fn relaxed(definition: &Value, version: &str) -> Value {
    let spec = &definition["spec"];
    let versions = spec["versions"].as_array().unwrap();
    let version = versions.iter().find(|other| other["name"] == *version).expect("the version is defined");
    let schema = relaxed_schema(&version["schema"]["openAPIV3Schema"]);
    let mut metadata = json!({"name": definition["metadata"]["name"]});
    // Groups of Kubernetes need the approval that is in an annotation.
    if let Some(annotations) = definition["metadata"].get("annotations") {
        metadata["annotations"] = annotations.clone();
    }
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": metadata,
        "spec": {
            "group": spec["group"],
            "names": spec["names"],
            "scope": spec["scope"],
            "versions": [
                {"name": version["name"], "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}},
            ],
        },
    })
}

fn relaxed_schema(schema: &Value) -> Value {
    let Value::Object(schema) = schema else { return schema.clone() };
    let mut relaxed = Map::new();
    for (keyword, value) in schema {
        let value = match keyword.as_str() {
            "properties" => {
                let properties = value.as_object().into_iter().flatten();
                Value::Object(
                    properties.map(|(name, schema)| (name.clone(), relaxed_schema(schema))).collect(),
                )
            }
            "items" | "additionalProperties" => relaxed_schema(value),
            "format" if !FORMATS.contains(&value.as_str().unwrap_or_default()) => continue,
            "pattern" => continue,
            keyword if VALIDATION.contains(&keyword) => continue,
            _ => value.clone(),
        };
        relaxed.insert(keyword.clone(), value);
    }
    if let Some(pattern) = schema.get("pattern").filter(|_| is_int_or_string(schema)) {
        relaxed.insert("pattern".to_owned(), pattern.clone());
    }
    Value::Object(relaxed)
}

fn is_int_or_string(schema: &Map<String, Value>) -> bool {
    schema.get("x-kubernetes-int-or-string") == Some(&Value::Bool(true))
}

/// A value with all that a schema allows.
fn sample(schema: &Value) -> Value {
    if schema.as_object().is_some_and(is_int_or_string) {
        return if schema.get("pattern").is_some() { json!("500m") } else { json!(7) };
    }
    if schema["enum"].is_array() && schema["type"] != "string" {
        return schema["enum"][0].clone();
    }
    let preserves = schema["x-kubernetes-preserve-unknown-fields"] == true;
    match schema["type"].as_str().unwrap_or("") {
        "boolean" => json!(true),
        "integer" => json!(3),
        "number" => json!(1.5),
        "string" => match (&schema["enum"][0], schema["format"].as_str()) {
            (Value::String(value), _) => json!(value),
            (_, Some("date-time")) => json!("2026-01-02T03:04:05Z"),
            (_, Some("byte")) => json!("a2xpZW50"),
            _ => json!("text"),
        },
        "array" => json!([sample(&schema["items"])]),
        "object" => {
            let mut object = Map::new();
            let properties = schema["properties"].as_object();
            for (name, schema) in properties.into_iter().flatten() {
                object.insert(name.clone(), sample(schema));
            }
            if schema["x-kubernetes-embedded-resource"] == true {
                object.insert("apiVersion".to_owned(), json!("v1"));
                object.insert("kind".to_owned(), json!("ConfigMap"));
                object.insert("metadata".to_owned(), json!({"name": "embedded", "labels": {"a": "b"}}));
            }
            match &schema["additionalProperties"] {
                Value::Object(values) => {
                    object.insert("key".to_owned(), sample(&Value::Object(values.clone())));
                }
                Value::Bool(true) => {
                    object.insert("key".to_owned(), json!({"any": 1}));
                }
                _ if preserves => {
                    object.insert("other-thing".to_owned(), json!([1, {"any": "thing"}]));
                }
                _ => {}
            }
            Value::Object(object)
        }
        _ => json!({"any": ["thing"]}),
    }
}
