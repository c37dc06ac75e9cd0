//! Maps and structs: by entry, and as one.

use klient_schema::core_v1;
use serde_json::{Value, json};

use crate::live::Live;

#[test]
fn entries_of_maps_have_owners_of_their_own() {
    let labels = |labels: Value| json!({"metadata": {"labels": labels}});
    let mut pod = Live::pod();
    pod.apply("alice", labels(json!({"a": "1", "b": "1"})));
    pod.apply("bob", labels(json!({"b": "1", "c": "1"})));
    assert_eq!(
        pod.refused("bob", labels(json!({"a": "2"}))),
        r#"Apply failed with 1 conflict: conflict with "alice": .metadata.labels.a"#
    );
    pod.apply("alice", labels(json!({})));
    assert_eq!(pod.seen()["metadata"]["labels"], json!({"b": "1", "c": "1"}));
    pod.owned(&["alice: .metadata.labels", "bob: .metadata.labels.b .metadata.labels.c"]);
}

#[test]
fn some_maps_are_one_value() {
    let selector = |key: &str| json!({"spec": {"nodeSelector": {key: "1"}}});
    let mut pod = Live::pod();
    pod.apply("alice", selector("a"));
    pod.owned(&["alice: .spec.nodeSelector"]);
    assert!(pod.refused("bob", selector("b")).ends_with(".spec.nodeSelector"));
    pod.force("bob", selector("b"));
    assert_eq!(pod.seen()["spec"]["nodeSelector"], json!({"b": "1"}));
}

#[test]
fn some_structs_are_one_value() {
    let mut web = Live::deployment();
    web.apply("alice", json!({"spec": {"selector": {"matchLabels": {"a": "1"}}}}));
    web.owned(&["alice: .spec.selector"]);
    web.force("bob", json!({"spec": {"selector": {"matchLabels": {"b": "1"}}}}));
    assert_eq!(web.seen()["spec"]["selector"], json!({"matchLabels": {"b": "1"}}));
}

#[test]
fn a_field_may_say_otherwise_than_its_type() {
    let mut volume = Live::builtin("v1", &core_v1::PERSISTENT_VOLUME);
    volume.apply("alice", json!({"spec": {"claimRef": {"name": "c"}, "nfs": {"server": "s", "path": "/"}}}));
    volume.apply("bob", json!({"spec": {"claimRef": {"namespace": "n"}}}));
    volume.owned(&[
        "alice: .spec.claimRef.name .spec.nfs.path .spec.nfs.server",
        "bob: .spec.claimRef.namespace",
    ]);
    // The same type, where nothing is said.
    let mut binding = Live::builtin("v1", &core_v1::BINDING);
    binding.apply("alice", json!({"target": {"name": "c"}})).owned(&["alice: .target"]);
}

#[test]
fn who_applies_an_empty_map_owns_it() {
    let mut pod = Live::pod();
    pod.apply("alice", json!({"spec": {"volumes": [{"name": "v", "emptyDir": {}}]}}));
    pod.owned(&[
        r#"alice: .spec.volumes[name="v"] .spec.volumes[name="v"].emptyDir .spec.volumes[name="v"].name"#,
    ]);
    pod.apply("bob", json!({"spec": {"volumes": [{"name": "v", "emptyDir": {"medium": "Memory"}}]}}));
    assert_eq!(pod.seen()["spec"]["volumes"][0]["emptyDir"], json!({"medium": "Memory"}));
}

#[test]
fn an_explicit_null_is_put_in_the_place_of_a_value() {
    let mut web = Live::deployment();
    web.apply("alice", json!({"spec": {"replicas": 1, "paused": true}}));
    web.apply("alice", json!({"spec": {"replicas": null, "paused": true}}));
    assert_eq!(web.seen()["spec"], json!({"replicas": null, "paused": true}));
    // Null for a map of entries is merged as if it were absent.
    web.apply("bob", json!({"metadata": {"labels": {"a": "1"}}}));
    web.apply("alice", json!({"metadata": {"labels": null}, "spec": {"paused": true}}));
    assert_eq!(web.seen()["metadata"]["labels"], json!({"a": "1"}));
}

#[test]
fn a_number_may_become_a_text() {
    let surge = |surge: Value| json!({"spec": {"strategy": {"rollingUpdate": {"maxSurge": surge}}}});
    let mut web = Live::deployment();
    web.apply("alice", surge(json!(1)));
    assert!(web.refused("bob", surge(json!("25%"))).ends_with(".spec.strategy.rollingUpdate.maxSurge"));
    web.apply("alice", surge(json!("25%")));
    assert_eq!(web.seen()["spec"]["strategy"]["rollingUpdate"]["maxSurge"], "25%");
}

#[test]
fn amounts_are_compared_as_they_stand() {
    let limits =
        |cpu: &str| json!({"spec": {"containers": [{"name": "a", "resources": {"limits": {"cpu": cpu}}}]}});
    let mut pod = Live::pod();
    pod.apply("alice", limits("1"));
    // Servers bring amounts into their shortest form, of the configuration too, before they are applied.
    assert!(pod.refused("bob", limits("1000m")).ends_with(".resources.limits.cpu"));
    pod.apply("bob", limits("1"));
}
