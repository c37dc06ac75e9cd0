//! Lists: by key, by value, and as one.

use klient_schema::{core_v1, resource_v1};
use serde_json::{Value, json};

use crate::live::Live;

fn containers(items: Value) -> Value {
    json!({"spec": {"containers": items}})
}

fn names(pod: &Live) -> Vec<String> {
    let items = pod.seen()["spec"]["containers"].as_array().cloned().unwrap_or_default();
    items.iter().map(|item| item["name"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn items_of_two_managers_stand_beside_each_other() {
    let mut pod = Live::pod();
    pod.apply("alice", containers(json!([{"name": "a"}, {"name": "b"}])));
    pod.apply("bob", containers(json!([{"name": "c"}, {"name": "b"}])));
    assert_eq!(names(&pod), ["a", "c", "b"]);
    pod.owned(&[
        r#"alice: .spec.containers[name="a"] .spec.containers[name="b"] .spec.containers[name="a"].name .spec.containers[name="b"].name"#,
        r#"bob: .spec.containers[name="b"] .spec.containers[name="c"] .spec.containers[name="b"].name .spec.containers[name="c"].name"#,
    ]);
    pod.apply("alice", containers(json!([{"name": "b"}])));
    assert_eq!(names(&pod), ["c", "b"]);
    pod.apply("alice", json!({}));
    assert_eq!(names(&pod), ["c", "b"]);
}

#[test]
fn order_is_that_of_the_configuration_for_the_items_it_has() {
    for (live, config, merged) in [
        ("abc", "cba", "cba"),
        ("abcd", "db", "acdb"),
        ("abcd", "xby", "axbcdy"),
        ("ab", "xy", "abxy"),
        ("abc", "ca", "bca"),
        ("abcde", "eca", "bdeca"),
        ("", "ab", "ab"),
        ("ab", "", "ab"),
    ] {
        let list =
            |names: &str| containers(names.chars().map(|name| json!({"name": name.to_string()})).collect());
        let mut pod = Live::pod();
        pod.update("alice", |pod| *pod = list(live));
        pod.apply("bob", list(config));
        assert_eq!(names(&pod).concat(), merged, "{live} and {config}");
    }
}

#[test]
fn an_item_stays_with_the_fields_of_those_who_still_own_it() {
    let mut pod = Live::pod();
    pod.apply("alice", containers(json!([{"name": "a", "image": "i", "tty": true}])));
    pod.apply("bob", containers(json!([{"name": "a", "image": "i"}])));
    pod.apply("alice", json!({"metadata": {"name": "p"}}));
    assert_eq!(pod.seen()["spec"]["containers"], json!([{"name": "a", "image": "i"}]));
    pod.apply("bob", json!({"metadata": {"name": "p"}}));
    assert_eq!(pod.seen()["spec"]["containers"], Value::Null);
}

#[test]
fn what_nobody_owns_goes_with_its_item() {
    let mut pod = Live::pod();
    pod.apply("alice", containers(json!([{"name": "a"}, {"name": "b"}])));
    // As defaulting does it.
    pod.object["spec"]["containers"][0]["imagePullPolicy"] = "Always".into();
    pod.apply("alice", containers(json!([{"name": "b"}])));
    assert_eq!(pod.seen()["spec"]["containers"], json!([{"name": "b"}]));
}

#[test]
fn lists_may_have_several_keys_with_defaults() {
    let ports = |ports: Value| containers(json!([{"name": "a", "ports": ports}]));
    let mut pod = Live::pod();
    pod.apply(
        "alice",
        ports(json!([{"containerPort": 53}, {"containerPort": 53, "protocol": "UDP", "name": "dns"}])),
    );
    pod.apply("bob", ports(json!([{"containerPort": 53, "protocol": "TCP", "name": "dns-tcp"}])));
    assert_eq!(
        pod.seen()["spec"]["containers"][0]["ports"],
        json!([
            {"containerPort": 53, "protocol": "TCP", "name": "dns-tcp"},
            {"containerPort": 53, "protocol": "UDP", "name": "dns"},
        ])
    );
    let bob = pod.owners()[1].clone();
    assert!(bob.contains(r#".ports[containerPort=53,protocol="TCP"].name"#), "{bob}");
}

#[test]
fn items_that_stand_twice_are_refused_in_configurations_only() {
    let env = |env: Value| containers(json!([{"name": "a", "env": env}]));
    let twice = || env(json!([{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]));
    let mut pod = Live::pod();
    assert_eq!(
        pod.refused("alice", twice()),
        r#".spec.containers[name="a"].env: duplicate entries for key [name="A"]"#
    );
    pod.update("bob", |pod| *pod = twice());
    pod.owned(&[
        r#"bob*: .spec .spec.containers .spec.containers[name="a"] .spec.containers[name="a"].env .spec.containers[name="a"].name .spec.containers[name="a"].env[name="A"]"#,
    ]);
    pod.apply("alice", env(json!([{"name": "B", "value": "3"}])));
    let seen = pod.seen()["spec"]["containers"][0]["env"].clone();
    assert_eq!(
        seen,
        json!([{"name": "A", "value": "1"}, {"name": "A", "value": "2"}, {"name": "B", "value": "3"}])
    );
    // A write of one of the duplicates sets all of them.
    pod.force("alice", env(json!([{"name": "A", "value": "3"}])));
    assert_eq!(pod.seen()["spec"]["containers"][0]["env"], json!([{"name": "A", "value": "3"}]));
}

#[test]
fn sets_are_merged_by_value() {
    let finalizers = |items: Value| json!({"metadata": {"finalizers": items}});
    let mut pod = Live::pod();
    pod.apply("alice", finalizers(json!(["x/a", "x/b"])));
    pod.apply("bob", finalizers(json!(["x/b", "x/c"])));
    assert_eq!(pod.seen()["metadata"]["finalizers"], json!(["x/a", "x/b", "x/c"]));
    pod.apply("alice", finalizers(json!([])));
    assert_eq!(pod.seen()["metadata"]["finalizers"], json!(["x/b", "x/c"]));
    pod.owned(&[r#"bob: .metadata.finalizers[="x/b"] .metadata.finalizers[="x/c"]"#]);
    assert_eq!(
        pod.refused("alice", finalizers(json!(["x/a", "x/a"]))),
        r#".metadata.finalizers: duplicate entries for key [="x/a"]"#
    );
}

#[test]
fn other_lists_are_one_value() {
    let mut pod = Live::pod();
    pod.apply(
        "alice",
        json!({"spec": {"tolerations": [{"key": "a"}], "containers": [{"name": "a", "args": ["-v"]}]}}),
    );
    assert_eq!(
        pod.refused("bob", json!({"spec": {"tolerations": [{"key": "b"}]}})),
        r#"Apply failed with 1 conflict: conflict with "alice": .spec.tolerations"#
    );
    assert_eq!(
        pod.refused("bob", containers(json!([{"name": "a", "args": ["-v", "-x"]}]))),
        r#"Apply failed with 1 conflict: conflict with "alice": .spec.containers[name="a"].args"#
    );
    pod.force("bob", containers(json!([{"name": "a", "args": ["-x"]}])));
    assert_eq!(pod.seen()["spec"]["containers"][0]["args"], json!(["-x"]));
}

#[test]
fn an_item_may_lack_some_of_its_keys_but_not_all() {
    let devices = |items: Value| json!({"spec": {"devices": {}}, "status": {"devices": items}});
    let mut claim = Live::builtin("resource.k8s.io/v1", &resource_v1::RESOURCE_CLAIM);
    let device = json!({"driver": "d", "pool": "p", "device": "0"});
    let mut shared = device.clone();
    shared["shareID"] = "s".into();
    claim.apply("alice", devices(json!([device, shared])));
    assert_eq!(claim.seen()["status"]["devices"].as_array().map(Vec::len), Some(2));

    let mut pod = Live::pod();
    assert_eq!(
        pod.refused("alice", json!({"spec": {"volumes": [{"name": "v"}], "hostAliases": [null]}})),
        ".spec.hostAliases: element 0: associative list with keys may not have a null element"
    );
    // The names of containers are empty when they are not set.
    pod.apply("alice", containers(json!([{"image": "i"}])));
    assert!(pod.owners()[0].contains(r#".spec.containers[name=""]"#));
    let schema = json!({"type": "object", "properties": {"items": {
        "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
        "items": {"type": "object", "properties": {"name": {"type": "string"}, "size": {"type": "integer"}}},
    }}});
    let schema =
        klient_structured_merge::Schema::structural(crate::live::object(&schema), false).expect("a schema");
    assert_eq!(
        Live::new("example.com/v1", schema).refused("alice", json!({"items": [{"size": 1}]})),
        r#".items: element 0: associative list with keys has an element that omits all key fields ["name"] (and doesn't have default values for any key fields)"#
    );
}

#[test]
fn nothing_is_owned_of_an_empty_list() {
    let mut pod = Live::pod();
    pod.apply("alice", json!({"metadata": {"name": "p"}, "spec": {"hostAliases": [], "nodeName": "n"}}));
    pod.owned(&["alice: .spec.nodeName"]);
    pod.apply("bob", json!({"spec": {"hostAliases": [{"ip": "10.0.0.1"}]}}));
    pod.apply("alice", json!({"metadata": {"name": "p"}, "spec": {"hostAliases": [], "nodeName": "n"}}));
    assert_eq!(pod.seen()["spec"]["hostAliases"], json!([{"ip": "10.0.0.1"}]));
}

#[test]
fn lists_stand_within_items_of_lists() {
    let env = |name: &str| containers(json!([{"name": "a", "env": [{"name": name, "value": "1"}]}]));
    let mut pod = Live::pod();
    pod.apply("alice", env("A")).apply("bob", env("B"));
    pod.apply("alice", containers(json!([{"name": "a"}])));
    assert_eq!(
        pod.seen()["spec"]["containers"],
        json!([{"name": "a", "env": [{"name": "B", "value": "1"}]}])
    );
}

#[test]
fn items_that_are_one_value_are_owned_whole() {
    let mut account = Live::builtin("v1", &core_v1::SERVICE_ACCOUNT);
    account.apply(
        "alice",
        json!({"imagePullSecrets": [{"name": "a"}], "secrets": [{"name": "s", "namespace": "n"}]}),
    );
    account.owned(&[r#"alice: .imagePullSecrets .secrets[name="s"]"#]);
}
