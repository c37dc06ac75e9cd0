//! The change of an object by a handler, as a JSON patch.

use std::collections::{HashMap, VecDeque};

use serde_json::Value;

use super::difference;

/// The JSON patch that changes the received object as a handler has changed it, from `before` to `after`, which are written
/// from the handler's type; `None` if nothing has changed.
///
/// The received object may be written otherwise by its type: without fields that are unknown, null or empty, or with defaults
/// that were not there. These are no changes of the handler, so the patch does not touch them.
pub(super) fn patch(received: &Value, before: &Value, after: &Value) -> Option<Vec<u8>> {
    if before == after {
        return None;
    }
    let patch = difference::patch(received, &carry(before, after, received.clone()));
    (!patch.is_empty()).then(|| Value::Array(patch).to_string().into_bytes())
}

/// The received value with the change from `before` to `after`.
fn carry(before: &Value, after: &Value, received: Value) -> Value {
    if before == after {
        return received;
    }
    match (before, after, received) {
        (Value::Object(before), Value::Object(after), Value::Object(mut received)) => {
            for key in before.keys().filter(|key| !after.contains_key(*key)) {
                received.remove(key);
            }
            for (key, value) in after {
                let old = before.get(key);
                if old == Some(value) {
                    continue;
                }
                let carried = match (old, received.remove(key)) {
                    (Some(old), Some(received)) => carry(old, value, received),
                    _ => value.clone(),
                };
                received.insert(key.clone(), carried);
            }
            Value::Object(received)
        }
        (Value::Array(before), Value::Array(after), Value::Array(received))
            if before.len() == received.len() =>
        {
            // Items that have moved are found by equality; in a list of the same length the others are changed in place.
            let in_place = before.len() == after.len();
            let mut moved: HashMap<&Value, VecDeque<usize>> = HashMap::new();
            for (index, value) in before.iter().enumerate() {
                if after.get(index) != Some(value) {
                    moved.entry(value).or_default().push_back(index);
                }
            }
            let mut item = |(index, value): (usize, &Value)| {
                if before.get(index) == Some(value) {
                    return received[index].clone();
                }
                // Of equal items each is taken once.
                match moved.get_mut(value).and_then(VecDeque::pop_front) {
                    Some(moved) => received[moved].clone(),
                    None if in_place => carry(&before[index], value, received[index].clone()),
                    None => value.clone(),
                }
            };
            Value::Array(after.iter().enumerate().map(&mut item).collect())
        }
        _ => after.clone(),
    }
}

#[cfg(test)]
mod tests {
    use klient_apimachinery::patch::json::JsonPatch;
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(received: &Value, before: &Value, after: &Value, expected: &Value) {
        let patch = patch(received, before, after);
        let mut changed = received.clone();
        if let Some(patch) = &patch {
            JsonPatch::parse(patch).unwrap().apply(&mut changed).unwrap();
        }
        assert_eq!(&changed, expected);
        assert_eq!(patch.is_none(), received == expected);
    }

    #[test]
    fn a_patch_has_the_changes_of_the_handler_only() {
        let received = json!({"metadata": {"labels": null, "name": "a"}, "spec": {"unknown": 1, "size": 1}});
        let before = json!({"metadata": {"name": "a"}, "spec": {"size": 1, "color": "white"}});
        check(&received, &before, &before, &received);
        let mut after = before.clone();
        after["spec"]["size"] = 2.into();
        let expected = json!({"metadata": {"labels": null, "name": "a"}, "spec": {"unknown": 1, "size": 2}});
        check(&received, &before, &after, &expected);
        let after =
            json!({"metadata": {"name": "a", "labels": {"b": "c"}}, "spec": {"size": 1, "color": "red"}});
        let expected = json!({
            "metadata": {"name": "a", "labels": {"b": "c"}}, "spec": {"unknown": 1, "size": 1, "color": "red"},
        });
        check(&received, &before, &after, &expected);
        let after = json!({"metadata": {"name": "a"}, "spec": {"color": "white"}});
        let expected = json!({"metadata": {"labels": null, "name": "a"}, "spec": {"unknown": 1}});
        check(&received, &before, &after, &expected);
    }

    #[test]
    fn items_keep_the_fields_that_the_type_does_not_know() {
        let item = |name: &str, unknown: i32| json!({"name": name, "unknown": unknown});
        let known = |name: &str| json!({"name": name});
        let received = json!({"items": [item("a", 1), item("b", 2), item("c", 3)]});
        let before = json!({"items": [known("a"), known("b"), known("c")]});
        let after = json!({"items": [known("c"), known("a")]});
        check(&received, &before, &after, &json!({"items": [item("c", 3), item("a", 1)]}));
        let after = json!({"items": [known("a"), {"name": "b", "size": 5}, known("c")]});
        let changed = json!({"name": "b", "unknown": 2, "size": 5});
        check(&received, &before, &after, &json!({"items": [item("a", 1), changed, item("c", 3)]}));
        let after = json!({"items": [known("a"), known("b"), known("c"), known("d")]});
        let expected = json!({"items": [item("a", 1), item("b", 2), item("c", 3), known("d")]});
        check(&received, &before, &after, &expected);
        let received = json!({"items": [item("a", 1), item("a", 2), item("b", 3)]});
        let before = json!({"items": [known("a"), known("a"), known("b")]});
        let after = json!({"items": [known("c"), known("a"), known("b"), known("a")]});
        let expected = json!({"items": [known("c"), item("a", 2), item("b", 3), item("a", 1)]});
        check(&received, &before, &after, &expected);
        check(&received, &before, &json!({"items": null}), &json!({"items": null}));
        check(
            &json!({"items": []}),
            &json!({}),
            &json!({"items": [known("a")]}),
            &json!({"items": [known("a")]}),
        );
    }

    #[test]
    fn an_item_in_front_of_a_long_list_is_one_operation() {
        let items: Vec<u64> = (0..100_000).collect();
        let longer: Vec<u64> = std::iter::once(u64::MAX).chain(items.iter().copied()).collect();
        let (before, after) = (json!({"items": items}), json!({"items": longer}));
        let patch = patch(&before, &before, &after).unwrap();
        let operations: Vec<Value> = serde_json::from_slice(&patch).unwrap();
        assert_eq!(operations, [json!({"op": "add", "path": "/items/0", "value": u64::MAX})]);
    }
}
