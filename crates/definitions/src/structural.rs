//! Structural schemas, as CustomResourceDefinitions have them, from the JSON schemas of schemars.
//!
//! A structural schema gives each value one type, and each field one schema: references are resolved, the variants of an
//! enum share one set of fields, and formats are those that Kubernetes knows.

mod format;
mod variants;

use serde_json::{Map, Value, json};

const INT_OR_STRING: &str = "x-kubernetes-int-or-string";
const EMBEDDED: &str = "x-kubernetes-embedded-resource";
const PRESERVE: &str = "x-kubernetes-preserve-unknown-fields";

/// Keywords of JSON schema that say nothing about a value, or that Kubernetes refuses.
const DROPPED: [&str; 11] = [
    "$schema",
    "$id",
    "$comment",
    "$defs",
    "definitions",
    "title",
    "examples",
    "deprecated",
    "readOnly",
    "writeOnly",
    "unevaluatedProperties",
];

/// Converts a JSON schema, and collects the reasons for which that is not possible.
#[derive(Default)]
pub(crate) struct Converter {
    /// Each names the field and the remedy.
    pub(crate) problems: Vec<String>,
}

/// The schema of a value without a schema.
fn anything() -> Map<String, Value> {
    Map::from_iter([(PRESERVE.to_owned(), Value::Bool(true))])
}

fn is_true(schema: &Map<String, Value>, keyword: &str) -> bool {
    schema.get(keyword) == Some(&Value::Bool(true))
}

fn is_type(schema: &Map<String, Value>, name: &str) -> bool {
    schema.get("type").and_then(Value::as_str) == Some(name)
}

/// The schema allows `null` and nothing else.
fn is_null(schema: &Value) -> bool {
    schema["type"] == "null" || schema["enum"] == json!([null]) || schema.get("const") == Some(&Value::Null)
}

/// The schema allows `null` beside other values.
fn allows_null(schema: &Map<String, Value>) -> bool {
    let is_in = |keyword: &str, is_it: fn(&Value) -> bool| {
        schema.get(keyword).and_then(Value::as_array).is_some_and(|values| values.iter().any(is_it))
    };
    is_in("type", |ty| ty == "null") || is_in("anyOf", is_null)
}

impl Converter {
    /// The structural schema of a field.
    pub(crate) fn convert(&mut self, schema: Value, field: &str) -> Map<String, Value> {
        let mut schema = match schema {
            Value::Object(schema) => schema,
            Value::Bool(false) => {
                self.problem(field, "no value is valid: give the field a type that has values");
                return anything();
            }
            _ => return anything(),
        };
        for keyword in DROPPED {
            schema.remove(keyword);
        }
        if let Some(reference) = schema.remove("$ref") {
            let name =
                reference.as_str().unwrap_or_default().rsplit('/').next().unwrap_or_default().to_owned();
            self.problem(
                field,
                &format!(
                    "type {name} has itself as a field, and a structural schema ends somewhere: give the field \
                     #[schemars(with = \"serde_json::Value\")]"
                ),
            );
            return anything();
        }
        if is_true(&schema, INT_OR_STRING) {
            if allows_null(&schema) {
                schema.insert("nullable".into(), Value::Bool(true));
            }
            int_or_string(&mut schema);
            return schema;
        }
        if is_null(&Value::Object(schema.clone())) {
            self.problem(field, "`()` has no value but null: leave the field out, or use an empty struct");
            return anything();
        }
        self.alternatives(&mut schema, field);
        if let Some(value) = schema.remove("const") {
            schema.insert("enum".into(), Value::Array(vec![value]));
        }
        self.types(&mut schema, field);
        if schema.get("format").and_then(Value::as_str).is_some_and(|format| format.ends_with("int128")) {
            self.problem(field, "an integer of the API has 64 bits: use u64, i64 or a string");
        }
        format::convert(&mut schema);
        exclusive_limits(&mut schema);
        if schema.get("default") == Some(&Value::Null) {
            schema.remove("default");
        }
        if is_true(&schema, EMBEDDED) && !schema.contains_key("type") {
            schema.insert("type".into(), "object".into());
            schema.insert(PRESERVE.into(), Value::Bool(true));
        }
        match schema.get("type").and_then(Value::as_str) {
            Some("array") => self.array(&mut schema, field),
            Some("object") => self.object(&mut schema, field),
            Some(_) => {}
            None if is_true(&schema, INT_OR_STRING) => {}
            None => {
                schema.insert(PRESERVE.into(), Value::Bool(true));
            }
        }
        schema
    }

    fn problem(&mut self, field: &str, problem: &str) {
        self.problems.push(format!("{field}: {problem}"));
    }

    /// Takes `null` out of types and values: it is `nullable`.
    fn types(&mut self, schema: &mut Map<String, Value>, field: &str) {
        if let Some(Value::Array(types)) = schema.get("type").cloned() {
            let (null, types): (Vec<_>, Vec<_>) = types.into_iter().partition(|ty| ty == "null");
            if !null.is_empty() {
                schema.insert("nullable".into(), Value::Bool(true));
            }
            match &types[..] {
                [ty] => {
                    schema.insert("type".into(), ty.clone());
                }
                [a, b] if (a == "integer" && b == "string") || (a == "string" && b == "integer") => {
                    schema.remove("type");
                    int_or_string(schema);
                }
                _ => {
                    schema.remove("type");
                    self.problem(field, "values of several types have no structural schema");
                }
            }
        }
        if let Some(Value::Array(values)) = schema.get_mut("enum") {
            let count = values.len();
            values.retain(|value| !value.is_null());
            if values.len() < count {
                schema.insert("nullable".into(), Value::Bool(true));
            }
        }
    }

    fn array(&mut self, schema: &mut Map<String, Value>, field: &str) {
        let items = schema.remove("items").unwrap_or(Value::Bool(true));
        if items.is_array() || schema.remove("prefixItems").is_some() {
            schema.insert("items".into(), Value::Object(anything()));
            return self.problem(
                field,
                "a tuple has no structural schema, since its items have different types: use a struct",
            );
        }
        let items = self.convert(items, &format!("{field}[]"));
        // The server refuses uniqueItems, which it would check by comparing all with all.
        if schema.remove("uniqueItems") == Some(Value::Bool(true))
            && !schema.contains_key("x-kubernetes-list-type")
        {
            let is_scalar =
                !matches!(items.get("type").and_then(Value::as_str), Some("object" | "array") | None);
            if is_scalar {
                schema.insert("x-kubernetes-list-type".into(), "set".into());
            }
        }
        schema.insert("items".into(), Value::Object(items));
    }

    fn object(&mut self, schema: &mut Map<String, Value>, field: &str) {
        if let Some(Value::Object(properties)) = schema.remove("properties") {
            let convert = |(name, property): (String, Value)| {
                let property = self.convert(property, &format!("{field}.{name}"));
                (name, Value::Object(property))
            };
            schema.insert("properties".into(), properties.into_iter().map(convert).collect());
        }
        if schema.remove("patternProperties").is_some() {
            self.problem(
                field,
                "keys with a pattern have no structural schema: use a map with strings as keys",
            );
        }
        let has_properties = schema.get("properties").is_some_and(|properties| properties != &json!({}));
        match schema.remove("additionalProperties") {
            None | Some(Value::Bool(false)) => {}
            // A map that is flattened into a struct.
            Some(_) if has_properties => {
                schema.insert(PRESERVE.into(), Value::Bool(true));
            }
            Some(Value::Bool(true)) => {
                schema.insert(PRESERVE.into(), Value::Bool(true));
            }
            Some(values) => {
                let values = self.convert(values, &format!("{field}.*"));
                schema.remove("properties");
                schema.insert("additionalProperties".into(), Value::Object(values));
            }
        }
    }
}

/// Writes exclusive limits as definitions have them: a limit, and the word that it is exclusive.
///
/// JSON Schema has had a number in the word's place since draft 6. Of an inclusive and an exclusive limit the narrower one
/// is kept.
fn exclusive_limits(schema: &mut Map<String, Value>) {
    for (exclusive, inclusive, narrower) in [
        ("exclusiveMinimum", "minimum", f64::ge as fn(&f64, &f64) -> bool),
        ("exclusiveMaximum", "maximum", f64::le),
    ] {
        let Some(limit) = schema.get(exclusive).and_then(Value::as_f64) else { continue };
        let limit_value = schema.remove(exclusive);
        let is_narrower =
            schema.get(inclusive).and_then(Value::as_f64).is_none_or(|other| narrower(&limit, &other));
        if let (true, Some(value)) = (is_narrower, limit_value) {
            schema.insert(inclusive.into(), value);
            schema.insert(exclusive.into(), Value::Bool(true));
        }
    }
}

/// Makes a schema that of an integer or a string.
fn int_or_string(schema: &mut Map<String, Value>) {
    schema.remove("type");
    schema.remove("format");
    schema.insert(INT_OR_STRING.into(), Value::Bool(true));
    schema.insert("anyOf".into(), json!([{"type": "integer"}, {"type": "string"}]));
}
