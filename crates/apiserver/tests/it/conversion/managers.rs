//! Managers of fields in another version than that of the request, which a webhook converts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::Method;
use klient_apiserver::Server;
use serde_json::{Value, json};

use super::{GADGETS_V2, converted, definition};
use crate::answer::Answer;
use crate::client::Client;
use crate::hook::{Hook, Posted, Reply};
use crate::objects::{DEFINITIONS, GADGETS};

/// The response of a webhook that converts all fields, and adds none that the version does not know.
fn exactly(posted: &Posted) -> Reply {
    let is_second = posted.request()["desiredAPIVersion"] == "a.example/v2";
    Reply::Response(converted(posted, |object| {
        let Some(spec) = object["spec"].as_object_mut() else { return };
        spec.remove("unknown");
        if !is_second {
            spec.remove("unit");
        }
    }))
}

async fn start() -> (Hook, Server, Client) {
    super::start(exactly).await
}

async fn apply(admin: &Client, version: &str, manager: &str, force: bool, spec: Value) -> Answer {
    let config = json!({
        "apiVersion": format!("a.example/{version}"), "kind": "Gadget", "metadata": {"name": "g"}, "spec": spec,
    });
    let path = if version == "v2" { GADGETS_V2 } else { GADGETS };
    let path = format!("{path}/g?fieldManager={manager}&force={force}");
    let media = [("content-type", "application/apply-patch+yaml")];
    admin.send(Method::PATCH, &path, &media, config.to_string()).await
}

/// `MANAGER VERSION: FIELDS` of each manager, sorted.
fn owners(object: &Value) -> Vec<String> {
    let entries = object["metadata"]["managedFields"].as_array().expect("it has managers").iter();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let shown = |entry: &Value| {
        let (manager, version) = (text(&entry["manager"]), text(&entry["apiVersion"]));
        format!("{manager} {version}: {}", entry["fieldsV1"]["f:spec"])
    };
    let mut all: Vec<String> = entries.map(shown).collect();
    all.sort_unstable();
    all
}

#[tokio::test]
async fn an_apply_meets_those_who_own_the_fields_in_another_version() {
    let (_hook, _server, admin) = start().await;
    apply(&admin, "v1", "alice", false, json!({"size": 1})).await.expect(201);
    let conflict = apply(&admin, "v2", "bob", false, json!({"amount": 2})).await;
    let problem = r#"Apply failed with 1 conflict: conflict with "alice": .spec.size"#;
    assert_eq!(conflict.refusal(), format!("409 {problem}"));
    assert_eq!(conflict.json()["details"]["causes"][0]["field"], ".spec.size");
    let shared = apply(&admin, "v2", "bob", false, json!({"amount": 1})).await.expect(200);
    assert_eq!(
        owners(&shared),
        [r#"alice a.example/v1: {"f:size":{}}"#, r#"bob a.example/v2: {"f:amount":{}}"#]
    );
    let forced = apply(&admin, "v2", "bob", true, json!({"amount": 2})).await.expect(200);
    assert_eq!(owners(&forced), [r#"bob a.example/v2: {"f:amount":{}}"#]);
    assert_eq!(admin.get(&format!("{GADGETS}/g")).await.expect(200)["spec"], json!({"size": 2}));
}

#[tokio::test]
async fn a_manager_goes_on_in_another_version_and_gives_up_what_it_applied_in_the_first() {
    let (_hook, _server, admin) = start().await;
    apply(&admin, "v1", "alice", false, json!({"size": 1, "replicas": 2})).await.expect(201);
    let moved = apply(&admin, "v2", "alice", false, json!({"amount": 1})).await.expect(200);
    assert_eq!(moved["spec"], json!({"amount": 1, "unit": "kg"}));
    assert_eq!(owners(&moved), [r#"alice a.example/v2: {"f:amount":{}}"#]);
    // What another owns in the first version stays.
    apply(&admin, "v1", "bob", false, json!({"size": 1})).await.expect(200);
    let left = apply(&admin, "v2", "alice", false, json!({"replicas": 1})).await.expect(200);
    assert_eq!(left["spec"], json!({"amount": 1, "replicas": 1, "unit": "kg"}));
}

#[tokio::test]
async fn an_update_takes_fields_from_those_who_own_them_in_another_version() {
    let (_hook, _server, admin) = start().await;
    apply(&admin, "v1", "alice", false, json!({"size": 1, "replicas": 2})).await.expect(201);
    let path = format!("{GADGETS_V2}/g?fieldManager=bob");
    let patched = admin.patch(&path, "merge", &json!({"spec": {"amount": 5}})).await.expect(200);
    assert_eq!(
        owners(&patched),
        [r#"alice a.example/v1: {"f:replicas":{}}"#, r#"bob a.example/v2: {"f:amount":{}}"#]
    );
}

#[tokio::test]
async fn an_apply_fails_if_the_object_cannot_be_converted_for_those_who_own_its_fields() {
    let is_broken = Arc::new(AtomicBool::new(false));
    let breaks = is_broken.clone();
    let (_hook, _server, admin) = super::start(move |posted| {
        let is_first = posted.request()["desiredAPIVersion"] == "a.example/v1";
        if breaks.load(Ordering::SeqCst) && is_first {
            return Reply::Response(json!({"result": {"status": "Failure", "message": "no way back"}}));
        }
        if posted.request()["objects"][0]["spec"]["amount"] == 13 {
            return Reply::Response(json!({"result": {"status": "Failure", "message": "a bad number"}}));
        }
        exactly(posted)
    })
    .await;
    apply(&admin, "v1", "alice", false, json!({"size": 1})).await.expect(201);
    let failed = "conversion webhook for a.example/v2, Kind=Gadget failed";
    let refused = apply(&admin, "v2", "bob", true, json!({"amount": 13})).await.refusal();
    assert_eq!(refused, format!("500 failed to convert new object: {failed}: a bad number"));
    is_broken.store(true, Ordering::SeqCst);
    let refused = apply(&admin, "v2", "bob", true, json!({"amount": 2})).await.refusal();
    assert_eq!(refused, format!("500 {failed}: no way back"));
}

#[tokio::test]
async fn an_apply_is_refused_if_fields_are_owned_in_a_version_that_is_gone() {
    let hook = Hook::start(exactly).await;
    let (_server, admin) = hook.server().await;
    let mut definition = definition(hook.at_service("/convert"));
    let mut third = definition["spec"]["versions"][0].clone();
    third["name"] = "v3".into();
    third["storage"] = false.into();
    definition["spec"]["versions"].as_array_mut().expect("it has versions").push(third);
    admin.post(DEFINITIONS, &definition).await.expect(201);
    let config = json!({
        "apiVersion": "a.example/v3", "kind": "Gadget", "metadata": {"name": "g"}, "spec": {"size": 1},
    });
    let path = format!("{}/g?fieldManager=carol", GADGETS.replace("v1", "v3"));
    let media = [("content-type", "application/apply-patch+yaml")];
    admin.send(Method::PATCH, &path, &media, config.to_string()).await.expect(201);
    let path = format!("{DEFINITIONS}/gadgets.a.example");
    let mut two = admin.get(&path).await.expect(200);
    two["spec"]["versions"].as_array_mut().expect("it has versions").pop();
    admin.put(&path, &two).await.expect(200);
    let refused = apply(&admin, "v2", "bob", false, json!({"amount": 1})).await.refusal();
    assert_eq!(refused, "500 request to convert CR to an invalid group/version: a.example/v3");
    // Other writes record nothing.
    let patch = json!({"spec": {"amount": 2}});
    let patched = admin.patch(&format!("{GADGETS_V2}/g"), "merge", &patch).await.expect(200);
    assert_eq!(owners(&patched), [r#"carol a.example/v3: {"f:size":{}}"#]);
}

#[tokio::test]
async fn without_a_webhook_the_fields_of_one_version_are_those_of_the_other() {
    let hook = Hook::start(|_| Reply::allow()).await;
    let (_server, admin) = hook.server().await;
    let mut definition = definition(Value::Null);
    definition["spec"]["conversion"] = json!({"strategy": "None"});
    let second = &mut definition["spec"]["versions"][1]["schema"]["openAPIV3Schema"]["properties"]["spec"];
    second["properties"] = json!({
        "size": {"type": "integer"}, "replicas": {"type": "integer"}, "later": {"type": "integer"},
    });
    admin.post(DEFINITIONS, &definition).await.expect(201);
    apply(&admin, "v1", "alice", false, json!({"size": 1})).await.expect(201);
    let refused = apply(&admin, "v2", "bob", false, json!({"size": 2})).await.refusal();
    assert_eq!(refused, r#"409 Apply failed with 1 conflict: conflict with "alice": .spec.size"#);
    let shared = apply(&admin, "v2", "bob", false, json!({"size": 1})).await.expect(200);
    assert_eq!(owners(&shared).len(), 2);
    // A field that the other version does not have cannot be there for those who own fields in it.
    let unknown = ".spec.later: field not declared in schema";
    let refused = apply(&admin, "v2", "carol", false, json!({"size": 1, "later": 1})).await.refusal();
    assert_eq!(refused, format!("500 failed to convert new object: {unknown}"));
    // Nor what another has who applied before.
    let refused = apply(&admin, "v2", "bob", false, json!({"size": 1, "later": 1})).await.refusal();
    let step =
        "failed to prune fields: failed add back owned items: failed to convert merged object at version";
    assert_eq!(refused, format!("500 {step} a.example/v1: {unknown}"));
    assert_eq!(hook.posted().len(), 0);
}
