//! Custom kinds, by their definitions.

use klient_structured_merge::Schema;
use serde_json::{Value, json};

use crate::live::{Live, object};

fn gadget(spec: Value) -> Live {
    let schema = json!({"type": "object", "properties": {"spec": spec}});
    Live::new("example.com/v1", Schema::structural(object(&schema), false).expect("a schema"))
}

fn spec(spec: Value) -> Value {
    json!({"metadata": {"name": "g"}, "spec": spec})
}

#[test]
fn definitions_say_how_lists_and_maps_are_merged() {
    let mut gadget = gadget(json!({"type": "object", "properties": {
        "parts": {
            "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name", "side"],
            "items": {"type": "object", "required": ["name"], "properties": {
                "name": {"type": "string"}, "side": {"type": "string", "default": "left"},
                "size": {"x-kubernetes-int-or-string": true},
            }},
        },
        "tags": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
        "plain": {"type": "array", "items": {"type": "string"}},
        "color": {"type": "object", "x-kubernetes-map-type": "atomic", "additionalProperties": {"type": "integer"}},
        "notes": {"type": "object", "additionalProperties": {"type": "string"}},
    }}));
    gadget.apply(
        "alice",
        spec(json!({
            "parts": [{"name": "a", "size": 1}, {"name": "a", "side": "right", "size": "2"}],
            "tags": ["x"], "plain": ["x"], "color": {"red": 1}, "notes": {"n": "1"},
        })),
    );
    gadget.owned(&[concat!(
        r#"alice: .spec.color .spec.plain .spec.notes.n .spec.parts[name="a",side="left"] .spec.parts[name="a",side="right"] "#,
        r#".spec.parts[name="a",side="left"].name .spec.parts[name="a",side="left"].size "#,
        r#".spec.parts[name="a",side="right"].name .spec.parts[name="a",side="right"].side .spec.parts[name="a",side="right"].size "#,
        r#".spec.tags[="x"]"#
    )]);
    gadget.apply("bob", spec(json!({"tags": ["y"], "notes": {"o": "1"}})));
    assert_eq!(gadget.seen()["spec"]["tags"], json!(["x", "y"]));
    assert_eq!(
        gadget.refused("bob", spec(json!({"nosuch": 1}))),
        ".spec.nosuch: field not declared in schema"
    );
}

#[test]
fn of_what_is_not_said_maps_have_entries_and_lists_are_one_value() {
    let free = |ty: Value| gadget(json!({"type": "object", "properties": {"free": ty}}));
    for mut gadget in [
        free(json!({"x-kubernetes-preserve-unknown-fields": true})),
        free(json!({"type": "object"})),
        free(json!({"type": "object", "additionalProperties": true})),
        Live::new("example.com/v1", Schema::DEDUCED),
    ] {
        gadget.apply("alice", spec(json!({"free": {"list": [{"name": "a"}], "map": {"x": {"y": 1}}}})));
        let owned = &gadget.owners()[0];
        assert!(owned.contains(".spec.free.list") && owned.contains(".spec.free.map.x.y"), "{owned}");
        assert!(!owned.contains('['), "{owned}");
        gadget.apply("bob", spec(json!({"free": {"map": {"z": [1]}}})));
        assert!(gadget.refused("bob", spec(json!({"free": {"list": 1}}))).ends_with(".spec.free.list"));
        gadget.apply("alice", spec(json!({"free": {}})));
        assert_eq!(gadget.seen()["spec"]["free"], json!({"map": {"z": [1]}}));
    }
}

#[test]
fn what_preserves_unknown_fields_does_so_all_the_way_down() {
    let mut gadget = gadget(json!({
        "type": "object", "x-kubernetes-preserve-unknown-fields": true,
        "properties": {"known": {"type": "object", "properties": {"size": {"type": "integer"}}}},
    }));
    gadget.apply("alice", spec(json!({"known": {"size": 1, "other": 2}, "more": 3})));
    gadget.owned(&["alice: .spec.more .spec.known.other .spec.known.size"]);
    assert!(gadget.refused("alice", spec(json!({"known": {"size": "1"}}))).starts_with(".spec.known.size: "));
}

#[test]
fn objects_within_objects_have_metadata() {
    let mut gadget = gadget(json!({"type": "object", "properties": {"template": {
        "type": "object", "x-kubernetes-embedded-resource": true, "properties": {"size": {"type": "integer"}},
    }}}));
    gadget.apply("alice", spec(json!({"template": {
        "apiVersion": "v1", "kind": "A", "metadata": {"finalizers": ["x/a"], "labels": {"a": "1"}}, "size": 1,
    }})));
    gadget.owned(&[concat!(
        "alice: .spec.template.apiVersion .spec.template.kind .spec.template.size ",
        r#".spec.template.metadata.finalizers[="x/a"] .spec.template.metadata.labels.a"#
    )]);
}

#[test]
fn what_no_definition_can_say_is_refused() {
    for (schema, problem) in [
        (json!({"type": "list"}), "unrecognized type: 'list'"),
        (json!({"type": "array", "x-kubernetes-list-type": "bag"}), "unknown list type bag"),
        (json!({"type": "array", "x-kubernetes-list-type": "map"}), "missing map keys"),
        (json!({"type": "object", "x-kubernetes-map-type": "set"}), "unknown map type set"),
    ] {
        let schema = json!({"type": "object", "properties": {"spec": schema}});
        let error = Schema::structural(object(&schema), false).expect_err("it is refused");
        assert!(error.is_schema());
        assert_eq!(error.to_string(), format!("no schema to merge by: {problem}"));
    }
}
