//! Validation of a version's subresources, printer columns and selectable fields.

use std::collections::HashSet;

use klient_apimachinery::validation::field::{ErrorList, FieldError};
use klient_apimachinery::values::{Map, text_at};
use serde_json::Value;

use super::field_path;
use super::path::{child, key};
use super::validation_result::too_many;

const SELECTABLE_MAX: usize = 8;
const COLUMN_TYPES: [&str; 5] = ["boolean", "date", "integer", "number", "string"];
const COLUMN_FORMATS: [&str; 8] =
    ["byte", "date", "date-time", "double", "float", "int32", "int64", "password"];

/// Validates subresources.
pub(super) fn subresources(subresources: &Value, path: &str, problems: &mut ErrorList) {
    let Some(scale) = subresources.get("scale").and_then(Value::as_object) else { return };
    let path = child(path, "scale");
    for (name, parent) in [("specReplicasPath", ".spec."), ("statusReplicasPath", ".status.")] {
        let field = child(&path, name);
        match text_at(scale, &[name]) {
            "" => problems.add(FieldError::required(field, "")),
            text => {
                let message = format!("should be a json path under {}", parent.trim_end_matches('.'));
                scale_path(text, &[parent], &message, field, problems);
            }
        }
    }
    let selector = text_at(scale, &["labelSelectorPath"]);
    if !selector.is_empty() {
        let message = "should be a json path under either .spec or .status";
        scale_path(selector, &[".spec.", ".status."], message, child(&path, "labelSelectorPath"), problems);
    }
}

fn scale_path(text: &str, parents: &[&str], message: &str, path: String, problems: &mut ErrorList) {
    if !is_simple_path(text) {
        problems.add(FieldError::invalid(path, text, "must be a simple json path starting with ."));
    } else if !parents.iter().any(|parent| text.starts_with(parent)) {
        problems.add(FieldError::invalid(path, text, message));
    }
}

fn is_simple_path(text: &str) -> bool {
    text.starts_with('.')
}

/// Validates printer columns.
pub(super) fn columns(columns: &Value, path: &str, problems: &mut ErrorList) {
    let columns = columns.as_array().into_iter().flatten().filter_map(Value::as_object);
    for (index, definition) in columns.enumerate() {
        column(definition, &key(path, index), problems);
    }
}

fn column(column: &Map, path: &str, problems: &mut ErrorList) {
    let text = |name: &str| text_at(column, &[name]);
    if text("name").is_empty() {
        problems.add(FieldError::required(child(path, "name"), ""));
    }
    let must_be = format!("must be one of {}", COLUMN_TYPES.join(","));
    if text("type").is_empty() {
        problems.add(FieldError::required(child(path, "type"), &must_be));
    } else if !COLUMN_TYPES.contains(&text("type")) {
        problems.add(FieldError::invalid(child(path, "type"), text("type"), must_be));
    }
    if !text("format").is_empty() && !COLUMN_FORMATS.contains(&text("format")) {
        let must_be = format!("must be one of {}", COLUMN_FORMATS.join(","));
        problems.add(FieldError::invalid(child(path, "format"), text("format"), must_be));
    }
    let json_path = text("jsonPath");
    let path = child(path, "JSONPath");
    if json_path.is_empty() {
        problems.add(FieldError::required(path, ""));
    } else if !is_simple_path(json_path) {
        problems.add(FieldError::invalid(path, json_path, "must be a simple json path starting with ."));
    }
}

/// Validates selectable fields.
pub(super) fn selectable(fields: &Value, schema: &Map, path: &str, problems: &mut ErrorList) {
    let mut unique = HashSet::new();
    for (index, field) in fields.as_array().into_iter().flatten().enumerate() {
        let text = field.get("jsonPath").and_then(Value::as_str).unwrap_or_default();
        let field_path = child(&key(path, index), "jsonPath");
        if text.is_empty() {
            problems.add(FieldError::required(field_path, ""));
            continue;
        }
        let mut refuse =
            |message: String| problems.add(FieldError::invalid(field_path.as_str(), text, message));
        let found = match field_path::resolve(text, schema, false) {
            Ok(found) => found,
            Err(error) => {
                refuse(format!("is an invalid path: {error}"));
                continue;
            }
        };
        if found.root == "metadata" {
            refuse("must not point to fields in metadata".to_owned());
        }
        let ty = found.schema.map(|schema| text_at(schema, &["type"]));
        if !matches!(ty, Some("string" | "boolean" | "integer")) {
            let message = "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.";
            refuse(message.to_owned());
        }
        if !unique.insert(found.path) {
            problems.add(FieldError::duplicate(field_path, text));
        }
    }
    if unique.len() > SELECTABLE_MAX {
        problems.add(too_many(path, unique.len(), SELECTABLE_MAX));
    }
}
