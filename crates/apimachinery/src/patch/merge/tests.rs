//! The examples of RFC 7386, appendix A, and three-way patches.

use serde_json::{Map, Value, json};

use super::{Precondition, apply, diff, three_way};

fn map(value: Value) -> Map<String, Value> {
    value.as_object().expect("an object").clone()
}

#[track_caller]
fn check(mut object: Value, patch: Value, expected: Value) {
    apply(&mut object, &patch);
    assert_eq!(object, expected, "with {patch}");
}

#[test]
fn the_rfcs_examples_come_out_as_it_says() {
    for (object, patch, expected) in [
        (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
        (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
        (json!({"a": "b"}), json!({"a": null}), json!({})),
        (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
        (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
        (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
        (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
        (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
        (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
        (json!({"a": "b"}), json!(["c"]), json!(["c"])),
        (json!({"a": "foo"}), json!(null), json!(null)),
        (json!({"a": "foo"}), json!("bar"), json!("bar")),
        (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
        (json!([1, 2]), json!({"a": "b", "c": null}), json!({"a": "b"})),
        (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
    ] {
        check(object, patch, expected);
    }
}

#[test]
fn nulls_in_lists_are_dropped_as_the_server_does() {
    check(json!({}), json!({"a": [{"b": null, "c": 1}, null]}), json!({"a": [{"c": 1}, null]}));
    check(json!({"a": 1}), json!({"a": [{"b": null}]}), json!({"a": [{}]}));
    check(json!({"a": {}}), json!({"a": [{"b": null}]}), json!({"a": [{"b": null}]}));
}

#[test]
fn a_difference_applied_gives_the_modified_object() {
    for (original, modified) in [
        (json!({"a": 1}), json!({"a": 2})),
        (json!({"a": {"b": 1, "c": 2}}), json!({"a": {"b": 1}})),
        (json!({"a": [1, 2]}), json!({"a": [1]})),
        (json!({}), json!({"a": {"b": {}}})),
        (json!({"a": {}}), json!({"a": "text"})),
    ] {
        let patch = Value::Object(diff(&map(original.clone()), &map(modified.clone())));
        check(original, patch, modified);
    }
    assert_eq!(diff(&map(json!({"a": [{"b": 1}]})), &map(json!({"a": [{"b": 1.0}]}))), Map::new());
}

#[track_caller]
fn check_three_way(original: Value, modified: Value, current: Value, patch: Value) {
    let made = three_way(&map(original), &map(modified), &map(current), &[]).expect("a patch");
    assert_eq!(Value::Object(made), patch);
}

#[test]
fn three_way_removes_only_what_was_dropped() {
    let original = json!({"spec": {"size": 1, "name": "x"}});
    let modified = json!({"spec": {"size": 3}});
    let current = json!({"spec": {"size": 2, "name": "x", "added": true}, "status": {}});
    check_three_way(original, modified.clone(), current, json!({"spec": {"size": 3, "name": null}}));
    check_three_way(modified.clone(), modified, json!({"spec": {"size": 3, "added": true}}), json!({}));
}

#[test]
fn three_way_takes_an_empty_object_for_a_value_and_null_for_a_removal() {
    check_three_way(json!({}), json!({"a": {}, "b": null}), json!({}), json!({"a": {}, "b": null}));
    check_three_way(
        json!({"a": {"b": 1}}),
        json!({"a": {}}),
        json!({"a": {"b": 1}}),
        json!({"a": {"b": null}}),
    );
    check_three_way(json!({"a": {"b": 1}}), json!({"a": null}), json!({"a": {"b": 1}}), json!({"a": null}));
    check_three_way(json!({}), json!({"a": [{"b": null}]}), json!({}), json!({"a": [{}]}));
}

#[test]
fn three_way_does_not_change_what_must_not_change() {
    let original = map(json!({"apiVersion": "v1", "kind": "A", "metadata": {"name": "x"}}));
    for (modified, told) in [
        (json!({"apiVersion": "v1", "kind": "B", "metadata": {"name": "x"}}), "map[kind:B]"),
        (json!({"apiVersion": "v1", "kind": "A", "metadata": {"name": "y"}}), "map[metadata:map[name:y]]"),
        (json!({"kind": "A", "metadata": {"name": "x"}}), "map[apiVersion:<nil>]"),
    ] {
        let failed = three_way(&original, &map(modified), &original, &Precondition::IDENTITY).unwrap_err();
        assert!(failed.is_precondition_failed() && !failed.is_conflict());
        assert_eq!(failed.to_string(), format!("precondition failed for: {told}"));
    }
    let labelled =
        map(json!({"apiVersion": "v1", "kind": "A", "metadata": {"name": "x", "labels": {"a": "b"}}}));
    assert!(three_way(&original, &labelled, &original, &Precondition::IDENTITY).is_ok());
}
