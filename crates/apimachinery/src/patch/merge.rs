//! JSON merge patch (RFC 7386).

use serde_json::{Map, Value};

use super::PatchError;
use super::precondition::{self, Precondition};

#[cfg(test)]
mod tests;

/// Applies a patch: objects are merged, `null` removes a field, other values replace the existing one.
///
/// As in the API server, nulls of objects in lists are removed too, unless the list replaces an object.
///
/// ```
/// use klient_apimachinery::patch::merge;
/// use serde_json::json;
/// let mut object = json!({"data": {"a": "1", "b": "2"}});
/// merge::apply(&mut object, &json!({"data": {"a": null, "c": "3"}}));
/// assert_eq!(object, json!({"data": {"b": "2", "c": "3"}}));
/// ```
pub fn apply(target: &mut Value, patch: &Value) {
    let (Value::Object(entries), Value::Object(patch)) = (&mut *target, patch) else {
        let was_object = target.is_object();
        *target = patch.clone();
        if !was_object {
            drop_nulls(target);
        }
        return;
    };
    for (key, value) in patch {
        if value.is_null() {
            entries.remove(key);
        } else {
            apply(entries.entry(key).or_insert(Value::Null), value);
        }
    }
}

/// Removes fields that are null, also in objects in lists.
pub(super) fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(entries) => {
            entries.retain(|_, value| !value.is_null());
            entries.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

/// The patch from `original` to `modified`; empty if they are equal.
///
/// A null in `modified` becomes a removal.
pub fn diff(original: &Map<String, Value>, modified: &Map<String, Value>) -> Map<String, Value> {
    let mut patch = Map::new();
    for (key, new) in modified {
        match (original.get(key), new) {
            (Some(Value::Object(old)), Value::Object(new)) => {
                let inner = diff(old, new);
                if !inner.is_empty() {
                    patch.insert(key.clone(), Value::Object(inner));
                }
            }
            (Some(old), new) if same(old, new) => {}
            (_, new) => drop(patch.insert(key.clone(), new.clone())),
        }
    }
    for key in original.keys().filter(|key| !modified.contains_key(*key)) {
        patch.insert(key.clone(), Value::Null);
    }
    patch
}

/// Returns true if two values are equal, with numbers compared by value.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            a == b || (a.is_f64() || b.is_f64()) && a.as_f64() == b.as_f64()
        }
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.0 == b.0 && same(a.1, b.1))
        }
        (a, b) => a == b,
    }
}

/// The patch from `current` to `modified` that also removes fields of `original` that `modified` does not have, and
/// keeps fields that others have added.
///
/// # Errors
///
/// If the patch changes a field that a precondition protects.
pub fn three_way(
    original: &Map<String, Value>,
    modified: &Map<String, Value>,
    current: &Map<String, Value>,
    preconditions: &[Precondition<'_>],
) -> Result<Map<String, Value>, PatchError> {
    let removals = only_nulls(diff(original, modified));
    let changes = without_nulls(diff(current, modified));
    let mut patch = Value::Object(removals);
    apply(&mut patch, &Value::Object(changes));
    match patch {
        Value::Object(patch) => precondition::check(patch, preconditions),
        _ => unreachable!("an object patched with an object is one"),
    }
}

/// The removals of a patch.
fn only_nulls(patch: Map<String, Value>) -> Map<String, Value> {
    let kept = patch.into_iter().filter_map(|(key, value)| match value {
        Value::Null => Some((key, Value::Null)),
        Value::Object(inner) => {
            let inner = only_nulls(inner);
            (!inner.is_empty()).then_some((key, Value::Object(inner)))
        }
        _ => None,
    });
    kept.collect()
}

/// The patch without its removals. Objects that become empty are removed; those that were empty are kept.
fn without_nulls(patch: Map<String, Value>) -> Map<String, Value> {
    let kept = patch.into_iter().filter_map(|(key, value)| match value {
        Value::Null => None,
        Value::Object(inner) if !inner.is_empty() => {
            let inner = without_nulls(inner);
            (!inner.is_empty()).then_some((key, Value::Object(inner)))
        }
        other => Some((key, other)),
    });
    kept.collect()
}
