//! Access to schemas as JSON.

use serde_json::Value;

use klient_apimachinery::values::{Map, list_at};

/// Returns true if a keyword of a schema is `true`.
pub(super) fn flag(schema: &Map, name: &str) -> bool {
    schema.get(name) == Some(&Value::Bool(true))
}

/// The schema under a key.
pub(super) fn schema_at<'a>(schema: &'a Map, name: &str) -> Option<&'a Map> {
    schema.get(name).and_then(Value::as_object)
}

/// The schemas of a map.
pub(super) fn schemas<'a>(schema: &'a Map, name: &str) -> impl Iterator<Item = (&'a String, &'a Map)> {
    let fields = schema_at(schema, name).into_iter().flatten();
    fields.filter_map(|(name, schema)| Some((name, schema.as_object()?)))
}

/// The schemas of a list.
pub(super) fn list<'a>(schema: &'a Map, name: &str) -> impl Iterator<Item = (usize, &'a Map)> {
    let items = list_at(schema, &[name]).iter().enumerate();
    items.filter_map(|(index, schema)| Some((index, schema.as_object()?)))
}

/// Returns true if a predicate holds for a schema or one nested in it.
pub(super) fn any(schema: &Map, holds: &impl Fn(&Map) -> bool) -> bool {
    let below = |schema: &Map| any(schema, holds);
    let single = ["items", "not", "additionalProperties", "additionalItems"];
    holds(schema)
        || single.iter().any(|name| schema_at(schema, name).is_some_and(below))
        || ["items", "allOf", "anyOf", "oneOf"]
            .iter()
            .any(|name| list(schema, name).any(|(_, schema)| below(schema)))
        || ["properties", "patternProperties", "definitions", "dependencies"]
            .iter()
            .any(|name| schemas(schema, name).any(|(_, schema)| below(schema)))
}
