//! The difference between two JSON values as the operations of a JSON patch.

use std::fmt::Write as _;

use serde_json::{Value, json};

/// The operations that make the new value of the old one.
///
/// The items that two lists have in common at their beginning and at their end stay. Between these, items are changed in place,
/// and those that one of the lists has more are inserted or removed: an item that is added or taken away is one operation,
/// wherever it is. That takes no comparison of each item with each other.
pub(super) fn patch(old: &Value, new: &Value) -> Vec<Value> {
    let mut difference = Difference::default();
    difference.compare(old, new);
    difference.operations
}

#[derive(Default)]
struct Difference {
    /// The JSON pointer to the values that are compared.
    path: String,
    operations: Vec<Value>,
}

impl Difference {
    fn compare(&mut self, old: &Value, new: &Value) {
        match (old, new) {
            (Value::Object(old), Value::Object(new)) => {
                for (key, value) in new {
                    self.at_key(key, |difference| match old.get(key) {
                        Some(old) => difference.compare(old, value),
                        None => difference.set("add", value),
                    });
                }
                for key in old.keys().filter(|key| !new.contains_key(*key)) {
                    self.at_key(key, Self::remove);
                }
            }
            (Value::Array(old), Value::Array(new)) => self.lists(old, new),
            (old, new) if old == new => {}
            (_, new) => self.set("replace", new),
        }
    }

    fn lists(&mut self, old: &[Value], new: &[Value]) {
        let begin = old.iter().zip(new).take_while(|(old, new)| old == new).count();
        let (old, new) = (&old[begin..], &new[begin..]);
        let end = old.iter().rev().zip(new.iter().rev()).take_while(|(old, new)| old == new).count();
        let (old, new) = (&old[..old.len() - end], &new[..new.len() - end]);
        for (index, (old, new)) in old.iter().zip(new).enumerate() {
            self.at(begin + index, |difference| difference.compare(old, new));
        }
        let both = old.len().min(new.len());
        // Each takes the place of the one that was removed.
        for _ in both..old.len() {
            self.at(begin + both, Self::remove);
        }
        for (index, value) in new.iter().enumerate().skip(both) {
            self.at(begin + index, |difference| difference.set("add", value));
        }
    }

    fn at_key(&mut self, key: &str, compare: impl FnOnce(&mut Self)) {
        self.at(key.replace('~', "~0").replace('/', "~1"), compare);
    }

    /// Compares what is at a part of the path.
    fn at(&mut self, part: impl std::fmt::Display, compare: impl FnOnce(&mut Self)) {
        let length = self.path.len();
        write!(self.path, "/{part}").expect("String");
        compare(self);
        self.path.truncate(length);
    }

    fn set(&mut self, operation: &str, value: &Value) {
        self.operations.push(json!({"op": operation, "path": self.path, "value": value}));
    }

    fn remove(&mut self) {
        self.operations.push(json!({"op": "remove", "path": self.path}));
    }
}

#[cfg(test)]
mod tests {
    use fastrand::Rng;
    use klient_apimachinery::patch::json::JsonPatch;

    use super::*;

    #[test]
    fn items_that_are_added_removed_or_changed_are_an_operation_each() {
        let cases = [
            ("[1, 2, 3]", "[0, 1, 2, 3]", json!([{"op": "add", "path": "/0", "value": 0}])),
            ("[1, 2, 3]", "[1, 2, 3, 4]", json!([{"op": "add", "path": "/3", "value": 4}])),
            ("[1, 2, 3]", "[1, 3]", json!([{"op": "remove", "path": "/1"}])),
            (
                "[1, 2, 3]",
                "[]",
                json!([{"op": "remove", "path": "/0"}, {"op": "remove", "path": "/0"}, {"op": "remove", "path": "/0"}]),
            ),
            ("[1, 1]", "[1, 1, 1]", json!([{"op": "add", "path": "/2", "value": 1}])),
            (
                r#"[{"a": 1, "b": 2}, 3]"#,
                r#"[{"a": 1, "b": 3}, 3]"#,
                json!([{"op": "replace", "path": "/0/b", "value": 3}]),
            ),
            (
                r#"{"a/b": {"": null, "~": 1}, "c": 1}"#,
                r#"{"a/b": {"": 0, "~": 2}, "d": null}"#,
                json!([
                    {"op": "replace", "path": "/a~1b/", "value": 0},
                    {"op": "replace", "path": "/a~1b/~0", "value": 2},
                    {"op": "add", "path": "/d", "value": null},
                    {"op": "remove", "path": "/c"},
                ]),
            ),
        ];
        for (old, new, expected) in cases {
            let [from, to] = [old, new].map(|text| serde_json::from_str(text).unwrap());
            assert_eq!(Value::Array(patch(&from, &to)), expected, "{old} to {new}");
        }
    }

    /// A value with few different parts, so that two of them have much in common.
    fn value(random: &mut Rng, depth: usize) -> Value {
        let scalars =
            [json!(null), json!(true), json!(1), json!(2), json!(""), json!("a"), json!([]), json!({})];
        match random.usize(..if depth == 0 { 1 } else { 4 }) {
            0 => scalars[random.usize(..scalars.len())].clone(),
            1 => (0..random.usize(..4)).map(|_| (key(random), value(random, depth - 1))).collect(),
            _ => (0..random.usize(..6)).map(|_| value(random, depth - 1)).collect(),
        }
    }

    fn key(random: &mut Rng) -> String {
        ["a", "b", "", "/", "~", "~1", "0", "-"][random.usize(..8)].to_owned()
    }

    /// The value with some changes.
    fn changed(random: &mut Rng, old: &Value) -> Value {
        let mut new = old.clone();
        for _ in 0..random.usize(1..4) {
            let mut place = &mut new;
            // Down to a part of it.
            while random.bool() {
                let length = place
                    .as_array()
                    .map_or(0, Vec::len)
                    .max(place.as_object().map_or(0, |object| object.len()));
                if length == 0 {
                    break;
                }
                let index = random.usize(..length);
                place = match place {
                    Value::Array(items) => &mut items[index],
                    Value::Object(fields) => fields.values_mut().nth(index).unwrap(),
                    _ => unreachable!("it has parts"),
                };
            }
            match place {
                Value::Array(items) if random.bool() => {
                    let index = random.usize(..=items.len());
                    items.insert(index, value(random, 2));
                }
                Value::Array(items) if !items.is_empty() => {
                    items.remove(random.usize(..items.len()));
                }
                Value::Object(fields) => {
                    fields.insert(key(random), value(random, 2));
                }
                place => *place = value(random, 2),
            }
        }
        new
    }

    #[test]
    fn the_patch_of_the_old_value_is_the_new_one() {
        let given = std::env::var("KLIENT_SEED").ok();
        let seed = given.map_or_else(|| fastrand::u64(..), |seed| seed.parse().unwrap());
        println!("KLIENT_SEED={seed}");
        let mut random = Rng::with_seed(seed);
        for _ in 0..20_000 {
            let old = value(&mut random, 4);
            let new = if random.bool() { changed(&mut random, &old) } else { value(&mut random, 4) };
            // The root is an object, which is never replaced.
            let [old, new] = [old, new].map(|value| json!({"spec": value}));
            let patch = Value::Array(patch(&old, &new)).to_string();
            let mut patched = old.clone();
            JsonPatch::parse_unchecked(patch.as_bytes()).unwrap().apply(&mut patched).unwrap();
            assert_eq!(patched, new, "{old} by {patch}");
        }
    }

    #[test]
    fn one_item_that_is_inserted_or_removed_anywhere_is_one_operation() {
        let items: Vec<Value> =
            (0..50).map(|number| json!({"name": number.to_string(), "list": [number]})).collect();
        for index in 0..=items.len() {
            let mut longer = items.clone();
            longer.insert(index, json!({"name": "new"}));
            let [old, new] = [&items, &longer].map(|items| Value::Array(items.clone()));
            assert_eq!(patch(&old, &new).len(), 1);
            assert_eq!(patch(&new, &old).len(), 1);
        }
    }
}
