//! JSON merge patch (RFC 7386).

use serde_json::{Map, Value};

/// Applies a patch: objects are merged, `null` removes, anything else replaces.
///
/// ```
/// use klient_apimachinery::patch::merge;
/// use serde_json::json;
/// let mut object = json!({"data": {"a": "1", "b": "2"}});
/// merge::apply(&mut object, &json!({"data": {"a": null, "c": "3"}}));
/// assert_eq!(object, json!({"data": {"b": "2", "c": "3"}}));
/// ```
pub fn apply(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let entries = target.as_object_mut().expect("made an object above");
    for (key, value) in patch {
        if value.is_null() {
            entries.remove(key);
        } else {
            apply(entries.entry(key).or_insert(Value::Null), value);
        }
    }
}

/// The patch that turns `original` into `modified`; an empty object if they are equal.
pub fn diff(original: &Value, modified: &Value) -> Value {
    let (Value::Object(original), Value::Object(modified)) = (original, modified) else {
        return modified.clone();
    };
    let mut patch = Map::new();
    for (key, new) in modified {
        match original.get(key) {
            Some(old) if old == new => {}
            Some(old @ Value::Object(_)) if new.is_object() => {
                patch.insert(key.clone(), diff(old, new));
            }
            _ => {
                patch.insert(key.clone(), new.clone());
            }
        }
    }
    for key in original.keys().filter(|key| !modified.contains_key(*key)) {
        patch.insert(key.clone(), Value::Null);
    }
    Value::Object(patch)
}

/// The patch that brings `current` to `modified`, and removes what `modified` has dropped since `original`, but
/// leaves alone what others have added.
pub fn three_way(original: &Value, modified: &Value, current: &Value) -> Value {
    let mut patch = nulls(diff(original, modified), true);
    let changes = nulls(diff(current, modified), false);
    overlay(&mut patch, changes);
    patch
}

/// The patch with only its removals, or without them.
fn nulls(patch: Value, keep: bool) -> Value {
    let Value::Object(entries) = patch else { return patch };
    let kept = entries.into_iter().filter_map(|(key, value)| match value {
        Value::Null => keep.then_some((key, Value::Null)),
        Value::Object(_) => {
            let inner = nulls(value, keep);
            let empty = inner.as_object().is_some_and(Map::is_empty);
            (!empty).then_some((key, inner))
        }
        other => (!keep).then_some((key, other)),
    });
    Value::Object(kept.collect())
}

/// One patch after another, as one patch.
fn overlay(patch: &mut Value, later: Value) {
    match (patch, later) {
        (Value::Object(patch), Value::Object(later)) => {
            for (key, value) in later {
                match patch.get_mut(&key) {
                    Some(old) => overlay(old, value),
                    None => {
                        patch.insert(key, value);
                    }
                }
            }
        }
        (patch, later) => *patch = later,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_difference_applied_gives_the_modified_object() {
        for (original, modified) in [
            (json!({"a": 1}), json!({"a": 2})),
            (json!({"a": {"b": 1, "c": 2}}), json!({"a": {"b": 1}})),
            (json!({"a": [1, 2]}), json!({"a": [1]})),
            (json!({}), json!({"a": {"b": {}}})),
            (json!({"a": {}}), json!({"a": "text"})),
        ] {
            let patch = diff(&original, &modified);
            let mut object = original.clone();
            apply(&mut object, &patch);
            assert_eq!(object, modified, "{original} with {patch}");
        }
        assert_eq!(diff(&json!({"a": 1}), &json!({"a": 1})), json!({}));
    }

    #[test]
    fn three_way_removes_only_what_was_dropped() {
        let original = json!({"spec": {"size": 1, "name": "x"}});
        let modified = json!({"spec": {"size": 3}});
        let current = json!({"spec": {"size": 2, "name": "x", "added": true}, "status": {}});
        assert_eq!(three_way(&original, &modified, &current), json!({"spec": {"size": 3, "name": null}}));
        assert_eq!(three_way(&modified, &modified, &json!({"spec": {"size": 3, "added": true}})), json!({}));
    }
}
