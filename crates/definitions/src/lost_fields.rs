//! The fields of stored objects that a new schema drops.

use serde_json::{Map, Value};

/// The paths of the fields that an old schema has, and a new one would prune: `spec.theme`, `spec.parts[].size`.
pub(crate) fn lost_fields(old: &Value, new: &Value) -> Vec<String> {
    let mut lost = Vec::new();
    compare(old, Some(new), "", &mut lost);
    lost
}

fn compare(old: &Value, new: Option<&Value>, path: &str, lost: &mut Vec<String>) {
    let Some(new) = new else { return lost.push(path.to_owned()) };
    if new["x-kubernetes-preserve-unknown-fields"] == true {
        return;
    }
    let empty = Map::new();
    let [old_properties, new_properties] =
        [old, new].map(|schema| schema["properties"].as_object().unwrap_or(&empty));
    let additional = new.get("additionalProperties");
    for (name, property) in old_properties {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        compare(property, new_properties.get(name).or(additional), &path, lost);
    }
    if let Some(values) = old.get("additionalProperties").filter(|values| values.is_object()) {
        compare(values, additional, &format!("{path}.*"), lost);
    }
    if let Some(items) = old.get("items").filter(|items| items.is_object()) {
        compare(items, new.get("items"), &format!("{path}[]"), lost);
    }
}
