//! Access to values by paths of field names.

use serde_json::Value;

use super::Map;

/// The value at a path.
pub fn at<'a>(object: &'a Map, path: &[&str]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(object.get(*first)?, |value, name| value.get(*name))
}

/// The value at a path, for writing.
pub fn at_mut<'a>(object: &'a mut Map, path: &[&str]) -> Option<&'a mut Value> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(object.get_mut(*first)?, |value, name| value.get_mut(*name))
}

/// The string at a path; empty if it is missing or of another type.
pub fn text_at<'a>(object: &'a Map, path: &[&str]) -> &'a str {
    at(object, path).and_then(Value::as_str).unwrap_or_default()
}

/// The list at a path; empty if it is missing or of another type.
pub fn list_at<'a>(object: &'a Map, path: &[&str]) -> &'a [Value] {
    at(object, path).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Sets an entry, or removes it.
pub fn set(object: &mut Map, name: &str, value: Option<&Value>) {
    match value {
        Some(value) => drop(object.insert(name.to_owned(), value.clone())),
        None => drop(object.remove(name)),
    }
}

/// The object under a name; created if it is missing.
pub fn map_at<'a>(object: &'a mut Map, name: &str) -> &'a mut Map {
    let value = object.entry(name).or_insert(Value::Null);
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    value.as_object_mut().expect("made an object above")
}

/// Appends a field to a path such as `spec.containers[0]`, and returns the previous length of the path.
pub fn push_field(path: &mut String, name: &str) -> usize {
    let len = path.len();
    if len > 0 {
        path.push('.');
    }
    path.push_str(name);
    len
}
