//! Patches of random objects, judged by what must hold of them.

use serde_json::{Map, Value, json};

use super::strategic::ThreeWayOptions;
use super::strategic::tests::THING;
use super::{json, merge, strategic};

const ROUNDS: u64 = 3000;

/// Runs `round` with many seeds and prints the one at fault.
fn rounds(round: impl Fn(&mut Random) + std::panic::RefUnwindSafe) {
    let first = std::env::var("KLIENT_SEED").ok().and_then(|seed| seed.parse().ok());
    let seeds = first.map_or(0..ROUNDS, |seed: u64| seed..seed + 1);
    for seed in seeds {
        let outcome =
            std::panic::catch_unwind(|| round(&mut Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)));
        if let Err(panic) = outcome {
            eprintln!("KLIENT_SEED={seed}");
            std::panic::resume_unwind(panic);
        }
    }
}

/// xorshift64.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from((self.0 >> 16) % bound as u64).expect("smaller than a usize")
    }

    fn one_of<'a>(&mut self, values: &[&'a str]) -> &'a str {
        values[self.below(values.len())]
    }

    fn some(&mut self) -> Vec<&'static str> {
        let mut names = vec!["a", "b", "c", "d"];
        for at in 0..names.len() {
            names.swap(at, at + self.below(4 - at));
        }
        names.truncate(self.below(5));
        names
    }

    fn item(&mut self, name: &str, depth: usize) -> Value {
        let mut item = json!({ "name": name });
        if self.below(2) == 0 {
            item["value"] = self.one_of(&["1", "2"]).into();
        }
        if self.below(2) == 0 {
            item["other"] = self.one_of(&["1", "2"]).into();
        }
        if depth > 0 && self.below(2) == 0 {
            item["parts"] = self.items(depth - 1);
        }
        item
    }

    fn items(&mut self, depth: usize) -> Value {
        self.some().into_iter().map(|name| self.item(name, depth)).collect()
    }

    /// An object of the struct `Thing`.
    fn thing(&mut self) -> Map<String, Value> {
        let mut thing = Map::new();
        for field in ["items", "set", "atoms", "labels", "kept", "whole"] {
            if self.below(3) == 0 {
                continue;
            }
            let value = match field {
                "items" => self.items(2),
                "set" | "atoms" => self.some().into(),
                "labels" => self.some().into_iter().map(|name| (name, self.one_of(&["1", "2"]))).collect(),
                _ => self.item("x", 1),
            };
            thing.insert(field.to_owned(), value);
        }
        thing
    }

    /// An object with the changes of others: some fields changed, some added, some removed.
    fn changed(&mut self, object: &Map<String, Value>) -> Map<String, Value> {
        let mut changed = object.clone();
        for (field, value) in self.thing() {
            match self.below(3) {
                0 => drop(changed.insert(field, value)),
                1 => drop(changed.remove(&field)),
                _ => {}
            }
        }
        changed
    }

    /// Any JSON value, directives among its keys.
    fn any(&mut self, depth: usize) -> Value {
        let keys = [
            "items",
            "set",
            "labels",
            "kept",
            "whole",
            "name",
            "parts",
            "$patch",
            "$retainKeys",
            "$setElementOrder/items",
            "$setElementOrder/set",
            "$deleteFromPrimitiveList/set",
            "0",
            "-1",
            "-",
            "a/b",
        ];
        match self.below(if depth == 0 { 5 } else { 9 }) {
            0 => Value::Null,
            1 => self.one_of(&["delete", "replace", "merge", "a", "b", "name"]).into(),
            2 => self.below(3).into(),
            3 => json!(1.5),
            4 => true.into(),
            5 | 6 => (0..self.below(4)).map(|_| self.any(depth - 1)).collect(),
            _ => (0..self.below(5)).map(|_| (self.one_of(&keys), self.any(depth - 1))).collect(),
        }
    }
}

/// The object with its sets and lists of items sorted, so that their order does not matter.
fn unordered(value: &Value) -> Value {
    match value {
        Value::Object(entries) => {
            let sorted = entries.iter().map(|(key, value)| {
                let mut value = unordered(value);
                if let (true, Value::Array(items)) = (key != "atoms", &mut value) {
                    items.sort_by_key(Value::to_string);
                }
                (key.clone(), value)
            });
            Value::Object(sorted.collect())
        }
        Value::Array(items) => items.iter().map(unordered).collect(),
        other => other.clone(),
    }
}

/// Returns true if `whole` has everything in `part`: fields, items by name, values of sets.
fn holds(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            part.iter().all(|(key, part)| whole.get(key).is_some_and(|whole| holds(whole, part)))
        }
        (Value::Array(whole), Value::Array(part)) => part
            .iter()
            .all(|part| whole.iter().any(|whole| whole["name"] == part["name"] && holds(whole, part))),
        (whole, part) => whole == part,
    }
}

#[test]
fn a_difference_applied_gives_the_other_object() {
    rounds(|random| {
        let (original, modified) = (random.thing(), random.thing());
        let patch = merge::diff(&original, &modified);
        let mut merged = Value::Object(original.clone());
        merge::apply(&mut merged, &Value::Object(patch));
        assert_eq!(merged, Value::Object(modified.clone()));

        let patch = strategic::diff(&original, &modified, &THING).expect("a patch");
        let mut merged = original.clone();
        strategic::apply(&mut merged, patch.clone(), &THING)
            .unwrap_or_else(|error| panic!("{patch:?}: {error}"));
        let merged = Value::Object(merged);
        assert_eq!(unordered(&merged), unordered(&Value::Object(modified)), "{original:?} with {patch:?}");
    });
}

#[test]
fn a_three_way_patch_gives_what_is_wished_and_keeps_what_others_added() {
    rounds(|random| {
        let (original, modified) = (random.thing(), random.thing());
        let current = random.changed(&original);
        let patch = strategic::three_way(&original, &modified, &current, &THING, ThreeWayOptions::default())
            .expect("a patch");
        let mut applied = current.clone();
        strategic::apply(&mut applied, patch.clone(), &THING)
            .unwrap_or_else(|error| panic!("{current:?} with {patch:?}: {error}"));
        let applied = Value::Object(applied);
        assert!(holds(&applied, &Value::Object(modified.clone())), "{current:?} with {patch:?}: {applied}");
        for (field, theirs) in &current {
            if !modified.contains_key(field) && !original.contains_key(field) {
                assert_eq!(applied.get(field), Some(theirs), "{patch:?}");
            }
            if !modified.contains_key(field) && original.contains_key(field) {
                assert_eq!(applied.get(field), None, "{patch:?}");
            }
        }

        let patch = merge::three_way(&original, &modified, &current, &[]).expect("a patch");
        let mut applied = Value::Object(current.clone());
        merge::apply(&mut applied, &Value::Object(patch.clone()));
        let again = applied.as_object().expect("still an object");
        assert_eq!(
            merge::three_way(&modified, &modified, again, &[]),
            Ok(Map::new()),
            "{current:?} with {patch:?}"
        );
    });
}

#[test]
fn no_patch_makes_anything_but_an_object_or_an_error() {
    rounds(|random| {
        let object = random.thing();
        let patch = random.any(5);
        let mut document = Value::Object(object.clone());
        merge::apply(&mut document, &patch);
        assert_eq!(document.is_object(), patch.is_object());
        if let Value::Object(patch) = &patch {
            if let Err(error) = strategic::apply(&mut object.clone(), patch.clone(), &THING) {
                assert!(!error.to_string().is_empty());
            }
            drop(strategic::three_way(&object, patch, &random.thing(), &THING, ThreeWayOptions::default()));
        }
        let operations: Value = (0..random.below(6))
            .map(|_| {
                let mut path = || {
                    (0..random.below(4))
                        .map(|_| {
                            format!("/{}", random.one_of(&["items", "set", "0", "-1", "-", "name", "x"]))
                        })
                        .collect::<String>()
                };
                let (path, from) = (path(), path());
                let op = random.one_of(&["add", "remove", "replace", "move", "copy", "test"]);
                json!({ "op": op, "path": path, "from": from, "value": random.any(2) })
            })
            .collect();
        let patch = json::JsonPatch::parse(operations.to_string().as_bytes()).expect("a patch");
        let mut document = Value::Object(object);
        if patch.apply(&mut document).is_ok() {
            assert!(document.is_object() || document.is_array());
        }
    });
}

#[test]
fn values_as_deep_as_they_can_be_read_are_patched() {
    // Each part is a list and an object, and JSON is read 128 deep at most.
    let nested = |value: &str| {
        let innermost = json!({"name": "a", "value": value});
        let item = (0..60).fold(innermost, |part, _| json!({"name": "a", "parts": [part]}));
        Map::from_iter([("items".to_owned(), json!([item]))])
    };
    let (original, modified, current) = (nested("1"), nested("2"), nested("3"));
    let patch = strategic::three_way(&original, &modified, &current, &THING, ThreeWayOptions::default());
    let mut applied = current.clone();
    strategic::apply(&mut applied, patch.expect("a patch"), &THING).expect("it applies");
    assert_eq!(applied, modified);
    let careful = ThreeWayOptions { overwrite: false, ..ThreeWayOptions::default() };
    let conflict = strategic::three_way(&original, &modified, &current, &THING, careful).unwrap_err();
    assert!(conflict.is_conflict());
    let patch = merge::three_way(&original, &modified, &current, &[]).expect("a patch");
    let mut merged = Value::Object(current);
    merge::apply(&mut merged, &Value::Object(patch));
    assert_eq!(merged, Value::Object(modified));
}
