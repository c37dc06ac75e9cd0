//! Schemas of custom resources for OpenAPI documents.
//!
//! A document has the schema of the definition with the fields of objects added: `apiVersion`, `kind` and `metadata`, at
//! the root and in embedded resources. OpenAPI v2 lacks `nullable`, `oneOf`, `anyOf`, `allOf` and `not`, and its clients
//! take a field that is not declared for an error; so its schemas say less, by the rules of upstream's `openapi/v2`.

use klient_apimachinery::values::{Map, list_at, text_at};
use serde_json::{Value, json};

use super::schema::{flag, list, schema_at, schemas};

/// The version of OpenAPI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenApi {
    /// OpenAPI 2.0, formerly Swagger.
    V2,
    /// OpenAPI 3.0.
    V3,
}

/// A version's schema as the definition has it, for documents.
#[derive(Clone, Debug)]
pub(super) struct Source {
    /// The structural schema as JSON; `None` without one.
    schema: Option<Box<str>>,
    /// True if all objects of the definition preserve unknown fields.
    preserves_unknown: bool,
}

impl Source {
    pub(super) fn new(schema: Option<&Map>, preserves_unknown: bool) -> Self {
        let schema = schema.filter(|schema| super::openapi::is_structural(schema));
        Source {
            schema: schema.and_then(|schema| serde_json::to_string(schema).ok()).map(Into::into),
            preserves_unknown,
        }
    }

    /// The schema of the objects in a document. `metadata` is the schema of their metadata.
    pub(super) fn publish(&self, version: OpenApi, metadata: &Value) -> Map {
        let untyped = || Map::from_iter([("type".to_owned(), "object".into())]);
        let schema = self.schema.as_deref().and_then(|schema| serde_json::from_str::<Map>(schema).ok());
        let Some(schema) = schema else { return untyped() };
        let preserves = self.preserves_unknown || flag(&schema, "x-kubernetes-preserve-unknown-fields");
        if version == OpenApi::V2 && preserves {
            return untyped();
        }
        let publisher = Publisher { version, metadata };
        let mut published = publisher.schema(&schema);
        publisher.add_object(&mut published);
        published
    }
}

/// Keywords that are copied if they have a value that is not Go's zero.
const SCALARS: [&str; 15] = [
    "type",
    "format",
    "title",
    "description",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "pattern",
    "uniqueItems",
    "required",
    "enum",
    "x-kubernetes-int-or-string",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-validations",
    "x-kubernetes-embedded-resource",
    "x-kubernetes-preserve-unknown-fields",
];

/// Keywords that are copied if they are there.
const POINTERS: [&str; 13] = [
    "maximum",
    "minimum",
    "maxLength",
    "minLength",
    "maxItems",
    "minItems",
    "multipleOf",
    "maxProperties",
    "minProperties",
    "externalDocs",
    "example",
    "x-kubernetes-list-type",
    "x-kubernetes-map-type",
];

struct Publisher<'a> {
    version: OpenApi,
    metadata: &'a Value,
}

impl Publisher<'_> {
    fn schema(&self, schema: &Map) -> Map {
        let is_v3 = self.version == OpenApi::V3;
        let mut out = own(schema);
        let set = |out: &mut Map, name: &str, value: Value| {
            out.insert(name.to_owned(), value);
        };
        if let Some(default) = schema.get("default").filter(|default| is_v3 && !default.is_null()) {
            set(&mut out, "default", default.clone());
        }
        let preserves = flag(schema, "x-kubernetes-preserve-unknown-fields");
        let is_nullable = flag(schema, "nullable");
        // kubectl rejects undeclared fields wherever others are declared.
        let is_open = !is_v3 && (is_nullable || preserves);
        if !is_open && let Some(items) = schema_at(schema, "items") {
            set(&mut out, "items", self.schema(items).into());
        }
        if !is_open && schema.contains_key("properties") {
            let properties = schemas(schema, "properties");
            let properties: Map =
                properties.map(|(name, schema)| (name.clone(), self.schema(schema).into())).collect();
            if !properties.is_empty() {
                set(&mut out, "properties", properties.into());
            }
        }
        match schema.get("additionalProperties") {
            Some(Value::Object(values)) => set(&mut out, "additionalProperties", self.schema(values).into()),
            Some(allowed @ Value::Bool(_)) => set(&mut out, "additionalProperties", allowed.clone()),
            _ => {}
        }
        if is_v3 {
            if is_nullable {
                set(&mut out, "nullable", true.into());
            }
            junctors(schema, &mut out);
            if flag(schema, "x-kubernetes-int-or-string") {
                unfold(&mut out);
            }
        } else {
            let is_empty_list = text_at(schema, &["type"]) == "array" && !out.contains_key("items");
            let is_open_object = text_at(schema, &["type"]) == "object" && preserves;
            if is_nullable || is_empty_list || is_open_object {
                out.remove("type");
            }
            self.drop_nullable(schema, &mut out, is_open);
        }
        let is_embedded = flag(schema, "x-kubernetes-embedded-resource");
        if is_embedded && (is_v3 || !preserves) {
            self.add_object(&mut out);
            require(&mut out, "kind");
            require(&mut out, "apiVersion");
        }
        out
    }

    /// Removes nullable fields from the required ones: v2 cannot say that they may be null.
    fn drop_nullable(&self, schema: &Map, out: &mut Map, is_open: bool) {
        let nullable: Vec<&String> = match is_open {
            true => Vec::new(),
            false => {
                let properties = schemas(schema, "properties").filter(|(_, schema)| flag(schema, "nullable"));
                properties.map(|(name, _)| name).collect()
            }
        };
        let values = schema_at(schema, "additionalProperties");
        let has_nullable_values = values.is_some_and(|values| flag(values, "nullable"));
        if let Some(required) = out.get_mut("required").and_then(Value::as_array_mut) {
            let is_kept = |name: &Value| !nullable.iter().any(|nullable| name == nullable.as_str());
            required.retain(|name| !has_nullable_values && is_kept(name));
            if required.is_empty() {
                out.remove("required");
            }
        }
    }

    /// Declares the fields that every object has.
    fn add_object(&self, out: &mut Map) {
        let properties = out.entry("properties").or_insert_with(|| json!({}));
        if let Some(properties) = properties.as_object_mut() {
            properties.insert("apiVersion".to_owned(), json!({"type": "string"}));
            properties.insert("kind".to_owned(), json!({"type": "string"}));
            properties.insert("metadata".to_owned(), self.metadata.clone());
        }
    }
}

/// The keywords of a schema that are about itself.
fn own(schema: &Map) -> Map {
    let mut out = Map::new();
    let is_zero = |value: &Value| match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    };
    let scalars =
        SCALARS.iter().filter_map(|name| schema.get_key_value(*name)).filter(|(_, value)| !is_zero(value));
    let pointers =
        POINTERS.iter().filter_map(|name| schema.get_key_value(*name)).filter(|(_, value)| !value.is_null());
    for (name, value) in scalars.chain(pointers) {
        out.insert(name.clone(), value.clone());
    }
    out
}

/// Copies `allOf`, `anyOf`, `oneOf` and `not`.
fn junctors(schema: &Map, out: &mut Map) {
    for name in ["allOf", "anyOf", "oneOf"] {
        let schemas: Vec<Value> = list(schema, name).map(|(_, schema)| nested(schema).into()).collect();
        if !schemas.is_empty() {
            out.insert(name.to_owned(), schemas.into());
        }
    }
    if let Some(not) = schema_at(schema, "not") {
        out.insert("not".to_owned(), nested(not).into());
    }
}

/// A schema within a junctor.
fn nested(schema: &Map) -> Map {
    let mut out = own(schema);
    junctors(schema, &mut out);
    if let Some(items) = schema_at(schema, "items") {
        out.insert("items".to_owned(), nested(items).into());
    }
    let properties: Map =
        schemas(schema, "properties").map(|(name, schema)| (name.clone(), nested(schema).into())).collect();
    if !properties.is_empty() {
        out.insert("properties".to_owned(), properties.into());
    }
    out
}

/// Says in standard keywords that a value may be an integer or a string.
fn unfold(out: &mut Map) {
    let either = json!([{"type": "integer"}, {"type": "string"}]);
    let said = out.get("anyOf") == Some(&either)
        || list_at(out, &["allOf"]).first().is_some_and(|first| first.get("anyOf") == Some(&either));
    if said {
        return;
    }
    if !out.contains_key("anyOf") {
        out.insert("anyOf".to_owned(), either);
    } else if let Some(all) = out.entry("allOf").or_insert_with(|| json!([])).as_array_mut() {
        all.insert(0, json!({ "anyOf": either }));
    }
}

fn require(out: &mut Map, name: &str) {
    let required = out.entry("required").or_insert_with(|| json!([]));
    if let Some(required) =
        required.as_array_mut().filter(|required| !required.iter().any(|other| other == name))
    {
        required.push(name.into());
    }
}
