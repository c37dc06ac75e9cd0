//! What goes wrong in what people send, put into a good value.

use fastrand::Rng;
use serde_json::{Value, json};

/// Changes something in a value, at a place that is not chosen with care: a wrong type, null, nothing in it, a field
/// nobody knows, an item twice.
pub(crate) fn disturb(value: &mut Value, random: &mut Rng) {
    let Some(place) = any_place(value, random).and_then(|place| value.pointer_mut(&place)) else { return };
    match (place, random.u8(..10)) {
        (Value::Array(items), 0..=2) if !items.is_empty() => {
            items.push(items[random.usize(..items.len())].clone());
        }
        (Value::Array(items), 3) => items.reverse(),
        (Value::Array(items), 4) => items.push(Value::Null),
        (Value::Object(fields), 0..=3) => {
            fields.insert("bogus".to_owned(), json!(1));
        }
        (place, _) => {
            let wrong = json!([null, null, [], [], {}, {}, "wrong", 5, true, -1, 1.5, "", [1], {"a": 1}]);
            *place = wrong[random.usize(..14)].clone();
        }
    }
}

/// Takes something out of a value.
pub(crate) fn thin(value: &mut Value, random: &mut Rng) {
    let Some(place) = any_place(value, random) else { return };
    let Some((parent, last)) = place.rsplit_once('/') else { return };
    match value.pointer_mut(parent) {
        Some(Value::Object(fields)) => {
            fields.remove(&unescape(last));
        }
        Some(Value::Array(items)) => {
            if let Some(index) = last.parse().ok().filter(|index| *index < items.len()) {
                items.remove(index);
            }
        }
        _ => {}
    }
}

/// Puts directives of strategic merge patches into one.
pub(crate) fn direct(patch: &mut Value, random: &mut Rng) {
    let places = places(patch, "");
    let objects: Vec<&String> =
        places.iter().filter(|place| patch.pointer(place).is_some_and(Value::is_object)).collect();
    let Some(place) = objects.get(random.usize(..objects.len().max(1))) else { return };
    let Some(Value::Object(fields)) = patch.pointer_mut(place) else { return };
    let lists: Vec<(String, Vec<Value>)> = fields
        .iter()
        .filter_map(|(name, value)| Some((name.clone(), value.as_array()?.clone())))
        .filter(|(_, items)| !items.is_empty())
        .collect();
    if lists.is_empty() || random.u8(..10) < 4 {
        let directive = ["replace", "delete", "merge", "bogus"][random.usize(..4)];
        if random.bool() {
            fields.insert("$patch".to_owned(), directive.into());
        } else {
            let names: Vec<String> = fields.keys().filter(|_| random.u8(..5) > 0).cloned().collect();
            fields.insert("$retainKeys".to_owned(), names.into());
        }
        return;
    }
    let (name, mut items) = lists[random.usize(..lists.len())].clone();
    match random.u8(..4) {
        0 => {
            let mut deleted = merge_key(&items[0]);
            if let Value::Object(fields) = &mut deleted {
                fields.insert("$patch".to_owned(), "delete".into());
            }
            items[0] = deleted;
            fields.insert(name, items.into());
        }
        1 => {
            items.push(json!({"$patch": "replace"}));
            fields.insert(name, items.into());
        }
        2 => {
            let mut order: Vec<Value> = items.iter().map(merge_key).collect();
            if random.bool() {
                random.shuffle(&mut order);
            }
            fields.insert(format!("$setElementOrder/{name}"), order.into());
        }
        _ => {
            items.truncate(1);
            fields.remove(&name);
            fields.insert(format!("$deleteFromPrimitiveList/{name}"), items.into());
        }
    }
}

/// A random operation for each of some places of a value.
pub(crate) fn operations(value: &Value, random: &mut Rng) -> Value {
    let places = places(value, "");
    if places.is_empty() {
        return json!([]);
    }
    let operation = |random: &mut Rng| {
        let place = &places[random.usize(..places.len())];
        let value = value.pointer(place).cloned().unwrap_or_default();
        let is_item = place.rsplit('/').next().is_some_and(|last| last.parse::<usize>().is_ok());
        let place = match (is_item, random.u8(..6), place.rsplit_once('/')) {
            (true, 0, Some((list, _))) => format!("{list}/-"),
            (true, 1, Some((list, _))) => format!("{list}/-1"),
            _ => place.clone(),
        };
        match random.u8(..12) {
            0..=4 => json!({"op": "add", "path": place, "value": value}),
            5..=6 => json!({"op": "replace", "path": place, "value": value}),
            7..=8 => json!({"op": "remove", "path": place}),
            9 => json!({"op": "test", "path": place, "value": value}),
            10 => json!({"op": "copy", "from": place, "path": "/metadata/annotations"}),
            _ => json!({"op": "move", "from": place, "path": places[0]}),
        }
    };
    (0..random.usize(1..4)).map(|_| operation(random)).collect()
}

/// Puts one value over another: objects are merged, all else is replaced, null removes.
pub(crate) fn overlay(value: &mut Value, over: &Value) {
    match (value, over) {
        (Value::Object(fields), Value::Object(over)) => {
            for (name, value) in over {
                if value.is_null() {
                    fields.remove(name);
                } else {
                    overlay(fields.entry(name).or_insert(Value::Null), value);
                }
            }
        }
        (value, over) => *value = over.clone(),
    }
}

fn merge_key(item: &Value) -> Value {
    const KEYS: [&str; 9] =
        ["name", "containerPort", "port", "mountPath", "ip", "type", "topologyKey", "uid", "key"];
    let Some(fields) = item.as_object() else { return item.clone() };
    let key = KEYS.iter().find_map(|key| Some((*key, fields.get(*key)?)));
    key.map_or_else(|| json!({}), |(name, value)| json!({name: value}))
}

/// A place in a value, not the value itself.
fn any_place(value: &Value, random: &mut Rng) -> Option<String> {
    let places = places(value, "");
    (!places.is_empty()).then(|| places[random.usize(..places.len())].clone())
}

/// JSON pointers to all that is in a value.
fn places(value: &Value, prefix: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut add = |name: String, value: &Value| {
        let place = format!("{prefix}/{name}");
        all.push(place.clone());
        all.append(&mut places(value, &place));
    };
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| add(escape(name), value)),
        Value::Array(items) => items.iter().enumerate().for_each(|(at, value)| add(at.to_string(), value)),
        _ => {}
    }
    all
}

fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn unescape(name: &str) -> String {
    name.replace("~1", "/").replace("~0", "~")
}

#[test]
fn what_is_laid_over_replaces_and_removes() {
    let mut value = json!({"a": {"b": 1, "c": [1]}, "d": 1});
    overlay(&mut value, &json!({"a": {"b": null, "c": [2]}, "e": {"f": 1}}));
    assert_eq!(value, json!({"a": {"c": [2]}, "d": 1, "e": {"f": 1}}));
}
