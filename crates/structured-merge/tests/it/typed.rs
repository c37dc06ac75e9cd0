//! Operations on one object or two.

use klient_schema::{apps_v1, core_v1};
use klient_structured_merge::{Comparison, Duplicates, FieldSet, KeyFields, Schema, Typed, extract_applied};
use serde_json::{Value, json};

use crate::live::{Live, object};

fn compare(schema: &Schema, old: Value, new: Value) -> Comparison {
    let typed = |value| Typed::new(object(value), schema, Duplicates::Allow).expect("it follows the schema");
    typed(&old).compare(&typed(&new))
}

#[test]
fn comparisons_tell_what_was_added_modified_and_removed() {
    let schema = Schema::builtin(&core_v1::POD);
    for (old, new, added, modified, removed) in [
        (json!({}), json!({}), "", "", ""),
        (json!({"spec": {"priority": 1}}), json!({"spec": {"priority": 1.0}}), "", "", ""),
        (json!({"spec": {"priority": 1}}), json!({"spec": {"priority": null}}), "", ".spec.priority", ""),
        (json!({"spec": {"priority": null}}), json!({"spec": {}}), "", "", ".spec.priority"),
        (json!({"spec": {}}), json!({}), "", "", ".spec"),
        (
            json!({"metadata": {"labels": {}}}),
            json!({"metadata": {"labels": null}}),
            "",
            ".metadata.labels",
            "",
        ),
        (
            json!({"metadata": {"labels": {"a": "1"}}}),
            json!({"metadata": {"labels": {"b": "1"}}}),
            ".metadata.labels.b",
            "",
            ".metadata.labels.a",
        ),
        (json!({"spec": {"hostAliases": []}}), json!({"spec": {}}), "", "", ".spec.hostAliases"),
        (
            json!({"metadata": {"finalizers": ["a", "b"]}}),
            json!({"metadata": {"finalizers": ["b", "c"]}}),
            r#".metadata.finalizers[="c"]"#,
            "",
            r#".metadata.finalizers[="a"]"#,
        ),
        // Duplicate items are compared as one value.
        (
            json!({"metadata": {"finalizers": ["a", "a"]}}),
            json!({"metadata": {"finalizers": ["a", "a"]}}),
            "",
            "",
            "",
        ),
        (
            json!({"metadata": {"finalizers": ["a", "a"]}}),
            json!({"metadata": {"finalizers": ["a", "a", "a"]}}),
            "",
            r#".metadata.finalizers[="a"]"#,
            "",
        ),
        (
            json!({"metadata": {"finalizers": ["a"]}}),
            json!({"metadata": {"finalizers": ["a", "a"]}}),
            r#".metadata.finalizers[="a"]"#,
            "",
            r#".metadata.finalizers[="a"]"#,
        ),
    ] {
        let changes = compare(&schema, old.clone(), new.clone());
        let shown = [&changes.added, &changes.modified, &changes.removed].map(ToString::to_string);
        assert_eq!(shown, [added, modified, removed], "{old} {new}");
        assert_eq!(changes.is_same(), shown.iter().all(String::is_empty));
    }
}

#[test]
fn values_may_change_their_type_where_nothing_is_said() {
    let changes = |old, new| {
        let changes = compare(&Schema::DEDUCED, json!({"a": old}), json!({"a": new}));
        [&changes.added, &changes.modified, &changes.removed].map(|set| set.to_string().replace('\n', " "))
    };
    assert_eq!(changes(json!(1), json!("1")), ["", ".a", ""]);
    assert_eq!(changes(json!(1), json!({"b": 1})), [".a.b", ".a", ""]);
    assert_eq!(changes(json!({"b": 1}), json!([1])), ["", ".a", ".a.b"]);
    assert_eq!(changes(json!(null), json!({"b": 1})), [".a.b", "", ""]);
}

#[test]
fn what_is_taken_out_of_an_object_leaves_the_rest() {
    let schema = Schema::builtin(&core_v1::POD);
    let pod = json!({
        "metadata": {"name": "p", "labels": {"a": "1"}},
        "spec": {
            "containers": [{"name": "a", "image": "i", "args": ["x"]}, {"name": "b"}],
            "nodeSelector": {"a": "1"}, "tolerations": [{"key": "k"}],
        },
    });
    let typed = Typed::new(object(&pod), &schema, Duplicates::Refuse).expect("it follows the schema");
    let check = |fields: &str, removed: Value, extracted: Value| {
        let set = FieldSet::from_json(fields).expect("a set");
        assert_eq!(Value::Object(typed.remove(&set).into_object()), removed, "{fields}");
        assert_eq!(Value::Object(typed.extract(&set, KeyFields::Leave).into_object()), extracted, "{fields}");
    };
    check("{}", pod.clone(), json!({}));
    check(
        r#"{"f:spec":{"f:containers":{"k:{\"name\":\"a\"}":{"f:image":{}},"k:{\"name\":\"b\"}":{}},"f:nodeSelector":{}}}"#,
        json!({
            "metadata": {"name": "p", "labels": {"a": "1"}},
            "spec": {"containers": [{"name": "a", "args": ["x"]}], "tolerations": [{"key": "k"}]},
        }),
        json!({"spec": {"containers": [{"image": "i"}, {"name": "b"}], "nodeSelector": {"a": "1"}}}),
    );
    check(
        r#"{"f:metadata":{"f:labels":{"f:a":{}}},"f:spec":{"f:nosuch":{}}}"#,
        json!({"metadata": {"name": "p", "labels": null}, "spec": pod["spec"]}),
        json!({"metadata": {"labels": {"a": "1"}}, "spec": null}),
    );
}

#[test]
fn a_manager_can_read_what_it_applied() {
    let mut web = Live::deployment();
    let config = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"labels": {"a": "1"}},
        "spec": {
            "selector": {"matchLabels": {"a": "1"}},
            "template": {"spec": {"containers": [{"name": "a", "ports": [{"containerPort": 80}]}]}},
        },
    });
    web.apply("alice", config.clone());
    web.update("bob", |web| {
        web["metadata"]["labels"]["b"] = "2".into();
        web["spec"]["template"]["spec"]["containers"][0]["image"] = "i".into();
        web["spec"]["replicas"] = 2.into();
    });
    let schema = Schema::builtin(&apps_v1::DEPLOYMENT);
    let applied = |manager| extract_applied(&web.object, &schema, manager, "").expect("it can be read");
    assert_eq!(applied("alice").map(Value::Object), Some(config));
    assert_eq!(applied("bob"), None);
}

#[test]
fn objects_that_do_not_follow_the_schema_are_told_where() {
    let schema = Schema::builtin(&core_v1::POD);
    for (pod, problem) in [
        (json!({"spec": []}), ".spec: expected map, got &{[]}"),
        (
            json!({"spec": {"containers": {"a": [1.5, null, "x"]}}}),
            ".spec.containers: expected list, got &{map[a:[1.5 <nil> x]]}",
        ),
        (
            json!({"spec": {"containers": [{"name": "a", "env": [{"name": "E", "value": 8080}]}]}}),
            r#".spec.containers[name="a"].env[name="E"].value: expected string, got &value.valueUnstructured{Value:8080}"#,
        ),
        (
            json!({"spec": {"nodeName": {"a": ["x"]}}}),
            r#".spec.nodeName: expected string, got &value.valueUnstructured{Value:map[string]interface {}{"a":[]interface {}{"x"}}}"#,
        ),
        (
            json!({"spec": {"containers": [{"name": "a", "args": ["x", 1]}]}}),
            r#".spec.containers[name="a"].args[1]: expected string, got &value.valueUnstructured{Value:1}"#,
        ),
        (
            json!({"metadata": {"creationTimestamp": {}}}),
            ".metadata.creationTimestamp: expected any scalar, got &{map[]}",
        ),
        (
            json!({"metadata": {"finalizers": [["x"]]}}),
            ".metadata.finalizers: element 0: not supported: associative list with lists as elements",
        ),
        (
            json!({"spec": {"containers": ["a"]}}),
            ".spec.containers: element 0: associative list with keys may not have non-map elements",
        ),
        (json!({"a": 1, "b": 2}), ".a: field not declared in schema"),
    ] {
        let error = Typed::new(object(&pod), &schema, Duplicates::Allow).expect_err("it does not");
        assert!(error.is_invalid());
        assert_eq!(error.to_string(), problem);
        assert_eq!(error.validation_errors().len(), 1);
    }
    // A claim within a stateful set says what it is.
    let set =
        json!({"spec": {"volumeClaimTemplates": [{"apiVersion": "v1", "kind": "PersistentVolumeClaim"}]}});
    let schema = Schema::builtin(&apps_v1::STATEFUL_SET);
    assert!(Typed::new(object(&set), &schema, Duplicates::Refuse).is_ok());
}
