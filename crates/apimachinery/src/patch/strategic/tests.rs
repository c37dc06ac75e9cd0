//! Cases of strategic merge patch, over a small schema of its own.

use serde_json::{Map, Value, json};

use super::{Precondition, ThreeWayOptions, apply, diff, three_way};
use crate::schema::{Field, Patch, Schema, Type};

const MERGE: Patch = Patch { merge: true, ..Patch::REPLACE };

pub(in crate::patch) static ITEM: Schema = Schema::new(
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

pub(in crate::patch) static THING: Schema = Schema::new(
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
fn a_new_item_takes_the_place_of_a_deleted_one() {
    check(
        json!({"items": [{"name": "theirs"}, {"name": "gone"}]}),
        json!({
            "$setElementOrder/items": [{"name": "new"}],
            "items": [{"name": "new"}, {"name": "gone", "$patch": "delete"}],
        }),
        json!({"items": [{"name": "theirs"}, {"name": "new"}]}),
    );
    check(
        json!({"items": [{"name": "theirs"}]}),
        json!({"$setElementOrder/items": [{"name": "new"}], "items": [{"name": "new"}]}),
        json!({"items": [{"name": "new"}, {"name": "theirs"}]}),
    );
}

#[test]
fn what_is_new_loses_nulls_but_items_are_taken_as_they_are() {
    check(json!({}), json!({"kept": {"name": "a", "value": null}}), json!({"kept": {"name": "a"}}));
    check(
        json!({"items": [{"name": "a"}]}),
        json!({"items": [{"name": "b", "value": null}]}),
        json!({"items": [{"name": "b", "value": null}, {"name": "a"}]}),
    );
    check(json!({"kept": {"name": "a"}}), json!({"kept": {"$patch": "delete"}}), json!({"kept": {}}));
    check(json!({}), json!({"kept": {"$patch": "delete"}}), json!({}));
    check(
        json!({}),
        json!({"items": [{"name": "a"}, {"$patch": "delete", "name": "b"}]}),
        json!({"items": [{"name": "a"}]}),
    );
    check(json!({}), json!({"$deleteFromPrimitiveList/set": ["a"]}), json!({}));
    check(json!({"set": ["a"]}), json!({"$deleteFromPrimitiveList/set": null}), json!({}));
    check(json!({"set": ["a"]}), json!({"$deleteFromPrimitiveList/set": "a"}), json!({"set": ["a"]}));
}

#[test]
fn fields_that_nobody_knows_are_kept_unless_there_is_something_to_merge() {
    check(
        json!({"x": {"a": 1}, "y": 1}),
        json!({"x": 2, "z": {"b": 1}}),
        json!({"x": 2, "y": 1, "z": {"b": 1}}),
    );
    fails(
        json!({"x": {"a": 1}}),
        json!({"x": {"b": 1}}),
        "unable to find api field in struct Thing for the json field \"x\"",
    );
    fails(
        json!({"labels": {"x": {"a": 1}}}),
        json!({"labels": {"x": {"b": 1}}}),
        "merging an object in json but data type is not struct, instead is: map",
    );
}

#[test]
fn the_whole_object_can_be_replaced_or_emptied() {
    check(
        json!({"set": ["a"]}),
        json!({"$patch": "replace", "atoms": ["b"], "kept": null}),
        json!({"atoms": ["b"], "kept": null}),
    );
    check(json!({"set": ["a"]}), json!({"$patch": "delete", "atoms": ["b"]}), json!({}));
    check(json!({"set": ["a"], "atoms": ["b"]}), json!({"$retainKeys": ["atoms"]}), json!({"atoms": ["b"]}));
}

#[test]
fn misuse_is_told_in_the_servers_words() {
    let order = |problem: &str| format!("The order in patch list:\n{problem}\n");
    for (object, patch, problem) in [
        (
            json!({"items": [{"name": "a"}]}),
            json!({"items": [{"image": "x"}]}),
            "map: map[image:x] does not contain declared merge key: name".to_owned(),
        ),
        (
            json!({"items": [{"value": "a"}]}),
            json!({"items": [{"name": "x"}]}),
            "map: map[value:a] does not contain declared merge key: name".to_owned(),
        ),
        (
            json!({"items": [{"name": "c"}]}),
            json!({"items": [{"$patch": "delete"}]}),
            "map: map[$patch:delete] does not contain declared merge key: name".to_owned(),
        ),
        (
            json!({"items": [{"name": "c"}]}),
            json!({"items": [{"name": "c", "$patch": "zap"}]}),
            "unknown patch type: zap in map: map[$patch:zap name:c]".to_owned(),
        ),
        (
            json!({"items": [{"name": "c"}]}),
            json!({"items": [{"name": "c", "$patch": "merge"}]}),
            "merging lists cannot yet be specified in the patch".to_owned(),
        ),
        (
            json!({"labels": {}}),
            json!({"labels": {"$patch": "merge", "name": "c"}}),
            "unknown patch type: merge in map: map[$patch:merge name:c]".to_owned(),
        ),
        (
            json!({"labels": {}}),
            json!({"labels": {"$patch": 5}}),
            "unknown patch type: %!s(int64=5) in map: map[$patch:5]".to_owned(),
        ),
        (
            json!({"items": [{"name": "a"}]}),
            json!({"items": ["a"]}),
            "list element types are not identical: [[map[name:a]] [a]]".to_owned(),
        ),
        (
            json!({"set": ["a"]}),
            json!({"set": [null]}),
            "list element types are not identical: [[a] [<nil>]]".to_owned(),
        ),
        (json!({"set": []}), json!({"set": [["a"]]}), "lists of lists are not supported".to_owned()),
        (
            json!({"set": [{"a": 1}]}),
            json!({"set": [{"a": 1}]}),
            "cannot merge lists without merge key for string".to_owned(),
        ),
        (
            json!({"kept": {}}),
            json!({"kept": {"$retainKeys": "name"}}),
            "invalid patch format of retainKeys".to_owned(),
        ),
        (
            json!({"kept": {}}),
            json!({"kept": {"$retainKeys": ["name"], "value": "x"}}),
            "invalid patch format of retainKeys".to_owned(),
        ),
        (
            json!({}),
            json!({"$setElementOrder/set": {}}),
            "expected a []interface {}, but received a map[string]interface {}".to_owned(),
        ),
        (
            json!({}),
            json!({"$setElementOrder": []}),
            "invalid patch format of setElementOrder list".to_owned(),
        ),
        (
            json!({}),
            json!({"$setElementOrder/gone": []}),
            "unable to find api field in struct Thing for the json field \"gone\"".to_owned(),
        ),
        (
            json!({}),
            json!({"$setElementOrder/labels": []}),
            "expected slice or array type, but got: struct".to_owned(),
        ),
        (
            json!({"set": []}),
            json!({"$setElementOrder/set": []}),
            "no elements in any of the given slices".to_owned(),
        ),
        (
            json!({"set": ["a"]}),
            json!({"$setElementOrder/set": ["a", "b"], "set": ["b", "a"]}),
            order("[b a]\n doesn't match $setElementOrder list:\n[a b]"),
        ),
        (
            json!({"items": [{"name": "a"}]}),
            json!({"$setElementOrder/items": [{"name": "a"}], "items": [{"name": "b"}]}),
            order("[map[name:b]]\n doesn't match $setElementOrder list:\n[map[name:a]]"),
        ),
        (
            json!({}),
            json!({"$deleteFromPrimitiveList": ["a"]}),
            "invalid patch format of primitive list".to_owned(),
        ),
    ] {
        fails(object, patch, &problem);
    }
}

#[track_caller]
fn check_three_way(original: Value, modified: Value, current: Value, patch: Value, result: Value) {
    let made =
        three_way(&map(original), &map(modified), &map(current.clone()), &THING, ThreeWayOptions::default())
            .expect("a patch");
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
    let patch = three_way(
        &map(object.clone()),
        &map(object.clone()),
        &map(object),
        &THING,
        ThreeWayOptions::default(),
    )
    .expect("a patch");
    assert!(patch.is_empty(), "{patch:?}");
}

#[test]
fn three_way_keeps_what_others_did_and_undoes_what_is_dropped() {
    // An item that is gone from the manifest, one that others added, one that they changed.
    check_three_way(
        json!({"items": [{"name": "a"}, {"name": "gone"}, {"name": "b", "value": "1", "other": "o"}]}),
        json!({"items": [{"name": "b", "value": "1"}, {"name": "a"}]}),
        json!({"items": [{"name": "a"}, {"name": "theirs"}, {"name": "gone"}, {"name": "b", "value": "2", "other": "o"}]}),
        json!({
            "$setElementOrder/items": [{"name": "b"}, {"name": "a"}],
            "items": [{"name": "b", "value": "1", "other": null}, {"name": "gone", "$patch": "delete"}],
        }),
        json!({"items": [{"name": "theirs"}, {"name": "b", "value": "1"}, {"name": "a"}]}),
    );
    // A value that is gone needs no second deletion, but gets one.
    check_three_way(
        json!({"items": [{"name": "a"}, {"name": "gone"}]}),
        json!({"items": [{"name": "a"}]}),
        json!({"items": [{"name": "a"}]}),
        json!({
            "$setElementOrder/items": [{"name": "a"}],
            "items": [{"name": "gone", "$patch": "delete"}],
        }),
        json!({"items": [{"name": "a"}]}),
    );
    // A list that is emptied is emptied of what was ours.
    check_three_way(
        json!({"items": [{"name": "a"}], "atoms": ["x"]}),
        json!({"items": [], "atoms": []}),
        json!({"items": [{"name": "a"}, {"name": "theirs"}], "atoms": ["x", "theirs"]}),
        json!({"items": [{"name": "a", "$patch": "delete"}], "atoms": []}),
        json!({"items": [{"name": "theirs"}], "atoms": []}),
    );
    // A struct that is replaced goes along each time.
    check_three_way(
        json!({"whole": {"name": "a"}}),
        json!({"whole": {"name": "a"}}),
        json!({"whole": {"name": "a"}}),
        json!({"whole": {"name": "a"}}),
        json!({"whole": {"name": "a"}}),
    );
}

#[test]
fn a_change_that_others_made_too_is_a_conflict_unless_it_may_be_overwritten() {
    let [original, modified, current] =
        [json!({"labels": {"a": "1"}}), json!({"labels": {"a": "2"}}), json!({"labels": {"a": "3"}})]
            .map(map);
    let careful = ThreeWayOptions { overwrite: false, ..ThreeWayOptions::default() };
    let failed = three_way(&original, &modified, &current, &THING, careful).unwrap_err();
    assert!(failed.is_conflict() && !failed.is_precondition_failed());
    assert_eq!(
        failed.to_string(),
        "patch:\nlabels:\n  a: \"2\"\n\nconflicts with changes made from original to current:\nlabels:\n  a: \"3\"\n\n"
    );
    assert!(three_way(&original, &modified, &current, &THING, ThreeWayOptions::default()).is_ok());
}

#[test]
fn conflicts_are_found_where_both_change_the_same() {
    let conflicts = |original: Value, modified: Value, current: Value| {
        let careful = ThreeWayOptions { overwrite: false, ..ThreeWayOptions::default() };
        match three_way(&map(original), &map(modified), &map(current), &THING, careful) {
            Ok(_) => false,
            Err(error) => error.is_conflict(),
        }
    };
    let items = |value: &str, other: &str| json!({"items": [{"name": "a", "value": value, "other": other}]});
    let item = |value: &str| json!({"items": [{"name": "a", "value": value}]});
    assert!(!conflicts(item("1"), item("2"), items("1", "theirs")));
    assert!(conflicts(items("1", "1"), items("2", "1"), items("3", "1")));
    assert!(!conflicts(items("1", "1"), items("2", "1"), items("2", "1")));
    assert!(conflicts(json!({"labels": {"a": "1"}}), json!({"labels": {}}), json!({"labels": {"a": "2"}})));
    assert!(!conflicts(json!({"set": ["a"]}), json!({"set": ["a", "b"]}), json!({"set": ["a", "c"]})));
    assert!(conflicts(json!({"atoms": ["a"]}), json!({"atoms": ["b"]}), json!({"atoms": ["c"]})));
    assert!(conflicts(json!({}), json!({"kept": {"name": "a"}}), json!({"kept": {"name": "b"}})));
    assert!(!conflicts(json!({}), json!({"whole": {"name": "a"}}), json!({"whole": {"name": "b"}})));
}

#[test]
fn three_way_does_not_change_what_must_not_change() {
    let name = [Precondition::Key("kept")];
    let options = ThreeWayOptions { preconditions: &name, ..ThreeWayOptions::default() };
    let [old, new] = [json!({"kept": {"name": "a"}}), json!({"kept": {"name": "b"}})].map(map);
    let failed = three_way(&old, &new, &old, &THING, options).unwrap_err();
    assert!(failed.is_precondition_failed());
    assert_eq!(failed.to_string(), "precondition failed for: map[kept:map[$retainKeys:[name] name:b]]");
}

#[test]
fn a_difference_names_the_order_of_lists_that_changed() {
    let made = |original: Value, modified: Value| {
        Value::Object(diff(&map(original), &map(modified), &THING).expect("a patch"))
    };
    assert_eq!(
        made(json!({"set": ["a", "b"]}), json!({"set": ["b", "c"]})),
        json!({
            "$deleteFromPrimitiveList/set": ["a"],
            "$setElementOrder/set": ["b", "c"],
            "set": ["c"],
        })
    );
    assert_eq!(
        made(
            json!({"items": [{"name": "a"}, {"name": "b"}]}),
            json!({"items": [{"name": "b"}, {"name": "a"}]})
        ),
        json!({"$setElementOrder/items": [{"name": "b"}, {"name": "a"}]})
    );
    // Kubernetes compares with the old values sorted.
    assert_eq!(
        made(json!({"set": ["b", "a"]}), json!({"set": ["b", "a"]})),
        json!({"$setElementOrder/set": ["b", "a"]})
    );
    assert_eq!(made(json!({"set": ["a", "b"]}), json!({"set": ["a", "b"]})), json!({}));
    assert_eq!(made(json!({"x": {"a": 1}}), json!({"x": {"a": 1}})), json!({}));
    let unknown = diff(&map(json!({"x": {"a": 1}})), &map(json!({"x": {"a": 2}})), &THING).unwrap_err();
    assert_eq!(unknown.to_string(), "unable to find api field in struct Thing for the json field \"x\"");
}
