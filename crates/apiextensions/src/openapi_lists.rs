//! Validation of list types, map types and their keys in schemas.

use std::collections::HashSet;

use klient_apimachinery::validation::field::{ErrorList, FieldError};
use klient_apimachinery::values::{Map, list_at, text_at};
use serde_json::Value;

use super::path::{child, key};
use super::schema::{flag, schema_at};

/// Validates the list type and map type of a schema.
pub(super) fn validate(schema: &Map, path: &str, problems: &mut ErrorList) {
    let open = child(path, "x-kubernetes-preserve-unknown-fields");
    if schema.get("x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(false)) {
        problems.add(FieldError::invalid(open, false, "must be true or undefined"));
    }
    let map_type = schema.get("x-kubernetes-map-type").and_then(Value::as_str);
    if let Some(map_type) = map_type {
        typed(schema, "object", "x-kubernetes-map-type", path, problems);
        if !matches!(map_type, "atomic" | "granular") {
            let path = child(path, "x-kubernetes-map-type");
            problems.add(FieldError::not_supported(path, map_type, &["atomic", "granular"]));
        }
    }
    let list_type = schema.get("x-kubernetes-list-type").and_then(Value::as_str);
    if let Some(list_type) = list_type {
        let is_list = typed(schema, "array", "x-kubernetes-list-type", path, problems);
        if is_list && list_type == "set" {
            set_items(schema, path, problems);
        }
        if !matches!(list_type, "atomic" | "set" | "map") {
            let path = child(path, "x-kubernetes-list-type");
            problems.add(FieldError::not_supported(path, list_type, &["atomic", "set", "map"]));
        }
    }
    if !list_at(schema, &["x-kubernetes-list-map-keys"]).is_empty() && list_type != Some("map") {
        let path = child(path, "x-kubernetes-list-type");
        let message = "must be map if x-kubernetes-list-map-keys is non-empty";
        problems.add(match list_type {
            None => FieldError::required(path, message),
            Some(list_type) => FieldError::invalid(path, list_type, message),
        });
    }
    if list_type == Some("map") {
        map_items(schema, path, problems);
    }
    if let (Some(list_type @ ("set" | "map")), Some(items)) = (list_type, schema_at(schema, "items")) {
        not_null(schema, items, list_type, path, problems);
    }
}

/// Returns true if a schema has the type that a keyword requires.
fn typed(schema: &Map, ty: &str, because: &str, path: &str, problems: &mut ErrorList) -> bool {
    let path = child(path, "type");
    let message = format!("must be {ty} if {because} is specified");
    match text_at(schema, &["type"]) {
        own if own == ty => return true,
        "" => problems.add(FieldError::required(path, &message)),
        own => problems.add(FieldError::invalid(path, own, message)),
    }
    false
}

/// Items of sets must be atomic.
fn set_items(schema: &Map, path: &str, problems: &mut ErrorList) {
    let Some(items) = schema_at(schema, "items") else { return };
    let list_type = items.get("x-kubernetes-list-type").cloned().unwrap_or_default();
    let refused = match text_at(items, &["type"]) {
        "array" if !matches!(list_type.as_str(), None | Some("atomic")) => "x-kubernetes-list-type",
        "object" if text_at(items, &["x-kubernetes-map-type"]) != "atomic" => "x-kubernetes-map-type",
        _ => return,
    };
    let path = child(&child(path, "items"), refused);
    // Upstream reports the list type in both cases.
    let message = "must be atomic as item of a list with x-kubernetes-list-type=set";
    problems.add(FieldError::invalid(path, list_type, message));
}

/// Items of maps must be objects with scalar keys.
fn map_items(schema: &Map, path: &str, problems: &mut ErrorList) {
    let keys = list_at(schema, &["x-kubernetes-list-map-keys"]);
    let keys_path = child(path, "x-kubernetes-list-map-keys");
    let items_path = child(path, "items");
    if keys.is_empty() {
        let message = "must not be empty if x-kubernetes-list-type is map";
        problems.add(FieldError::required(keys_path.as_str(), message));
    }
    let items = match schema.get("items") {
        None => {
            let message = "must have a schema if x-kubernetes-list-type is map";
            return problems.add(FieldError::required(items_path, message));
        }
        Some(Value::Object(items)) => items,
        Some(items) => {
            let message = "must only have a single schema if x-kubernetes-list-type is map";
            // Upstream shows its internal type.
            let shown = format!(r#"{{"Schema":null,"JSONSchemas":{items}}}"#);
            return problems.add(FieldError::invalid_shown(items_path, shown, message));
        }
    };
    let ty = text_at(items, &["type"]);
    if ty != "object" {
        let message = "must be object if parent array's x-kubernetes-list-type is map";
        return problems.add(FieldError::invalid(child(&items_path, "type"), ty, message));
    }
    let mut said = HashSet::new();
    // The error includes all keys, so it is reported once.
    let mut refuse_keys = |message: &'static str, problems: &mut ErrorList| {
        if said.insert(message) {
            problems.add(FieldError::invalid(keys_path.as_str(), Value::from(keys.to_vec()), message));
        }
    };
    let mut seen = HashSet::new();
    for name in keys.iter().filter_map(Value::as_str) {
        match property(items, name) {
            None => refuse_keys("entries must all be names of item properties", problems),
            Some(property) if matches!(text_at(property, &["type"]), "array" | "object") => {
                let path = child(&key(&child(&items_path, "properties"), name), "type");
                let message = "must be a scalar type if parent array's x-kubernetes-list-type is map";
                // Upstream reports the type of the items.
                problems.add(FieldError::invalid(path, ty, message));
            }
            Some(_) => {}
        }
        if !seen.insert(name) {
            refuse_keys("must not contain duplicate entries", problems);
        }
    }
}

fn property<'a>(schema: &'a Map, name: &str) -> Option<&'a Map> {
    schema_at(schema_at(schema, "properties")?, name)
}

/// Items of sets and maps must not be nullable; keys of items must be required or have a default.
fn not_null(schema: &Map, items: &Map, list_type: &str, path: &str, problems: &mut ErrorList) {
    let path = child(path, "items");
    if flag(items, "nullable") {
        let message = format!("cannot be nullable when x-kubernetes-list-type is {list_type}");
        problems.add(FieldError::forbidden(child(&path, "nullable"), message));
    }
    if list_type != "map" {
        return;
    }
    let required: HashSet<&str> = list_at(items, &["required"]).iter().filter_map(Value::as_str).collect();
    for name in list_at(schema, &["x-kubernetes-list-map-keys"]).iter().filter_map(Value::as_str) {
        let Some(property) = property(items, name) else { continue };
        let path = key(&child(&path, "properties"), name);
        if !required.contains(name) && !property.contains_key("default") {
            let message = "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property";
            problems.add(FieldError::required(child(&path, "default"), message));
        }
        if flag(property, "nullable") {
            let message = "this property is in x-kubernetes-list-map-keys, so it cannot be nullable";
            problems.add(FieldError::forbidden(child(&path, "nullable"), message));
        }
    }
}
