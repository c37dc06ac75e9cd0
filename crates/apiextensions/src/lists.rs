//! Uniqueness of list items.

use std::collections::HashMap;

use klient_apimachinery::validation::field::FieldError;
use klient_apimachinery::values::Map;
use serde_json::Value;

use super::path::{child, key};
use super::structural::{Additional, ListType, Structural};

/// Returns the duplicate items of lists with `x-kubernetes-list-type` set or map.
pub(super) fn validate(object: &Map, schema: &Structural) -> Vec<FieldError> {
    let mut errors = Vec::new();
    fields(object, schema, "", &mut errors);
    errors
}

fn fields(object: &Map, schema: &Structural, path: &str, errors: &mut Vec<FieldError>) {
    if let Additional::Schema(schema) = &schema.additional {
        object.iter().for_each(|(name, entry)| value(entry, schema, || key(path, name), errors));
    }
    for (name, field) in object {
        if let Some(schema) = schema.properties.get(name) {
            value(field, schema, || child(path, name), errors);
        }
    }
}

fn value(value: &Value, schema: &Structural, path: impl Fn() -> String, errors: &mut Vec<FieldError>) {
    match value {
        Value::Array(items) => list(items, schema, &path(), errors),
        Value::Object(object) => fields(object, schema, &path(), errors),
        _ => {}
    }
}

fn list(items: &[Value], schema: &Structural, path: &str, errors: &mut Vec<FieldError>) {
    match &schema.list {
        ListType::Atomic => {}
        ListType::Set => {
            let second = second_appearances(items.iter().map(Value::to_string));
            errors.extend(second.map(|index| FieldError::duplicate(key(path, index), items[index].clone())));
        }
        ListType::Map(keys) => map(items, keys, path, errors),
    }
    if let Some(schema) = &schema.items {
        for (index, item) in items.iter().enumerate() {
            value(item, schema, || key(path, index), errors);
        }
    }
}

fn map(items: &[Value], keys: &[String], path: &str, errors: &mut Vec<FieldError>) {
    let stray = items.iter().position(|item| !item.is_object() && !item.is_null());
    if let Some(index) = stray {
        let message = "must be an object for an array of list-type map";
        errors.push(FieldError::invalid(key(path, index), items[index].clone(), message));
        return;
    }
    let key_of = |item: &Value| -> Map {
        keys.iter().filter_map(|key| Some((key.clone(), item.get(key)?.clone()))).collect()
    };
    let own: Vec<Value> = items.iter().map(|item| Value::Object(key_of(item))).collect();
    let second = second_appearances(own.iter().map(Value::to_string));
    errors.extend(second.map(|index| FieldError::duplicate(key(path, index), own[index].clone())));
}

/// The indices at which a value occurs for the second time; later duplicates are not reported.
fn second_appearances(values: impl Iterator<Item = String>) -> impl Iterator<Item = usize> {
    let mut times: HashMap<String, usize> = HashMap::new();
    values.enumerate().filter_map(move |(index, value)| {
        let times = times.entry(value).or_default();
        *times += 1;
        (*times == 2).then_some(index)
    })
}
