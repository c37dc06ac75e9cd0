//! Stored objects that a webhook does not convert, in the words of a real kube-apiserver.
//!
//! Its watch cache answers some of these requests from what it converted before, or with a 429 until it has converted all
//! objects. The answers here are those of its storage.

use http::Method;
use serde_json::{Value, json};

use super::{GADGETS_V2, converted, second, start};
use crate::answer::Answer;
use crate::client::Client;
use crate::hook::{Posted, Reply};
use crate::objects::{GADGETS, gadget, names, version};

const PROBLEM: &str = "conversion webhook for a.example/v1, Kind=Gadget failed: no";

/// The response of a webhook that converts no object named `bad` to `v2`.
fn without_bad(posted: &Posted) -> Reply {
    let request = posted.request();
    let mut objects = request["objects"].as_array().into_iter().flatten();
    let is_bad = objects.any(|object| object["metadata"]["name"] == "bad");
    if is_bad && request["desiredAPIVersion"] == "a.example/v2" {
        return Reply::Response(json!({"result": {"status": "Failure", "message": "no"}}));
    }
    Reply::Response(converted(posted, |_| {}))
}

async fn put(admin: &Client, query: &str) -> Answer {
    let mut body = second("bad", 2);
    body["metadata"]["resourceVersion"] = "1".into();
    admin.put(&format!("{GADGETS_V2}/bad{query}"), &body).await
}

async fn apply(admin: &Client, name: &str) -> Answer {
    let path = format!("{GADGETS_V2}/{name}?fieldManager=m");
    let media = [("content-type", "application/apply-patch+yaml")];
    admin.send(Method::PATCH, &path, &media, second(name, 2).to_string()).await
}

/// Code, reason and message of an answer.
fn refusal(answer: &Answer) -> (u16, Value, Value) {
    let status = answer.json();
    (answer.status.as_u16(), status["reason"].clone(), status["message"].clone())
}

#[tokio::test]
async fn a_stored_object_that_is_not_converted_is_named_by_its_key() {
    let (_hook, _server, admin) = start(without_bad).await;
    let bad = admin.post(GADGETS, &gadget("bad", json!({"size": 1}))).await.expect(201);
    let path = format!("{GADGETS_V2}/bad");
    let undecodable = format!("object not decodable revision={}: {PROBLEM}", version(&bad));
    let corrupt = format!(
        "StorageError: corrupt object, Code: 7, Key: /a.example/gadgets/default/bad, ResourceVersion: 0, \
         AdditionalErrorMsg: {undecodable}"
    );
    let merge = json!({"spec": {"amount": 2}});

    let table = "application/json;as=Table;v=v1;g=meta.k8s.io";
    let reads = [
        admin.get(&path).await,
        admin.get(&format!("{path}?resourceVersion=0")).await,
        admin.get_as(&path, table).await,
        admin.get(&format!("{path}/status")).await,
        admin.get(&format!("{path}/scale")).await,
        admin.patch(&format!("{path}?dryRun=All"), "merge", &merge).await,
        put(&admin, "?dryRun=All").await,
        admin.delete(&path).await,
        admin.delete(&format!("{path}?dryRun=All")).await,
        admin.delete(&format!("{path}?uid=other")).await,
    ];
    for answer in reads {
        let message = format!("Internal error occurred: {corrupt}");
        assert_eq!(refusal(&answer), (500, json!("InternalError"), json!(message)));
        assert_eq!(answer.json()["details"], json!({"causes": [{"message": corrupt}]}));
    }
    let json_patch = json!([{"op": "add", "path": "/spec/amount", "value": 2}]);
    let status = json!({"status": {"phase": "Ready"}});
    let writes = [
        admin.patch(&path, "merge", &merge).await,
        admin.patch(&path, "json", &json_patch).await,
        apply(&admin, "bad").await,
        admin.patch(&format!("{path}/status"), "merge", &status).await,
        admin.patch(&format!("{path}/scale"), "merge", &json!({"spec": {"replicas": 2}})).await,
        put(&admin, "").await,
    ];
    for answer in writes {
        assert_eq!(refusal(&answer), (500, Value::Null, json!(undecodable)));
        assert_eq!(answer.json()["details"], Value::Null);
    }
    let missing = admin.get(&format!("{GADGETS_V2}/missing")).await.refusal();
    assert_eq!(missing, r#"404 gadgets.a.example "missing" not found"#);
    assert_eq!(admin.get(&format!("{GADGETS}/bad")).await.expect(200)["spec"]["size"], 1);
}

#[tokio::test]
async fn a_written_object_that_is_not_converted_back_is_stored_all_the_same() {
    let (_hook, _server, admin) = start(without_bad).await;
    let dry = admin.post(&format!("{GADGETS_V2}?dryRun=All"), &second("bad", 2)).await;
    assert_eq!(refusal(&dry), (500, Value::Null, json!(PROBLEM)));
    let undecodable =
        |object: &Value| json!(format!("object not decodable revision={}: {PROBLEM}", version(object)));
    for is_applied in [false, true] {
        let answer = if is_applied {
            apply(&admin, "bad").await
        } else {
            admin.post(GADGETS_V2, &second("bad", 2)).await
        };
        let stored = admin.get(&format!("{GADGETS}/bad")).await.expect(200);
        assert_eq!(refusal(&answer), (500, Value::Null, undecodable(&stored)));
        assert_eq!(stored["spec"], json!({"size": 2}));
        admin.delete(&format!("{GADGETS}/bad")).await.expect(200);
    }
}

#[tokio::test]
async fn a_list_names_the_objects_that_are_not_converted() {
    let (hook, _server, admin) = start(without_bad).await;
    let bad = admin.post(GADGETS, &gadget("bad", json!({"size": 1}))).await.expect(201);
    for name in ["a", "c", "d"] {
        admin.post(GADGETS, &gadget(name, json!({"size": 1}))).await.expect(201);
    }
    let key = "/registry/a.example/gadgets/default/bad";
    let corrupt = format!(
        "StorageError: corrupt object, Code: 7, Key: {key}, ResourceVersion: 0, AdditionalErrorMsg: object not \
         decodable revision={}: {PROBLEM}",
        version(&bad)
    );
    let message = format!("failed to read one or more gadgets.a.example from the storage: {corrupt}");
    let cause = json!({"reason": "UnexpectedServerResponse", "message": corrupt, "field": key});
    let details = json!({"name": "list", "group": "a.example", "kind": "gadgets", "causes": [cause]});
    for answer in [admin.get(GADGETS_V2).await, admin.get(&format!("{GADGETS_V2}?limit=2")).await] {
        assert_eq!(refusal(&answer), (500, json!("StorageReadError"), json!(message)));
        assert_eq!(answer.json()["details"], details);
    }
    let answer = admin.delete(GADGETS_V2).await;
    assert_eq!(refusal(&answer), (500, json!("StorageReadError"), json!(message)));
    let mut watch = admin.watch(&format!("{GADGETS_V2}?watch=1")).await;
    let event = watch.next().await.expect("there is an error");
    assert_eq!((&event["type"], &event["object"]["message"]), (&json!("ERROR"), &json!(message)));
    // What is not read is not converted.
    let first = admin.get(&format!("{GADGETS_V2}?limit=1")).await.expect(200);
    assert_eq!(names(&first), ["a"]);
    let good = admin.get(&format!("{GADGETS_V2}?fieldSelector=metadata.name!%3Dbad")).await.expect(200);
    assert_eq!(names(&good), ["a", "c", "d"]);
    // Objects are converted one by one after those together have failed, and no more.
    let calls = hook.posted().len();
    admin.get(GADGETS_V2).await;
    assert_eq!(hook.posted().len() - calls, 5);
}

#[tokio::test]
async fn a_list_of_more_objects_than_are_named_ends_at_the_hundredth() {
    let (hook, _server, admin) = start(|_| Reply::Raw(500, Vec::new())).await;
    for index in 0..120 {
        admin.post(GADGETS, &gadget(&format!("g{index:03}"), json!({"size": 1}))).await.expect(201);
    }
    let answer = admin.get(GADGETS_V2).await;
    let message = answer.json()["message"].as_str().map(str::to_owned).unwrap_or_default();
    assert!(message.ends_with("has prevented the request from succeeding (and 99 more)"), "{message}");
    let causes = answer.json()["details"]["causes"].clone();
    assert_eq!(causes[99]["field"], "/registry/a.example/gadgets/default/g099");
    let last = json!({"reason": "FieldValueTooMany", "message": "too many errors, the list is truncated"});
    assert_eq!((&causes[100], &causes[101]), (&last, &Value::Null));
    assert_eq!(hook.posted().len(), 101);
}

#[tokio::test]
async fn an_object_that_is_not_converted_is_deleted_unread() {
    let (_hook, _server, admin) = start(without_bad).await;
    let mut held = gadget("bad", json!({"size": 1}));
    held["metadata"]["finalizers"] = json!(["a.example/held"]);
    let stored = admin.post(GADGETS, &held).await.expect(201);
    let mut watch = admin.watch(&format!("{GADGETS}?watch=1&resourceVersion={}", version(&stored))).await;
    let query = "ignoreStoreReadErrorWithClusterBreakingPotential=true";
    let readable = admin.delete(&format!("{GADGETS}/bad?{query}")).await.refusal();
    assert!(readable.contains("because the object is decodable from storage"), "{readable}");
    for options in ["&dryRun=All", ""] {
        admin.get(&format!("{GADGETS}/bad")).await.expect(200);
        let deleted = admin.delete(&format!("{GADGETS_V2}/bad?{query}{options}")).await.expect(200);
        let details = json!({"name": "bad", "kind": "Gadget"});
        assert_eq!((&deleted["status"], &deleted["code"]), (&json!("Success"), &json!(200)));
        assert_eq!(deleted["details"], details);
    }
    admin.get(&format!("{GADGETS}/bad")).await.expect(404);
    let event = watch.next().await.expect("the watch goes on");
    assert_eq!((&event["type"], &event["object"]["spec"]), (&json!("DELETED"), &json!({"size": 1})));
}
