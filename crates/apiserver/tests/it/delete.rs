//! Deletions: at once, marked, held, many at a time.

use http::Method;
use klient_apiserver::TestServer;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::client::{Client, sends};
use crate::events::brief;
use crate::objects::{CONFIG_MAPS, PODS, labelled, named, names, pod, text, version};

async fn delete(client: &Client, path: &str, options: Value) -> Answer {
    client.send(Method::DELETE, path, &sends("application/json"), options.to_string()).await
}

fn held(name: &str) -> Value {
    json!({"metadata": {"name": name, "finalizers": ["a.example/hold"]}})
}

#[tokio::test]
async fn a_deletion_says_what_is_gone() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let created = client.post(CONFIG_MAPS, &named("a")).await.expect(201);
    let path = format!("{CONFIG_MAPS}/a");
    let status = client.delete(&path).await.expect(200);
    let uid = text(&created, "/metadata/uid");
    assert_eq!(status["details"], json!({"name": "a", "kind": "configmaps", "uid": uid}));
    assert_eq!(status["status"], "Success");
    assert_eq!(client.delete(&path).await.refusal(), r#"404 configmaps "a" not found"#);
    client.post(PODS, &pod("p")).await.expect(201);
    assert_eq!(client.delete(&format!("{PODS}/p")).await.expect(200)["kind"], "Pod");
}

#[tokio::test]
async fn preconditions_must_hold() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let path = format!("{CONFIG_MAPS}/a");
    let created = client.post(CONFIG_MAPS, &named("a")).await.expect(201);
    let (uid, version) = (text(&created, "/metadata/uid"), text(&created, "/metadata/resourceVersion"));
    let refusal = delete(&client, &path, json!({"preconditions": {"uid": "other"}})).await.refusal();
    assert_eq!(
        refusal,
        format!(
            "409 Operation cannot be fulfilled on ConfigMap \"a\": the UID in the precondition (other) does not \
             match the UID in record ({uid}). The object might have been deleted and then recreated"
        )
    );
    let answer = delete(&client, &path, json!({"preconditions": {"resourceVersion": "1"}})).await;
    assert_eq!(answer.status, 409);
    let both = json!({"preconditions": {"uid": uid, "resourceVersion": version}});
    delete(&client, &path, both).await.expect(200);
}

#[tokio::test]
async fn a_finalizer_holds_what_is_to_go() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let path = format!("{CONFIG_MAPS}/a");
    client.post(CONFIG_MAPS, &held("a")).await.expect(201);
    let mut events =
        client.watch(&format!("{CONFIG_MAPS}?watch=1&resourceVersion={}", server.resource_version())).await;
    let marked = client.delete(&path).await.expect(200);
    let time = text(&marked, "/metadata/deletionTimestamp").to_owned();
    assert_eq!(marked["metadata"]["deletionGracePeriodSeconds"], 0);
    assert_eq!(events.brief().await, format!("MODIFIED a@{}", version(&marked)));
    let again = client.delete(&path).await.expect(200);
    assert_eq!(text(&again, "/metadata/deletionTimestamp"), time);
    assert_eq!(version(&again), version(&marked), "it is marked once");
    let refusal = client.post(CONFIG_MAPS, &named("a")).await.refusal();
    assert_eq!(refusal, r#"409 object is being deleted: configmaps "a" already exists"#);
    let more = json!({"metadata": {"finalizers": ["a.example/hold", "a.example/more"]}});
    let refusal = client.patch(&path, "merge", &more).await.refusal();
    assert!(refusal.contains("no new finalizers can be added if the object is being deleted"), "{refusal}");
    let released = client.patch(&path, "merge", &json!({"metadata": {"finalizers": null}})).await.expect(200);
    assert_eq!(released["metadata"]["finalizers"], Value::Null);
    assert_eq!(client.get(&path).await.status, 404);
    assert_eq!(events.brief().await, format!("DELETED a@{}", server.resource_version()));
}

#[tokio::test]
async fn a_pod_that_runs_is_given_time() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let path = format!("{PODS}/p");
    client.post(PODS, &pod("p")).await.expect(201);
    let binding = json!({"metadata": {"name": "p"}, "target": {"kind": "Node", "name": "n"}});
    client.post(&format!("{path}/binding"), &binding).await.expect(201);
    assert_eq!(client.post(&format!("{path}/binding"), &binding).await.status, 409);
    let grace = |object: &Value| object["metadata"]["deletionGracePeriodSeconds"].as_i64();
    assert_eq!(grace(&client.delete(&path).await.expect(200)), Some(30));
    let shorter = delete(&client, &path, json!({"gracePeriodSeconds": 5})).await.expect(200);
    assert_eq!(grace(&shorter), Some(5));
    let longer = delete(&client, &path, json!({"gracePeriodSeconds": 50})).await.expect(200);
    assert_eq!(grace(&longer), Some(5));
    let mut events =
        client.watch(&format!("{PODS}?watch=1&resourceVersion={}", server.resource_version())).await;
    client.delete(&format!("{path}?gracePeriodSeconds=0")).await.expect(200);
    let mut last = events.next().await.unwrap();
    while last["type"] == "MODIFIED" {
        last = events.next().await.unwrap();
    }
    assert_eq!(brief(&last), format!("DELETED p@{}", server.resource_version()));
    assert_eq!(client.get(&path).await.status, 404);
}

#[tokio::test]
async fn graces_beyond_all_time_are_taken() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    for (name, grace) in [("most", i64::MAX), ("least", i64::MIN)] {
        let path = format!("{PODS}/{name}");
        client.post(PODS, &pod(name)).await.expect(201);
        let binding = json!({"metadata": {"name": name}, "target": {"name": "n"}});
        client.post(&format!("{path}/binding"), &binding).await.expect(201);
        let marked = delete(&client, &path, json!({"gracePeriodSeconds": grace})).await.expect(200);
        assert!(marked["metadata"]["deletionTimestamp"].is_string(), "{marked}");
        client.get(&format!("{PODS}?fieldSelector=metadata.name={name}")).await.expect(200);
    }
}

#[tokio::test]
async fn a_pod_that_runs_nowhere_goes_at_once() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    client.post(PODS, &pod("p")).await.expect(201);
    client.delete(&format!("{PODS}/p")).await.expect(200);
    assert_eq!(client.get(&format!("{PODS}/p")).await.status, 404);
}

#[tokio::test]
async fn a_collection_goes_as_it_is_selected() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    for (name, app) in [("a", "x"), ("b", "y"), ("c", "x")] {
        client.post(CONFIG_MAPS, &labelled(name, app)).await.expect(201);
    }
    let mut kept = held("d");
    kept["metadata"]["labels"] = json!({"app": "x"});
    client.post(CONFIG_MAPS, &kept).await.expect(201);
    let deleted = client.delete(&format!("{CONFIG_MAPS}?labelSelector=app%3Dx")).await.expect(200);
    assert_eq!((text(&deleted, "/kind"), names(&deleted).len()), ("ConfigMapList", 3));
    let left = client.get(&format!("{CONFIG_MAPS}?labelSelector=app")).await.expect(200);
    assert_eq!(names(&left), ["b", "d"]);
    assert!(left["items"][1]["metadata"]["deletionTimestamp"].is_string(), "it waits for its finalizer");
    client.delete(&format!("{CONFIG_MAPS}?fieldSelector=metadata.name%3Db")).await.expect(200);
    let left = client.get(&format!("{CONFIG_MAPS}?labelSelector=app")).await.expect(200);
    assert_eq!(names(&left), ["d"]);
}

#[tokio::test]
async fn options_that_are_none_are_refused() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let path = format!("{CONFIG_MAPS}/a");
    client.post(CONFIG_MAPS, &named("a")).await.expect(201);
    for (options, code) in [
        (json!({"propagationPolicy": "Sideways"}), 422),
        (json!({"propagationPolicy": "Orphan", "orphanDependents": true}), 422),
        (json!({"dryRun": ["Some"]}), 422),
        (json!({"kind": "Pod", "apiVersion": "v1"}), 400),
        (json!({"gracePeriodSeconds": "soon"}), 400),
        (json!([]), 400),
    ] {
        let answer = delete(&client, &path, options.clone()).await;
        assert_eq!(answer.status, code, "{options}: {}", answer.refusal());
    }
    assert_eq!(client.send(Method::DELETE, &path, &sends("text/plain"), "{}").await.status, 415);
    client.get(&path).await.expect(200);
}

#[tokio::test]
async fn propagation_is_written_down_as_a_finalizer() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    for (policy, finalizer) in [("Foreground", "foregroundDeletion"), ("Orphan", "orphan")] {
        let name = policy.to_lowercase();
        client.post(CONFIG_MAPS, &named(&name)).await.expect(201);
        let path = format!("{CONFIG_MAPS}/{name}");
        let marked = delete(&client, &path, json!({"propagationPolicy": policy})).await.expect(200);
        assert_eq!(marked["metadata"]["finalizers"], json!([finalizer]));
        client.patch(&path, "merge", &json!({"metadata": {"finalizers": []}})).await.expect(200);
        assert_eq!(client.get(&path).await.status, 404);
    }
}
