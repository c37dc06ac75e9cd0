//! Objects as conversion webhooks return them: what they may change.

use klient_apimachinery::go::json_type;
use klient_apimachinery::validation::field::{ErrorList, FieldError};
use klient_apimachinery::validation::{label_value, qualified_name};
use klient_apimachinery::values::{Map, at, text_at};
use klient_apis::validation::ANNOTATIONS_MAX;
use serde_json::Value;

/// Checks a converted object, and returns it without `apiVersion` and `kind`, with the metadata of the original but for
/// labels and annotations. `place` is its index among several.
///
/// # Errors
///
/// If something else has changed, in upstream's words.
pub(super) fn check(
    original: &Value,
    converted: Value,
    desired: &str,
    place: Option<usize>,
) -> Result<Map, String> {
    let (at_place, object, metadata) = match place {
        Some(index) => (
            format!("returned invalid converted object at index {index}"),
            format!("returned invalid converted object at index {index}"),
            format!("returned invalid metadata in object at index {index}"),
        ),
        None => (
            "returned invalid object at index 0".to_owned(),
            "returned invalid object".to_owned(),
            "returned invalid metadata".to_owned(),
        ),
    };
    let empty = Map::new();
    let original = original.as_object().unwrap_or(&empty);
    let mut new = match converted {
        Value::Object(new) if !text_at(&new, &["kind"]).is_empty() => new,
        other => return Err(format!("{at_place}: Object 'Kind' is missing in '{other}'")),
    };
    let version = text_at(&new, &["apiVersion"]);
    if version != desired {
        return Err(format!("{at_place}: invalid groupVersion (expected {desired}, received {version})"));
    }
    let (kind, found) = (text_at(original, &["kind"]), text_at(&new, &["kind"]));
    if kind != found {
        return Err(format!("{at_place}: invalid kind (expected {kind}, received {found})"));
    }
    for (what, name) in [("name", "name"), ("namespace", "namespace"), ("UID", "uid")] {
        let path = ["metadata", name];
        let (old, found) = (text_at(original, &path), text_at(&new, &path));
        if old != found {
            return Err(format!("{object}: must have the same {what}: {old} != {found}"));
        }
    }
    restore_metadata(original, &mut new).map_err(|problem| format!("{metadata}: {problem}"))?;
    new.remove("apiVersion");
    new.remove("kind");
    Ok(new)
}

fn restore_metadata(original: &Map, converted: &mut Map) -> Result<(), String> {
    let returned = match converted.remove("metadata") {
        None => return Err("missing metadata in converted object".to_owned()),
        Some(Value::Object(metadata)) => metadata,
        Some(other) => {
            return Err(format!("invalid metadata of type {} in converted object", go_type(&other)));
        }
    };
    let mut metadata = original.get("metadata").and_then(Value::as_object).cloned().unwrap_or_default();
    for field in ["labels", "annotations"] {
        let new = match returned.get(field) {
            None | Some(Value::Null) => {
                metadata.remove(field);
                continue;
            }
            Some(Value::Object(new)) => new,
            Some(other) => {
                return Err(format!(
                    "invalid metadata.{field} of type {} in converted object",
                    go_type(other)
                ));
            }
        };
        if let Some((key, value)) = new.iter().find(|(_, value)| !value.is_string()) {
            return Err(format!(
                "metadata.{field}[{key}] must be a string, but is {} in converted object",
                go_type(value)
            ));
        }
        if at(&metadata, &[field]).and_then(Value::as_object) != Some(new) {
            validate(field, new)?;
        }
        metadata.insert(field.to_owned(), Value::Object(new.clone()));
    }
    converted.insert("metadata".to_owned(), metadata.into());
    Ok(())
}

/// The type of a value in Go's words for values of any type.
fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float64",
        Value::Number(_) => "int64",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
        other @ Value::String(_) => json_type(other),
    }
}

fn validate(field: &str, pairs: &Map) -> Result<(), String> {
    let mut problems = ErrorList::default();
    let path = if field == "labels" { "metadata.labels" } else { "metadata.annotation" };
    for (key, value) in pairs {
        let name = if field == "labels" { key.clone() } else { key.to_lowercase() };
        problems.invalid(path, key, qualified_name(&name));
        if field == "labels" {
            let value = value.as_str().unwrap_or_default();
            problems.invalid(path, value, label_value(value));
        }
    }
    let length = |(key, value): (&String, &Value)| key.len() + value.as_str().map_or(0, str::len);
    if field == "annotations" && pairs.iter().map(length).sum::<usize>() > ANNOTATIONS_MAX {
        problems.add(FieldError::too_long(path, ANNOTATIONS_MAX));
    }
    let texts: Vec<String> = problems.0.iter().map(FieldError::to_string).collect();
    match &texts[..] {
        [] => Ok(()),
        [one] => Err(one.clone()),
        many => Err(format!("[{}]", many.join(", "))),
    }
}
