//! Ownership of fields, and its transfer by writes.

use klient_structured_merge::{FieldSet, Filter, PathElement};
use serde_json::{Value, json};

use crate::live::Live;

fn replicas(count: i64) -> Value {
    json!({"metadata": {"name": "web"}, "spec": {"replicas": count}})
}

#[test]
fn who_applies_owns_what_was_sent() {
    let mut web = Live::deployment();
    web.apply("alice", json!({"metadata": {"name": "web", "labels": {"a": "1"}}, "spec": {"replicas": 3}}));
    web.owned(&["alice: .metadata.labels.a .spec.replicas"]);
    web.apply("alice", json!({"metadata": {"labels": {"a": "1"}}, "spec": {"paused": true, "replicas": 3}}));
    web.owned(&["alice: .metadata.labels.a .spec.paused .spec.replicas"]);
}

#[test]
fn applying_the_same_again_changes_nothing() {
    let mut web = Live::deployment();
    web.apply("alice", replicas(3)).apply("bob", replicas(3));
    let before = web.object.clone();
    web.apply("alice", replicas(3)).apply("bob", replicas(3));
    assert_eq!(web.object, before);
    assert_eq!(web.changes, 2);
    // Bob has changed nothing of the object, ever.
    assert_eq!(web.times(), [Some(1), None]);
}

#[test]
fn what_is_not_applied_any_more_is_removed_if_nobody_else_owns_it() {
    let mut web = Live::deployment();
    web.apply("alice", json!({"spec": {"replicas": 3, "paused": true}}));
    web.apply("bob", json!({"spec": {"paused": true}}));
    web.apply("alice", json!({"spec": {}}));
    assert_eq!(web.seen()["spec"], json!({"paused": true}));
    web.owned(&["alice: .spec", "bob: .spec.paused"]);
    web.apply("bob", json!({}));
    web.owned(&["alice: .spec"]);
    assert_eq!(web.seen()["spec"], Value::Null);
}

#[test]
fn what_somebody_else_has_set_since_stays() {
    let mut web = Live::deployment();
    web.apply("alice", replicas(3)).update("scaler", |web| web["spec"]["replicas"] = 5.into());
    web.owned(&["scaler*: .spec.replicas"]);
    web.apply("alice", json!({"metadata": {"name": "web"}}));
    assert_eq!(web.seen()["spec"]["replicas"], 5);
    web.owned(&["scaler*: .spec.replicas"]);
}

#[test]
fn two_may_own_a_field_if_they_agree() {
    let mut web = Live::deployment();
    web.apply("alice", replicas(3)).apply("bob", replicas(3));
    web.owned(&["alice: .spec.replicas", "bob: .spec.replicas"]);
    assert_eq!(
        web.refused("bob", replicas(4)),
        r#"Apply failed with 1 conflict: conflict with "alice": .spec.replicas"#
    );
}

#[test]
fn conflicts_are_told_by_manager() {
    let mut web = Live::deployment();
    web.apply("bob", json!({"spec": {"minReadySeconds": 1}}));
    web.apply("alice", json!({"spec": {"replicas": 1, "paused": true}}));
    web.update("kubectl edit", |web| web["metadata"]["labels"] = json!({"a": "1"}));
    let all = json!({
        "metadata": {"labels": {"a": "2"}},
        "spec": {"replicas": 2, "paused": false, "minReadySeconds": 2},
    });
    assert_eq!(
        web.refused("carol", all.clone()),
        concat!(
            "Apply failed with 4 conflicts: conflicts with \"alice\":\n- .spec.paused\n- .spec.replicas\n",
            "conflicts with \"bob\":\n- .spec.minReadySeconds\n",
            "conflicts with \"kubectl edit\" using apps/v1:\n- .metadata.labels.a"
        )
    );
    let error = web.try_apply("carol", &all, false).expect_err("there are conflicts");
    let causes: Vec<String> =
        error.conflicts().iter().map(|conflict| format!("{}: {}", conflict.path, conflict.cause())).collect();
    assert_eq!(causes[2], r#".spec.minReadySeconds: conflict with "bob""#);
    web.force("carol", all);
    web.owned(&[
        "carol: .metadata.labels.a .spec.minReadySeconds .spec.paused .spec.replicas",
        "kubectl edit*: .metadata.labels",
    ]);
}

#[test]
fn force_takes_only_what_changes() {
    let mut web = Live::deployment();
    web.apply("alice", json!({"spec": {"replicas": 1, "paused": true}}));
    web.force("bob", json!({"spec": {"replicas": 2, "paused": true}}));
    web.owned(&["alice: .spec.paused", "bob: .spec.paused .spec.replicas"]);
    assert_eq!(web.seen()["spec"], json!({"replicas": 2, "paused": true}));
}

#[test]
fn conflicts_name_the_subresource_of_a_manager() {
    let mut web = Live::deployment().at("status");
    web.update("controller", |web| web["status"] = json!({"replicas": 1}));
    web.owned(&["controller*/status: .status .status.replicas"]);
    web.subresource = "";
    assert_eq!(
        web.refused("alice", json!({"status": {"replicas": 2}})),
        r#"Apply failed with 1 conflict: conflict with "controller" with subresource "status" using apps/v1: .status.replicas"#
    );
}

#[test]
fn who_writes_otherwise_gets_what_is_changed_and_the_others_keep_theirs() {
    let mut web = Live::deployment();
    web.apply("alice", json!({"spec": {"replicas": 1, "paused": true}}));
    web.update("bob", |web| {
        web["spec"]["replicas"] = 2.into();
        web["spec"]["minReadySeconds"] = 7.into();
    });
    web.owned(&["alice: .spec.paused", "bob*: .spec.minReadySeconds .spec.replicas"]);
    web.update("carol", |web| web["spec"] = json!({"paused": true, "replicas": 2}));
    web.owned(&["alice: .spec.paused", "bob*: .spec.replicas"]);
}

#[test]
fn a_write_of_what_is_there_changes_nothing() {
    let mut web = Live::deployment();
    web.apply("alice", replicas(1)).update("bob", |web| web["spec"]["paused"] = true.into());
    let before = web.object.clone();
    web.update("bob", |_| {}).update("carol", |web| web["spec"]["replicas"] = json!(1.0));
    web.object["spec"]["replicas"] = 1.into();
    assert_eq!(web.object, before);
}

#[test]
fn an_object_that_nobody_owned_was_there_before() {
    let mut web = Live::deployment();
    web.object = json!({"metadata": {"name": "web", "uid": "1"}, "spec": {"replicas": 1, "paused": true}})
        .as_object()
        .cloned()
        .expect("an object");
    // Nobody has asked who owns what, yet.
    web.update("bob", |web| web["spec"]["minReadySeconds"] = 1.into());
    web.owned(&[]);
    web.apply("alice", json!({"spec": {"paused": true}}));
    web.owned(&[
        "alice: .spec.paused",
        "before-first-apply*: .spec .spec.minReadySeconds .spec.paused .spec.replicas",
    ]);
    assert_eq!(
        web.refused("alice", replicas(2)),
        r#"Apply failed with 1 conflict: conflict with "before-first-apply" using apps/v1: .spec.replicas"#
    );
}

#[test]
fn what_says_which_object_it_is_is_owned_by_nobody() {
    let mut web = Live::deployment();
    web.apply(
        "alice",
        json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {
                "name": "web", "namespace": "shop", "uid": "1", "generation": 4, "creationTimestamp": null,
                "resourceVersion": "7", "selfLink": "/", "generateName": "web-", "labels": {"a": "1"},
                "ownerReferences": [{"apiVersion": "v1", "kind": "Shop", "name": "s", "uid": "2"}],
            },
        }),
    );
    web.owned(&[r#"alice: .metadata.generateName .metadata.labels.a .metadata.ownerReferences[uid="2"]"#]);
}

#[test]
fn what_the_request_cannot_set_is_neither_owned_nor_in_conflict() {
    let status = FieldSet::from_json(r#"{"f:status":{}}"#).expect("a set");
    let mut web = Live::deployment().filter(Filter::Except(status));
    web.apply("alice", json!({"spec": {"paused": true}, "status": {"replicas": 1}}));
    web.owned(&["alice: .spec.paused"]);
    web.apply("bob", json!({"spec": {"paused": true}, "status": {"replicas": 2}}));
    web.update("carol", |web| web["status"]["replicas"] = 3.into());
    web.owned(&["alice: .spec.paused", "bob: .spec.paused"]);

    let only = Filter::Only(vec![vec![Some(PathElement::field("status"))]]);
    let mut web = Live::deployment().at("status").filter(only);
    web.apply("alice", json!({"spec": {"paused": true}, "status": {"replicas": 1}}));
    web.owned(&["alice/status: .status.replicas"]);
}

#[test]
fn a_field_that_there_is_not_is_refused() {
    let mut web = Live::deployment();
    assert_eq!(
        web.refused("alice", json!({"spec": {"template": {"spec": {"nosuch": 1}}}})),
        ".spec.template.spec.nosuch: field not declared in schema"
    );
    assert_eq!(
        web.refused("alice", json!({"spec": {"replicas": "1", "paused": 1}})),
        "errors:\n  .spec.paused: expected boolean, got &{1}\n  .spec.replicas: expected numeric (int or float), got string"
    );
    assert_eq!(
        web.refused("alice", json!({"metadata": {"managedFields": []}})),
        "metadata.managedFields must be nil"
    );
}

#[test]
fn what_kubectl_applied_on_its_side_is_taken_over_by_kubectl() {
    let annotation = "kubectl.kubernetes.io/last-applied-configuration";
    let applied = |count: i64| json!({"apiVersion": "apps/v1", "kind": "Thing", "spec": {"replicas": count}});
    let live = |applied: &Value| {
        let mut web = Live::deployment();
        web.update("kubectl-client-side-apply", |web| {
            *web = json!({"metadata": {"name": "web", "annotations": {annotation: applied.to_string()}}, "spec": {"replicas": 1}});
        });
        web
    };
    let mut web = live(&applied(1));
    assert!(web.refused("alice", replicas(2)).contains(".spec.replicas"));
    web.apply("kubectl", replicas(2));
    assert_eq!(web.seen()["spec"]["replicas"], 2);
    let kept = web.seen()["metadata"]["annotations"][annotation].clone();
    assert_eq!(
        kept,
        "{\"apiVersion\":\"apps/v1\",\"kind\":\"Thing\",\"metadata\":{\"name\":\"web\"},\"spec\":{\"replicas\":2}}\n"
    );
    // The annotation is JSON of Go's `encoding/json`.
    web.apply("kubectl", json!({"metadata": {"annotations": {"note": "\u{8}<\u{7f}\n"}}}));
    let kept = web.seen()["metadata"]["annotations"][annotation].clone();
    assert!(kept.as_str().unwrap().contains("{\"note\":\"\\b\\u003c\u{7f}\\n\"}"), "{kept}");
    // Fields that have changed since client-side apply are not kubectl's.
    for other in [applied(5), json!({"apiVersion": "apps/v1beta1", "spec": {"replicas": 1}}), json!("x")] {
        let mut web = live(&other);
        assert!(web.refused("kubectl", replicas(2)).ends_with(".spec.replicas"), "{other}");
    }
}
