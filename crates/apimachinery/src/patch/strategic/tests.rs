//! Cases of strategic merge patch, over a small schema of its own.

use serde_json::{Map, Value, json};

use super::{apply, three_way};
use crate::schema::{Field, Patch, Schema, Type};

const MERGE: Patch = Patch { merge: true, ..Patch::REPLACE };

static ITEM: Schema = Schema::new(
    "test/v1",
    "Item",
    &[
        Field { json: "name", ty: Type::String, ..Field::PLAIN },
        Field { json: "value", ty: Type::String, ..Field::PLAIN },
        Field { json: "other", ty: Type::String, ..Field::PLAIN },
        Field {
            json: "parts",
            ty: Type::List(&Type::Message(&ITEM)),
            patch: Patch { key: "name", ..MERGE },
            ..Field::PLAIN
        },
    ],
);

static THING: Schema = Schema::new(
    "test/v1",
    "Thing",
    &[
        Field {
            json: "items",
            ty: Type::List(&Type::Message(&ITEM)),
            patch: Patch { key: "name", ..MERGE },
            ..Field::PLAIN
        },
        Field { json: "set", ty: Type::List(&Type::String), patch: MERGE, ..Field::PLAIN },
        Field { json: "atoms", ty: Type::List(&Type::String), ..Field::PLAIN },
        Field { json: "labels", ty: Type::Map(&Type::String), ..Field::PLAIN },
        Field {
            json: "kept",
            ty: Type::Message(&ITEM),
            patch: Patch { retain_keys: true, ..Patch::REPLACE },
            ..Field::PLAIN
        },
        Field {
            json: "whole",
            ty: Type::Message(&ITEM),
            patch: Patch { replace_struct: true, ..Patch::REPLACE },
            ..Field::PLAIN
        },
    ],
);

fn map(value: Value) -> Map<String, Value> {
    value.as_object().expect("an object").clone()
}

#[track_caller]
fn check(object: Value, patch: Value, expected: Value) {
    let mut object = map(object);
    apply(&mut object, map(patch), &THING).expect("it applies");
    assert_eq!(Value::Object(object), expected);
}

#[track_caller]
fn fails(object: Value, patch: Value, problem: &str) {
    let failed = apply(&mut map(object), map(patch), &THING).unwrap_err();
    assert_eq!(failed.to_string(), problem);
}

#[test]
fn maps_are_merged_and_null_removes() {
    check(
        json!({"labels": {"a": "1", "b": "2"}}),
        json!({"labels": {"a": null, "c": "3", "d": null}}),
        json!({"labels": {"b": "2", "c": "3"}}),
    );
    check(json!({}), json!({"labels": {"a": "1", "b": null}}), json!({"labels": {"a": "1"}}));
}

#[test]
fn lists_with_a_key_are_merged_by_it() {
    check(
        json!({"items": [{"name": "a", "value": "1"}, {"name": "b"}]}),
        json!({"items": [{"name": "b", "value": "2"}, {"name": "c"}]}),
        json!({"items": [{"name": "a", "value": "1"}, {"name": "b", "value": "2"}, {"name": "c"}]}),
    );
    check(
        json!({"items": [{"name": "a", "parts": [{"name": "x"}]}]}),
        json!({"items": [{"name": "a", "parts": [{"name": "y"}]}]}),
        // As the server does it: what the patch adds comes before what the object had.
        json!({"items": [{"name": "a", "parts": [{"name": "y"}, {"name": "x"}]}]}),
    );
}

#[test]
fn other_lists_are_replaced_and_sets_joined() {
    check(json!({"atoms": ["a", "b"]}), json!({"atoms": ["c"]}), json!({"atoms": ["c"]}));
    check(json!({"set": ["a", "b"]}), json!({"set": ["c", "a"]}), json!({"set": ["c", "a", "b"]}));
    check(
        json!({"set": ["a", "b", "a"]}),
        json!({"$deleteFromPrimitiveList/set": ["a"]}),
        json!({"set": ["b"]}),
    );
}

#[test]
fn items_and_maps_can_be_deleted_or_replaced() {
    check(
        json!({"items": [{"name": "a"}, {"name": "b"}]}),
        json!({"items": [{"name": "a", "$patch": "delete"}]}),
        json!({"items": [{"name": "b"}]}),
    );
    check(
        json!({"items": [{"name": "a"}]}),
        json!({"items": [{"$patch": "replace"}, {"name": "b"}]}),
        json!({"items": [{"name": "b"}]}),
    );
    check(
        json!({"labels": {"a": "1"}}),
        json!({"labels": {"$patch": "replace", "b": "2"}}),
        json!({"labels": {"b": "2"}}),
    );
    check(json!({"labels": {"a": "1"}}), json!({"labels": {"$patch": "delete"}}), json!({"labels": {}}));
    check(
        json!({"kept": {"name": "a", "value": "1", "other": "2"}}),
        json!({"kept": {"$retainKeys": ["name", "value"], "value": "3"}}),
        json!({"kept": {"name": "a", "value": "3"}}),
    );
    check(
        json!({"whole": {"name": "a", "value": "1"}}),
        json!({"whole": {"value": "2"}}),
        json!({"whole": {"value": "2"}}),
    );
}

#[test]
fn element_order_moves_the_patchs_items_and_keeps_the_others_near() {
    check(
        json!({"items": [{"name": "a"}, {"name": "mine"}, {"name": "b"}]}),
        json!({"$setElementOrder/items": [{"name": "b"}, {"name": "a"}]}),
        json!({"items": [{"name": "mine"}, {"name": "b"}, {"name": "a"}]}),
    );
    check(
        json!({"set": ["a", "b"]}),
        json!({"$setElementOrder/set": ["c", "b", "a"], "set": ["c"]}),
        json!({"set": ["c", "b", "a"]}),
    );
}

#[test]
fn misuse_is_told_in_the_servers_words() {
    fails(
        json!({"items": [{"name": "a"}]}),
        json!({"items": [{"image": "x"}]}),
        "map: map[image:x] does not contain declared merge key: name",
    );
    fails(
        json!({"items": [{"name": "c"}]}),
        json!({"items": [{"name": "c", "$patch": "zap"}]}),
        "unrecognized directive zap",
    );
    fails(
        json!({"labels": {}}),
        json!({"labels": {"$patch": "zap", "name": "c"}}),
        "unknown patch type: zap in map: map[$patch:zap name:c]",
    );
}

#[track_caller]
fn check_three_way(original: Value, modified: Value, current: Value, patch: Value, result: Value) {
    let made = three_way(&map(original), &map(modified), &map(current.clone()), &THING).expect("a patch");
    assert_eq!(Value::Object(made.clone()), patch);
    let mut object = map(current);
    apply(&mut object, made, &THING).expect("it applies");
    assert_eq!(Value::Object(object), result);
}

#[test]
fn three_way_changes_adds_and_removes_what_was_ours() {
    check_three_way(
        json!({"labels": {"ours": "1", "gone": "x"}}),
        json!({"labels": {"ours": "2"}}),
        json!({"labels": {"ours": "1", "gone": "x", "theirs": "t"}}),
        json!({"labels": {"ours": "2", "gone": null}}),
        json!({"labels": {"ours": "2", "theirs": "t"}}),
    );
    check_three_way(
        json!({"items": [{"name": "a", "value": "1"}, {"name": "b"}]}),
        json!({"items": [{"name": "a", "value": "2"}]}),
        json!({"items": [{"name": "theirs"}, {"name": "a", "value": "1"}, {"name": "b"}]}),
        json!({
            "$setElementOrder/items": [{"name": "a"}],
            "items": [{"name": "a", "value": "2"}, {"name": "b", "$patch": "delete"}],
        }),
        json!({"items": [{"name": "theirs"}, {"name": "a", "value": "2"}]}),
    );
    check_three_way(
        json!({"set": ["a", "b"]}),
        json!({"set": ["a"]}),
        json!({"set": ["a", "b", "theirs"]}),
        json!({"$deleteFromPrimitiveList/set": ["b"], "$setElementOrder/set": ["a"]}),
        json!({"set": ["a", "theirs"]}),
    );
    check_three_way(
        json!({"kept": {"name": "a", "other": "x"}}),
        json!({"kept": {"name": "b"}}),
        json!({"kept": {"name": "a", "other": "x"}}),
        json!({"kept": {"$retainKeys": ["name"], "name": "b", "other": null}}),
        json!({"kept": {"name": "b"}}),
    );
}

#[test]
fn three_way_of_what_is_there_already_is_empty() {
    let object =
        json!({"items": [{"name": "a", "parts": [{"name": "x"}]}], "set": ["a"], "labels": {"l": "1"}});
    let patch = three_way(&map(object.clone()), &map(object.clone()), &map(object), &THING).expect("a patch");
    assert!(patch.is_empty(), "{patch:?}");
}
