//! The fields of stored objects that a new schema drops.

use serde_json::{Map, Value, json};

const PRESERVE: &str = "x-kubernetes-preserve-unknown-fields";

/// The paths of the fields that an old schema has or keeps without having them, and a new one would prune: `spec.theme`,
/// `spec.parts[].size`, `spec.*`.
pub(crate) fn lost_fields(old: &Value, new: &Value) -> Vec<String> {
    let mut lost = Vec::new();
    compare(old, Some(new), "", &mut lost);
    lost
}

fn compare(old: &Value, new: Option<&Value>, path: &str, lost: &mut Vec<String>) {
    let Some(new) = new else { return lost.push(path.to_owned()) };
    let empty = Map::new();
    let [old_properties, new_properties] =
        [old, new].map(|schema| schema["properties"].as_object().unwrap_or(&empty));
    // What a schema keeps without having it is any value.
    let any = json!({ PRESERVE: true });
    let (keeps, kept) = (old[PRESERVE] == true, new[PRESERVE] == true);
    let additional = new.get("additionalProperties").or(kept.then_some(&any));
    let at = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    for (name, property) in old_properties {
        compare(property, new_properties.get(name).or(additional), &at(name), lost);
    }
    if let Some(values) = old.get("additionalProperties").filter(|values| values.is_object()) {
        compare(values, additional, &at("*"), lost);
    }
    // A value of another type is not valid any more, and has no fields.
    if keeps && new["type"] == "object" {
        for (name, property) in new_properties.iter().filter(|(name, _)| !old_properties.contains_key(*name))
        {
            compare(&any, Some(property), &at(name), lost);
        }
        compare(&any, additional, &at("*"), lost);
    }
    let (items, new_items) = (old.get("items").filter(|items| items.is_object()), new.get("items"));
    if let Some(items) = items {
        compare(items, new_items.or(kept.then_some(&any)), &format!("{path}[]"), lost);
    } else if keeps && new_items.is_some() {
        compare(&any, new_items, &format!("{path}[]"), lost);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(properties: Value) -> Value {
        json!({"type": "object", "properties": properties})
    }

    #[test]
    fn fields_that_were_kept_without_a_schema_are_lost() {
        let any = json!({PRESERVE: true});
        let kept = json!({"type": "object", PRESERVE: true});
        let keeping = |properties: Value| json!({"type": "object", "properties": properties, PRESERVE: true});
        let string = json!({"type": "string"});
        let map = |values: &Value| json!({"type": "object", "additionalProperties": values});
        let list = |items: &Value| json!({"type": "array", "items": items});
        let part = object(json!({"size": {"type": "integer"}}));
        let cases: [(&Value, Value, &[&str]); 15] = [
            (&kept, object(json!({"a": string})), &["spec.*"]),
            (&kept, keeping(json!({"a": string})), &[]),
            (&kept, keeping(json!({"a": part})), &["spec.a.*"]),
            (&kept, kept.clone(), &[]),
            (&kept, map(&string), &[]),
            (&kept, map(&part), &["spec.*.*"]),
            (&kept, map(&kept), &[]),
            (&any, string.clone(), &[]),
            (&any, any.clone(), &[]),
            (&any, list(&part), &["spec[].*"]),
            (&any, json!({"type": "object"}), &["spec.*"]),
            (&list(&any), list(&part), &["spec[].*"]),
            (&keeping(json!({"a": part})), keeping(json!({"a": {"type": "object"}})), &["spec.a.size"]),
            (&keeping(json!({"a": part})), kept.clone(), &[]),
            (&map(&kept), map(&part), &["spec.*.*"]),
        ];
        for (index, (old, new, expected)) in cases.into_iter().enumerate() {
            let [old, new] = [old, &new].map(|spec| object(json!({"spec": spec})));
            assert_eq!(lost_fields(&old, &new), expected, "case {index}");
        }
    }
}
