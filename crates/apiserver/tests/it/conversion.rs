//! Conversion webhooks of custom resources.

mod managers;
mod undecodable;

use std::sync::atomic::{AtomicBool, Ordering};

use klient_apimachinery::meta::v1::PartialObjectMetadata;
use klient_apimachinery::{ListOptions, ResourceInfo, Sources as _, WatchEvent, WatchOptions};
use klient_apiserver::Server;
use serde_json::{Value, json};

use crate::client::{Client, soon};
use crate::hook::{Hook, MUTATING, Posted, Reply, VALIDATING, configuration, webhook};
use crate::objects::{CONFIG_MAPS, DEFINITIONS, GADGETS, gadget, gadgets, named, names, version};

const GADGETS_V2: &str = "/apis/a.example/v2/namespaces/default/gadgets";

/// Gadgets in two versions that a webhook converts: `v1`, which is stored, has `size`, and `v2` has `amount`.
fn definition(client: Value) -> Value {
    let mut definition = gadgets(json!({"type": "object", "properties": {
        "size": {"type": "integer"}, "replicas": {"type": "integer"},
    }}));
    let scale = json!({
        "status": {},
        "scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"},
    });
    definition["spec"]["versions"][0]["subresources"] = scale;
    let mut second = definition["spec"]["versions"][0].clone();
    second["name"] = "v2".into();
    second["storage"] = false.into();
    second["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"] = json!({
        "amount": {"type": "integer"}, "replicas": {"type": "integer"},
        "unit": {"type": "string", "default": "kg"},
    });
    definition["spec"]["versions"].as_array_mut().expect("it has versions").push(second);
    definition["spec"]["conversion"] = json!({"strategy": "Webhook", "webhook": {"clientConfig": client, "conversionReviewVersions": ["v1"]}});
    definition
}

/// The response of a webhook that renames the field, and changes the objects further.
fn converted(posted: &Posted, change: impl Fn(&mut Value)) -> Value {
    let desired = &posted.request()["desiredAPIVersion"];
    let objects = posted.request()["objects"].as_array().expect("it is a list").iter();
    let objects: Vec<Value> = objects
        .map(|object| {
            let mut object = object.clone();
            object["apiVersion"] = desired.clone();
            let (from, to) = if desired == "a.example/v2" { ("size", "amount") } else { ("amount", "size") };
            // It is null for what is left of an object without any field.
            if let Some(spec) = object["spec"].as_object_mut() {
                if let Some(number) = spec.remove(from) {
                    spec.insert(to.to_owned(), number);
                }
                spec.insert("unknown".to_owned(), 1.into());
            }
            change(&mut object);
            object
        })
        .collect();
    json!({"result": {"status": "Success"}, "convertedObjects": objects})
}

async fn start(reply: impl Fn(&Posted) -> Reply + Send + Sync + 'static) -> (Hook, Server, Client) {
    let hook = Hook::start(reply).await;
    let (server, admin) = hook.server().await;
    admin.post(DEFINITIONS, &definition(hook.at_service("/convert"))).await.expect(201);
    (hook, server, admin)
}

/// Makes `v2` the version that is stored.
async fn store_second(admin: &Client) {
    let path = format!("{DEFINITIONS}/gadgets.a.example");
    let mut definition = admin.get(&path).await.expect(200);
    definition["spec"]["versions"][0]["storage"] = false.into();
    definition["spec"]["versions"][1]["storage"] = true.into();
    admin.put(&path, &definition).await.expect(200);
}

/// Deletes the definition, and waits until it is gone.
async fn delete_definition(admin: &Client) {
    let path = format!("{DEFINITIONS}/gadgets.a.example");
    admin.delete(&path).await.expect(200);
    let gone = async {
        while admin.get(&path).await.status != 404 {
            tokio::task::yield_now().await;
        }
    };
    soon("the end of the definition", gone).await;
}

/// The beginning of the error of a read of a stored object that is not converted.
fn read_of(name: &str, version: u64) -> String {
    format!(
        "Internal error occurred: StorageError: corrupt object, Code: 7, Key: /a.example/gadgets/default/{name}, \
         ResourceVersion: 0, AdditionalErrorMsg: object not decodable revision={version}: "
    )
}

fn second(name: &str, amount: i64) -> Value {
    json!({
        "apiVersion": "a.example/v2", "kind": "Gadget", "metadata": {"name": name}, "spec": {"amount": amount},
    })
}

#[tokio::test]
async fn an_object_is_converted_on_every_read_and_write_in_another_version() {
    let (hook, _server, admin) = start(|posted| Reply::Response(converted(posted, |_| {}))).await;
    let mut watch = admin.watch(&format!("{GADGETS_V2}?watch=1")).await;
    let created = admin.post(GADGETS_V2, &second("g", 5)).await.expect(201);
    assert_eq!(created["apiVersion"], "a.example/v2");
    assert_eq!(created["spec"], json!({"amount": 5, "unit": "kg"}));
    // It is pruned by the schema of the version that is stored.
    let stored = admin.get(&format!("{GADGETS}/g")).await.expect(200);
    assert_eq!((&stored["apiVersion"], &stored["spec"]), (&json!("a.example/v1"), &json!({"size": 5})));
    assert_eq!(stored["metadata"], created["metadata"]);
    let event = watch.next().await.expect("the watch goes on");
    assert_eq!((&event["type"], &event["object"]), (&json!("ADDED"), &created));

    let patched = admin.patch(&format!("{GADGETS_V2}/g"), "merge", &json!({"spec": {"amount": 6}})).await;
    assert_eq!(patched.expect(200)["spec"], json!({"amount": 6, "unit": "kg"}));
    let event = watch.next().await.expect("the watch goes on");
    assert_eq!(event["object"]["spec"]["amount"], 6);
    let mut put = admin.get(&format!("{GADGETS_V2}/g")).await.expect(200);
    put["spec"]["amount"] = 7.into();
    assert_eq!(admin.put(&format!("{GADGETS_V2}/g"), &put).await.expect(200)["spec"]["amount"], 7);
    let status = json!({"status": {"phase": "Ready"}});
    let updated = admin.patch(&format!("{GADGETS_V2}/g/status"), "merge", &status).await.expect(200);
    assert_eq!((&updated["status"]["phase"], &updated["spec"]["amount"]), (&json!("Ready"), &json!(7)));
    let scaled =
        admin.patch(&format!("{GADGETS_V2}/g/scale"), "merge", &json!({"spec": {"replicas": 3}})).await;
    assert_eq!(scaled.expect(200)["spec"]["replicas"], 3);
    let stored = admin.get(&format!("{GADGETS}/g")).await.expect(200);
    assert_eq!(stored["spec"], json!({"size": 7, "replicas": 3}));

    let posted = &hook.posted()[0];
    assert_eq!(posted.path, "/convert?timeout=30s");
    assert_eq!(posted.review["apiVersion"], "apiextensions.k8s.io/v1");
    assert_eq!(posted.request()["desiredAPIVersion"], "a.example/v1");
    assert_eq!(posted.request()["objects"][0]["apiVersion"], "a.example/v2");

    let deleted = admin.delete(&format!("{GADGETS_V2}/g")).await.expect(200);
    assert_eq!(deleted["status"], "Success");
    admin.get(&format!("{GADGETS_V2}/g")).await.expect(404);
}

#[tokio::test]
async fn a_list_is_converted_at_once_and_the_stored_version_not_at_all() {
    let (hook, _server, admin) = start(|posted| Reply::Response(converted(posted, |_| {}))).await;
    for size in 0..20 {
        admin.post(GADGETS, &gadget(&format!("g{size:02}"), json!({"size": size}))).await.expect(201);
    }
    admin.get(GADGETS).await.expect(200);
    assert_eq!(hook.posted().len(), 0);
    let list = admin.get(GADGETS_V2).await.expect(200);
    let amounts: Vec<&Value> =
        list["items"].as_array().expect("it is a list").iter().map(|item| &item["spec"]["amount"]).collect();
    assert_eq!(
        amounts,
        (0..20).collect::<Vec<i64>>().iter().map(|n| json!(n)).collect::<Vec<_>>().iter().collect::<Vec<_>>()
    );
    assert_eq!(hook.posted().len(), 1);
    assert_eq!(hook.posted()[0].request()["objects"].as_array().map(Vec::len), Some(20));
}

#[tokio::test]
async fn objects_stay_in_the_version_in_which_they_were_stored_until_they_are_written() {
    let (hook, _server, admin) = start(|posted| Reply::Response(converted(posted, |_| {}))).await;
    admin.post(GADGETS, &gadget("old", json!({"size": 1}))).await.expect(201);
    store_second(&admin).await;
    admin.post(GADGETS, &gadget("new", json!({"size": 2}))).await.expect(201);
    let seen = hook.posted().len();
    let list = admin.get(GADGETS_V2).await.expect(200);
    assert_eq!(list["items"][0]["spec"], json!({"amount": 2, "unit": "kg"}));
    assert_eq!(list["items"][1]["spec"], json!({"amount": 1, "unit": "kg"}));
    let posted = hook.posted();
    assert_eq!(posted.len(), seen + 1);
    assert_eq!(posted[seen].request()["objects"][0]["metadata"]["name"], "old");
    admin.patch(&format!("{GADGETS}/old"), "merge", &json!({"spec": {"size": 3}})).await.expect(200);
    let seen = hook.posted().len();
    admin.get(GADGETS_V2).await.expect(200);
    assert_eq!(hook.posted().len(), seen);
}

#[tokio::test]
async fn an_admission_webhook_of_another_version_gets_the_converted_object() {
    let (hook, _server, admin) = start(|posted| {
        if posted.path.starts_with("/convert") {
            Reply::Response(converted(posted, |_| {}))
        } else {
            Reply::allow()
        }
    })
    .await;
    let rules = json!({ "rules": [{
        "operations": ["*"], "apiGroups": ["a.example"], "apiVersions": ["v1"], "resources": ["gadgets"],
    }] });
    let check = webhook("w.shop.example", hook.at_url("/check"), &rules);
    admin.post(VALIDATING, &configuration("w", &[check])).await.expect(201);
    admin.post(GADGETS_V2, &second("g", 5)).await.expect(201);
    let posted = hook.posted();
    let checked = posted.iter().find(|posted| posted.path.starts_with("/check")).expect("it is called");
    assert_eq!(checked.request()["object"]["apiVersion"], "a.example/v1");
    assert_eq!(checked.request()["object"]["spec"]["size"], 5);
}

#[tokio::test]
async fn a_conversion_that_is_not_valid_fails_the_request() {
    let (hook, _server, admin) = start(|posted| {
        let name = posted.request()["objects"][0]["metadata"]["name"].as_str().unwrap_or_default();
        let change = |change: fn(&mut Value)| Reply::Response(converted(posted, change));
        let review = |kind: &str, uid: &str| {
            let response = json!({"uid": uid, "result": {"status": "Success"}, "convertedObjects": []});
            Reply::Review(
                json!({"kind": kind, "apiVersion": "apiextensions.k8s.io/v1", "response": response}),
            )
        };
        match name {
            "garbage" => Reply::Raw(200, b"x".to_vec()),
            "empty" => Reply::Raw(200, Vec::new()),
            "null" => Reply::Raw(200, b"null".to_vec()),
            "status" => Reply::Review(json!({"kind": "Status", "apiVersion": "v1", "status": "Success"})),
            "down" => Reply::Raw(503, Vec::new()),
            "nothing" => {
                Reply::Review(json!({"kind": "ConversionReview", "apiVersion": "apiextensions.k8s.io/v1"}))
            }
            "kind" => review("", "u"),
            "uid" => review("ConversionReview", "other"),
            "refused" => Reply::Response(json!({"result": {"status": "Failure", "message": "no"}})),
            "silent" => Reply::Response(json!({"result": {"status": "Failure"}})),
            "none" => Reply::Response(json!({"result": {"status": "Success"}, "convertedObjects": []})),
            "version" => change(|object| object["apiVersion"] = "a.example/v3".into()),
            "other-kind" => change(|object| object["kind"] = "Widget".into()),
            "name" => change(|object| object["metadata"]["name"] = "b".into()),
            "namespace" => change(|object| object["metadata"]["namespace"] = "b".into()),
            "own-uid" => change(|object| object["metadata"]["uid"] = "b".into()),
            "bare" => {
                change(|object| drop(object.as_object_mut().and_then(|object| object.remove("metadata"))))
            }
            "labels" => change(|object| object["metadata"]["labels"] = json!({"a": 1})),
            "label" => change(|object| object["metadata"]["labels"] = json!({"a": "-"})),
            "notes" => {
                change(|object| object["metadata"]["annotations"] = json!({"a": "b".repeat(256 * 1024)}))
            }
            _ => change(|object| {
                object["metadata"]["labels"] = json!({"converted": "yes"});
                object["metadata"]["generation"] = 77.into();
                object["metadata"]["finalizers"] = json!(["a.example/kept"]);
            }),
        }
    })
    .await;
    let of = "conversion webhook for a.example/v1, Kind=Gadget";
    let cases = [
        (
            "garbage",
            r#"failed: couldn't get version/kind; json parse error: json: cannot unmarshal string into Go value of type struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }"#,
        ),
        ("empty", "failed: 0-length response with status code: 200 and content type: application/json"),
        ("status", "failed: converting (v1.Status) to (v1.ConversionReview): unknown conversion"),
        (
            "null",
            "failed: expected webhook response of apiextensions.k8s.io/v1, Kind=ConversionReview, got /, Kind=",
        ),
        ("down", "failed: the server is currently unable to handle the request"),
        ("nothing", "failed: no response provided"),
        (
            "kind",
            "failed: expected webhook response of apiextensions.k8s.io/v1, Kind=ConversionReview, got apiextensions.k8s.io/v1, Kind=",
        ),
        ("uid", r#"failed: expected response.uid="UID", got "other""#),
        ("refused", "failed: no"),
        ("silent", "failed: response.result.status was 'Failure', not 'Success'"),
        ("none", "returned 0 objects, expected 1"),
        (
            "version",
            "returned invalid object at index 0: invalid groupVersion (expected a.example/v2, received a.example/v3)",
        ),
        ("other-kind", "returned invalid object at index 0: invalid kind (expected Gadget, received Widget)"),
        ("name", "returned invalid object: must have the same name: name != b"),
        ("namespace", "returned invalid object: must have the same namespace: default != b"),
        ("own-uid", "returned invalid object: must have the same UID: OWN != b"),
        ("bare", "returned invalid object: must have the same name: bare != "),
        (
            "labels",
            "returned invalid metadata: metadata.labels[a] must be a string, but is int64 in converted object",
        ),
        (
            "label",
            "returned invalid metadata: metadata.labels: Invalid value: \"-\": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
        ),
        (
            "notes",
            "returned invalid metadata: metadata.annotation: Too long: may not be more than 262144 bytes",
        ),
    ];
    for (name, problem) in cases {
        let own = admin.post(GADGETS, &gadget(name, json!({"size": 1}))).await.expect(201);
        let read = read_of(name, version(&own));
        let own = own["metadata"]["uid"].as_str().expect("it has a UID").to_owned();
        let refusal = admin.get(&format!("{GADGETS_V2}/{name}")).await.refusal();
        let uid = hook.posted().last().and_then(|posted| posted.request()["uid"].as_str().map(str::to_owned));
        let refusal = refusal.replace(&own, "OWN").replace(&uid.unwrap_or_default(), "UID");
        assert_eq!(refusal, format!("500 {read}{of} {problem}"), "{name}");
        admin.delete(&format!("{GADGETS}/{name}")).await.expect(200);
    }
    // Labels and annotations are the webhook's, all other metadata is that of the object.
    admin.post(GADGETS, &gadget("good", json!({"size": 1}))).await.expect(201);
    let good = admin.get(&format!("{GADGETS_V2}/good")).await.expect(200);
    assert_eq!(good["metadata"]["labels"], json!({"converted": "yes"}));
    assert_eq!((&good["metadata"]["generation"], &good["metadata"]["finalizers"]), (&json!(1), &Value::Null));
}

#[tokio::test]
async fn parameters_of_policies_are_converted_to_the_version_of_their_kind() {
    let (hook, _server, admin) = start(|posted| {
        Reply::Response(converted(posted, |object| {
            if object["metadata"]["name"] == "broken" {
                object["metadata"]["name"] = "other".into();
            }
        }))
    })
    .await;
    admin.post(GADGETS, &gadget("limits", json!({"size": 5}))).await.expect(201);
    let policies = VALIDATING.replace("validatingwebhookconfigurations", "validatingadmissionpolicies");
    let policy = json!({"metadata": {"name": "p"}, "spec": {
        "paramKind": {"apiVersion": "a.example/v2", "kind": "Gadget"},
        "matchConstraints": {"resourceRules": [{
            "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"],
        }]},
        "validations": [{"expression": "int(object.data.size) <= params.spec.amount"}],
    }});
    admin.post(&policies, &policy).await.expect(201);
    let binding = json!({"metadata": {"name": "b"}, "spec": {
        "policyName": "p", "validationActions": ["Deny"],
        "paramRef": {"selector": {}, "parameterNotFoundAction": "Deny"},
    }});
    let bindings = VALIDATING.replace("validatingwebhookconfigurations", "validatingadmissionpolicybindings");
    admin.post(&bindings, &binding).await.expect(201);
    let post = async |name: &str, size: &str| {
        let object = json!({"metadata": {"name": name}, "data": {"size": size}});
        admin.post(CONFIG_MAPS, &object).await
    };
    let denied = post("c", "6").await.refusal();
    assert!(denied.contains("failed expression: int(object.data.size) <= params.spec.amount"), "{denied}");
    post("c", "5").await.expect(201);
    assert_eq!(hook.posted()[0].request()["desiredAPIVersion"], "a.example/v2");
    admin.post(GADGETS, &gadget("broken", json!({"size": 9}))).await.expect(201);
    let denied = post("d", "1").await.refusal();
    assert!(denied.contains("failed to configure binding: conversion webhook for"), "{denied}");
}

#[tokio::test]
async fn a_conversion_webhook_that_is_down_fails_what_needs_it_alone() {
    let (_hook, _server, admin) = start(|_| Reply::Raw(500, Vec::new())).await;
    let stored = admin.post(GADGETS, &gadget("g", json!({"size": 1}))).await.expect(201);
    let failed = r#"conversion webhook for a.example/v1, Kind=Gadget failed: an error on the server ("") has prevented the request from succeeding"#;
    let mut watch =
        admin.watch(&format!("{GADGETS_V2}?watch=1&resourceVersion={}", version(&stored) - 1)).await;
    let event = watch.next().await.expect("there is an error");
    let read = format!("{}{failed}", read_of("g", version(&stored)));
    assert_eq!((&event["type"], &event["object"]["message"]), (&json!("ERROR"), &json!(read)));
    assert_eq!(watch.next().await, None);
    let mut body = second("h", 1);
    body["metadata"] = named("h")["metadata"].clone();
    let refused = admin.post(GADGETS_V2, &body).await.refusal();
    assert_eq!(refused, format!("500 {}", failed.replace("example/v1", "example/v2")));
    admin.get(GADGETS).await.expect(200);
    admin.delete(&format!("{GADGETS}/g")).await.expect(200);
    // The definition can be deleted without its webhook.
    admin.post(GADGETS, &gadget("g", json!({"size": 1}))).await.expect(201);
    delete_definition(&admin).await;
}

#[tokio::test]
async fn a_definition_whose_second_version_is_stored_is_deleted_without_its_webhook() {
    let (_hook, _server, admin) = start(|_| Reply::Raw(500, Vec::new())).await;
    store_second(&admin).await;
    admin.post(GADGETS_V2, &second("g", 1)).await.expect(201);
    delete_definition(&admin).await;
}

#[tokio::test]
async fn an_update_without_changes_stores_an_object_in_the_version_that_is_stored_now() {
    let (hook, _server, admin) = start(|posted| Reply::Response(converted(posted, |_| {}))).await;
    admin.post(GADGETS, &gadget("g", json!({"size": 1}))).await.expect(201);
    store_second(&admin).await;
    let path = format!("{GADGETS}/g");
    let before = admin.get(&path).await.expect(200);
    let after = admin.put(&path, &before).await.expect(200);
    assert_ne!(version(&after), version(&before));
    assert_eq!(after["metadata"]["managedFields"], before["metadata"]["managedFields"]);
    let seen = hook.posted().len();
    let served = admin.get(&format!("{GADGETS_V2}/g")).await.expect(200);
    assert_eq!(served["spec"], json!({"amount": 1, "unit": "kg"}));
    assert_eq!(hook.posted().len(), seen, "it is stored in this version");
    let again = admin.get(&path).await.expect(200);
    assert_eq!(admin.put(&path, &again).await.expect(200), again);
}

#[tokio::test]
async fn a_change_whose_conversion_is_not_awaited_is_read_later() {
    let waits = AtomicBool::new(true);
    let (hook, server, admin) = start(move |posted| {
        if waits.swap(false, Ordering::SeqCst) {
            return Reply::Never;
        }
        Reply::Response(converted(posted, |_| {}))
    })
    .await;
    let info = ResourceInfo::from_static("a.example", "v2", "Gadget", "gadgets", true);
    let source = server.local().list_watch::<PartialObjectMetadata>(&info, None);
    let from = version(&admin.get(GADGETS).await.expect(200)).to_string();
    let options = WatchOptions { resource_version: Some(from.into()), ..WatchOptions::default() };
    let mut watch = source.watch(&options).await.expect("it is served");
    for name in ["a", "b"] {
        admin.post(GADGETS, &gadget(name, json!({"size": 1}))).await.expect(201);
    }
    let mut events = Vec::new();
    let called = async {
        while hook.posted().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        read = watch.next(&mut events) => panic!("the webhook does not answer: {}", read.is_ok()),
        () = soon("the call of the webhook", called) => {}
    }
    while events.len() < 2 {
        soon("an event", watch.next(&mut events)).await.expect("the watch goes on");
    }
    let added = events.iter().filter(|event| matches!(event, WatchEvent::Added(_)));
    assert_eq!((added.count(), events.len()), (2, 2));
}

#[tokio::test]
async fn a_conversion_webhook_that_never_answers_has_the_time_of_its_request() {
    let (hook, _server, admin) = start(|_| Reply::Never).await;
    let stored = admin.post(GADGETS, &gadget("g", json!({"size": 1}))).await.expect(201);
    let url = "https://hook.shop.svc:443/convert?timeout=30s";
    let timed_out = format!(
        r#"conversion webhook for a.example/v1, Kind=Gadget failed: Post "{url}": context deadline exceeded"#
    );
    let path = format!("{GADGETS_V2}/g?timeout=100ms");
    let read = format!("500 {}{timed_out}", read_of("g", version(&stored)));
    assert_eq!(soon("an answer", admin.get(&path)).await.refusal(), read);
    let patch = json!({"spec": {"amount": 2}});
    let written = format!("500 object not decodable revision={}: {timed_out}", version(&stored));
    assert_eq!(soon("an answer", admin.patch(&path, "merge", &patch)).await.refusal(), written);
    assert_eq!(hook.posted().len(), 2);
    // A watch ends as if nothing had happened.
    let listed = admin.get(GADGETS).await.expect(200);
    let before = version(&listed) - 1;
    for from in [String::new(), format!("&resourceVersion={before}")] {
        let mut watch = admin.watch(&format!("{GADGETS_V2}?watch=1&timeoutSeconds=1{from}")).await;
        assert_eq!(soon("the end of the watch", watch.next()).await, None, "{from}");
    }
    assert_eq!(hook.posted().len(), 4);
}

#[tokio::test]
async fn a_connection_to_a_webhook_is_used_on_the_runtime_that_drives_it() {
    let (hook, server, admin) = start(|posted| Reply::Response(converted(posted, |_| {}))).await;
    admin.post(GADGETS, &gadget("g", json!({"size": 1}))).await.expect(201);
    let info = ResourceInfo::from_static("a.example", "v2", "Gadget", "gadgets", true);
    let source = server.local().list_watch::<PartialObjectMetadata>(&info, None);
    // The other runtime still exists, and nothing drives it.
    let other = tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("the machine has room for one");
        runtime
            .block_on(async { source.list(&ListOptions::default()).await.map(drop) })
            .expect("it is served");
        runtime
    });
    let other = other.await.expect("it does not panic");
    assert_eq!((hook.posted().len(), hook.connections()), (1, 1));
    admin.get(&format!("{GADGETS_V2}/g")).await.expect(200);
    assert_eq!((hook.posted().len(), hook.connections()), (2, 2));
    tokio::task::spawn_blocking(move || drop(other)).await.expect("it ends");
}

#[tokio::test]
async fn a_deleted_object_is_admitted_as_the_version_of_the_request_shows_it() {
    let hook = Hook::start(|_| Reply::allow()).await;
    let (_server, admin) = hook.server().await;
    let mut definition = definition(Value::Null);
    definition["spec"]["conversion"] = json!({"strategy": "None"});
    admin.post(DEFINITIONS, &definition).await.expect(201);
    let rules = json!({ "rules": [{
        "operations": ["DELETE"], "apiGroups": ["a.example"], "apiVersions": ["*"], "resources": ["gadgets"],
    }] });
    let check = webhook("w.shop.example", hook.at_url("/check"), &rules);
    admin.post(VALIDATING, &configuration("w", &[check])).await.expect(201);
    admin.post(GADGETS, &gadget("g", json!({"size": 1, "replicas": 2}))).await.expect(201);
    admin.delete(&format!("{GADGETS_V2}/g")).await.expect(200);
    let posted = hook.posted();
    let old = &posted[0].request()["oldObject"];
    assert_eq!(old["apiVersion"], "a.example/v2");
    // The default of a version that is not stored is not set.
    assert_eq!(old["spec"], json!({"replicas": 2}));
}

#[tokio::test]
async fn an_object_that_a_webhook_nests_too_deep_is_not_stored() {
    let (_hook, _server, admin) = start(|posted| {
        let deep = (0..105).fold(json!(1), |inner, _| json!({ "a": inner }));
        Reply::Response(converted(posted, |object| object["status"] = deep.clone()))
    })
    .await;
    let path = format!("{DEFINITIONS}/gadgets.a.example");
    let pointer = "/spec/versions/0/schema/openAPIV3Schema/properties/status";
    let preserve = json!([{"op": "add", "path": format!("{pointer}/x-kubernetes-preserve-unknown-fields"), "value": true}]);
    admin.patch(&path, "json", &preserve).await.expect(200);
    for query in ["", "?dryRun=All"] {
        let refusal = admin.post(&format!("{GADGETS_V2}{query}"), &second("g", 5)).await.refusal();
        assert_eq!(refusal, "400 exceeded max depth: an object is nested 100 deep at most");
    }
    assert_eq!(names(&admin.get(GADGETS).await.expect(200)), [""; 0]);
    admin.post(GADGETS, &gadget("g", json!({"size": 1}))).await.expect(201);
    // What is converted is too deep to be patched, too.
    let patch = json!({"spec": {"amount": 6}});
    let refusal = admin.patch(&format!("{GADGETS_V2}/g"), "merge", &patch).await.refusal();
    assert!(refusal.starts_with("422 ") && refusal.ends_with("exceeded max depth"), "{refusal}");
    assert_eq!(admin.get(&format!("{GADGETS}/g")).await.expect(200)["spec"]["size"], 1);
    delete_definition(&admin).await;
}

/// Upstream the accessor of versions and its caller each say that the error is internal; the storage says nothing.
#[tokio::test]
async fn a_conversion_for_an_admission_webhook_fails_in_other_words_than_one_for_the_storage() {
    let (hook, _server, admin) = start(|_| Reply::Raw(500, Vec::new())).await;
    let rules = json!({ "rules": [{
        "operations": ["*"], "apiGroups": ["a.example"], "apiVersions": ["v1"], "resources": ["gadgets"],
    }] });
    let failed = r#"conversion webhook for a.example/v2, Kind=Gadget failed: an error on the server ("") has prevented the request from succeeding"#;
    let stored = admin.post(GADGETS_V2, &second("g", 5)).await;
    assert_eq!(stored.refusal(), format!("500 {failed}"));
    assert_eq!(stored.json()["reason"], Value::Null);
    for kind in [VALIDATING, MUTATING] {
        let check = webhook("w.shop.example", hook.at_url("/check"), &rules);
        admin.post(kind, &configuration("w", &[check])).await.expect(201);
        let admitted = admin.post(GADGETS_V2, &second("g", 5)).await;
        let twice = "Internal error occurred: Internal error occurred:";
        assert_eq!(admitted.refusal(), format!("500 {twice} {failed}"));
        assert_eq!(admitted.json()["reason"], "InternalError");
        admin.delete(&format!("{kind}/w")).await.expect(200);
    }
}
