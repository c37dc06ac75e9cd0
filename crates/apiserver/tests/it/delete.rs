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

#[tokio::test]
async fn a_body_takes_the_place_of_the_query() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let path = format!("{CONFIG_MAPS}/a");
    for (query, body, is_kept) in [
        ("dryRun=All", r#"{"dryRun": ["All"]}"#, true),
        ("", r#"{"dryRun": ["All"]}"#, true),
        ("dryRun=All", "", true),
        ("dryRun=All", "{}", false),
        ("dryRun=Some", "null", false),
        ("gracePeriodSeconds=soon", r#"{"kind": "DeleteOptions", "apiVersion": "any.example/v9"}"#, false),
    ] {
        client.post(CONFIG_MAPS, &named("a")).await;
        let url = format!("{path}?{query}");
        client.send(Method::DELETE, &url, &sends("application/json"), body).await.expect(200);
        assert_eq!(client.get(&path).await.status == 200, is_kept, "{query} {body}");
    }
}

#[tokio::test]
async fn bodies_that_are_no_options_are_refused_in_go_s_words() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let struct_ = r#"struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }"#;
    let array = format!("json: cannot unmarshal array into Go value of type {struct_}");
    let no_kind = |problem: &str| format!("couldn't get version/kind; json parse error: {problem}");
    let scheme = r#"in scheme "pkg/runtime/scheme.go:111""#;
    for (body, problem) in [
        ("[]", no_kind(&array)),
        ("{", no_kind("unexpected end of JSON input")),
        ("{}x", no_kind("invalid character 'x' after top-level value")),
        (
            r#"{"kind": 3}"#,
            no_kind("json: cannot unmarshal number into Go struct field .kind of type string"),
        ),
        (
            r#"{"gracePeriodSeconds": "soon"}"#,
            "json: cannot unmarshal string into Go struct field DeleteOptions.gracePeriodSeconds of type int64".into(),
        ),
        (
            r#"{"dryRun": "All"}"#,
            "json: cannot unmarshal string into Go struct field DeleteOptions.dryRun of type []string".into(),
        ),
        (r#"{"kind": "Foo"}"#, format!(r#"no kind "Foo" is registered for version "meta.k8s.io/v1" {scheme}"#)),
        (
            r#"{"kind": "Pod", "apiVersion": "v1"}"#,
            format!(r#"no kind "Pod" is registered for version "v1" {scheme}"#),
        ),
        (
            r#"{"kind": "Status", "apiVersion": "v1"}"#,
            "converting (v1.Status) to (v1.DeleteOptions): unknown conversion".into(),
        ),
        (r#"{"apiVersion": "a/b/c"}"#, "unexpected GroupVersion string: a/b/c".into()),
    ] {
        for path in [format!("{CONFIG_MAPS}/a"), CONFIG_MAPS.to_owned()] {
            let answer = client.send(Method::DELETE, &path, &sends("application/json"), body).await;
            assert_eq!(answer.refusal(), format!("400 {problem}"), "{body}");
        }
    }
}

#[tokio::test]
async fn preconditions_are_taken_from_the_query_too() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let created = client.post(CONFIG_MAPS, &named("a")).await.expect(201);
    let selected = format!("{CONFIG_MAPS}?fieldSelector=metadata.name%3Da&");
    for path in [format!("{CONFIG_MAPS}/a?"), selected] {
        let refusal = client.delete(&format!("{path}uid=other")).await.refusal();
        assert!(refusal.contains("the UID in the precondition (other) does not match"), "{refusal}");
        let refusal = client.delete(&format!("{path}resourceVersion=1")).await.refusal();
        assert!(refusal.contains("the ResourceVersion in the precondition (1) does not match"), "{refusal}");
    }
    let uid = text(&created, "/metadata/uid");
    client.delete(&format!("{CONFIG_MAPS}/a?uid={uid}&resourceVersion=")).await.expect(200);
}

#[tokio::test]
async fn what_is_not_gone_at_once_is_accepted_if_its_dependents_are_to_go() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    client.post(CONFIG_MAPS, &held("held")).await.expect(201);
    client.post(CONFIG_MAPS, &named("free")).await.expect(201);
    client.delete(&format!("{CONFIG_MAPS}/held")).await.expect(200);
    client.delete(&format!("{CONFIG_MAPS}/held?orphanDependents=false")).await.expect(202);
    client.delete(&format!("{CONFIG_MAPS}/free?orphanDependents=false")).await.expect(200);
}

#[tokio::test]
async fn only_what_cannot_be_read_is_deleted_unread() {
    const OPTION: &str = "ignoreStoreReadErrorWithClusterBreakingPotential";
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let path = format!("{CONFIG_MAPS}/a");
    client.post(CONFIG_MAPS, &named("a")).await.expect(201);
    let refusal = client.delete(&format!("{path}?{OPTION}=true")).await.refusal();
    assert_eq!(
        refusal,
        "409 Operation cannot be fulfilled on configmaps \"a\": StorageError: invalid object, Code: 4, Key: \
         /registry/configmaps/default/a, ResourceVersion: 0, AdditionalErrorMsg: unsafe deletion is not allowed \
         because the object is decodable from storage"
    );
    assert_eq!(delete(&client, &path, json!({OPTION: true})).await.refusal(), refusal);
    let missing = client.delete(&format!("{CONFIG_MAPS}/b?{OPTION}=true")).await.refusal();
    assert_eq!(missing, r#"404 configmaps "b" not found"#);
    let service =
        client.delete(&format!("/api/v1/namespaces/default/services/kubernetes?{OPTION}=true")).await;
    assert!(service.text().contains("/registry/services/specs/default/kubernetes"), "{}", service.text());
    let collection = client.delete(&format!("{CONFIG_MAPS}?{OPTION}=true")).await.refusal();
    assert!(
        collection.ends_with(
            ": Invalid value: true: is not allowed with DELETECOLLECTION, try again after removing the option"
        ),
        "{collection}"
    );
    let both = client.delete(&format!("{path}?{OPTION}=true&gracePeriodSeconds=0&uid=x")).await.refusal();
    assert!(both.contains("cannot be set together with .gracePeriodSeconds"), "{both}");
    assert!(both.contains("cannot be set together with .preconditions"), "{both}");
    client.delete(&format!("{path}?{OPTION}=false")).await.expect(200);
}
