//! Bodies in protobuf.

use http::Method;
use klient_apiserver::TestServer;
use serde_json::{Value, json};

use super::{PROTOBUF, encode, object, post, refusal, send};
use crate::client::Client;
use crate::definition::defined;
use crate::objects::{
    CONFIG_MAPS, DEFINITIONS, GADGETS, NAMESPACES, PODS, anything, deployment, gadget, gadgets, named, pod,
};

const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/default/deployments";

#[tokio::test]
async fn objects_are_created_as_from_json() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let data =
        json!({"metadata": {"name": "n"}, "data": {"a": "1", "empty": ""}, "binaryData": {"b": "AAE="}});
    for (path, api_version, kind, sample) in [
        (NAMESPACES, "v1", "Namespace", named("n")),
        (CONFIG_MAPS, "v1", "ConfigMap", data),
        (PODS, "v1", "Pod", pod("n")),
        (DEPLOYMENTS, "apps/v1", "Deployment", deployment("n")),
        (DEFINITIONS, "apiextensions.k8s.io/v1", "CustomResourceDefinition", gadgets(anything())),
    ] {
        let dry = client.post(&format!("{path}?dryRun=All"), &sample).await.expect(201);
        let created = object(&post(&client, path, encode(api_version, kind, &sample)).await, 201);
        let name = created["metadata"]["name"].as_str().expect("it has a name");
        let read = client.get(&format!("{path}/{name}")).await.expect(200);
        assert_eq!(read["spec"], dry["spec"], "{kind}");
        assert_eq!((&read["data"], &read["binaryData"]), (&dry["data"], &dry["binaryData"]));
    }
}

#[tokio::test]
async fn objects_and_their_subresources_are_updated() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let path = format!("{CONFIG_MAPS}/c");
    client.post(CONFIG_MAPS, &named("c")).await.expect(201);
    let changed = encode("v1", "ConfigMap", &json!({"metadata": {"name": "c"}, "data": {"k": "v"}}));
    assert_eq!(object(&send(&client, Method::PUT, &path, changed).await, 200)["data"]["k"], "v");

    let created = client.post(DEPLOYMENTS, &deployment("d")).await.expect(201);
    let mut told = created;
    told["status"] = json!({"replicas": 1, "observedGeneration": 1});
    let path = format!("{DEPLOYMENTS}/d/status");
    let told = send(&client, Method::PUT, &path, encode("apps/v1", "Deployment", &told)).await;
    assert_eq!(object(&told, 200)["status"]["replicas"], 1);

    let path = format!("{DEPLOYMENTS}/d/scale");
    let scale = json!({"metadata": {"name": "d"}, "spec": {"replicas": 5}});
    let scaled = send(&client, Method::PUT, &path, encode("autoscaling/v1", "Scale", &scale)).await;
    assert_eq!(object(&scaled, 200)["spec"]["replicas"], 5);

    client.post(PODS, &pod("p")).await.expect(201);
    let binding = json!({"metadata": {"name": "p"}, "target": {"kind": "Node", "name": "node-1"}});
    let bound = post(&client, &format!("{PODS}/p/binding"), encode("v1", "Binding", &binding)).await;
    assert_eq!(object(&bound, 201)["status"], "Success");
    assert_eq!(client.get(&format!("{PODS}/p")).await.expect(200)["spec"]["nodeName"], "node-1");
}

#[tokio::test]
async fn questions_are_answered() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let question = json!({"spec": {"resourceAttributes": {"verb": "create", "resource": "pods"}}});
    let (api_version, kind) = ("authorization.k8s.io/v1", "SelfSubjectAccessReview");
    let path = format!("/apis/{api_version}/selfsubjectaccessreviews");
    let answer = post(&client, &path, encode(api_version, kind, &question)).await;
    assert_eq!(object(&answer, 201)["status"]["allowed"], true);
}

#[tokio::test]
async fn deletes_take_their_options() {
    let (_server, client) = defined(&gadgets(anything())).await;
    client.post(CONFIG_MAPS, &named("c")).await.expect(201);
    client.post(GADGETS, &gadget("c", json!({}))).await.expect(201);
    let other = encode("meta.k8s.io/v1", "DeleteOptions", &json!({"preconditions": {"uid": "other"}}));
    for path in [CONFIG_MAPS, GADGETS] {
        let path = format!("{path}/c");
        // Whatever is deleted, the options are of a kind that protobuf has.
        let headers = [("content-type", PROTOBUF), ("accept", "application/json")];
        let refused = client.send(Method::DELETE, &path, &headers, other.clone()).await.refusal();
        assert!(refused.contains("the UID in the precondition (other) does not match"), "{refused}");
        let options = json!({"gracePeriodSeconds": 0, "propagationPolicy": "Background"});
        let options = encode("v1", "DeleteOptions", &options);
        client.send(Method::DELETE, &path, &headers, options).await.expect(200);
    }
    let wrong = encode("v1", "ConfigMap", &named("c"));
    let refused = send(&client, Method::DELETE, &format!("{PODS}/p"), wrong).await;
    let words =
        r#"400 no kind "ConfigMap" is registered for version "v1" in scheme "pkg/runtime/scheme.go:111""#;
    assert_eq!(refusal(&refused), words);
}

#[tokio::test]
async fn custom_resources_and_patches_are_not_read() {
    let (_server, client) = defined(&gadgets(anything())).await;
    client.post(CONFIG_MAPS, &named("c")).await.expect(201);
    let body = encode("v1", "ConfigMap", &named("c"));
    let refused = send(&client, Method::PATCH, &format!("{CONFIG_MAPS}/c"), body.clone()).await;
    assert_eq!(refusal(&refused), "415 415: Unsupported Media Type");
    let unknown = "415 the body of the request was in an unknown format - accepted media types include:";
    let sent = [("content-type", PROTOBUF)];
    let refused = client.send(Method::POST, GADGETS, &sent, body.clone()).await.refusal();
    assert_eq!(refused, format!("{unknown} application/json, application/yaml"));
    let refused = client.send(Method::PATCH, &format!("{GADGETS}/g"), &sent, body).await.refusal();
    let patches = "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml";
    assert_eq!(refused, format!("{unknown} {patches}"));
}

#[tokio::test]
async fn what_is_stored_from_json_can_be_told_in_protobuf() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let events = "/api/v1/namespaces/default/events";
    let event = |field: &str, value: Value| {
        let involved = json!({"namespace": "default"});
        let mut event = json!({"metadata": {"name": "odd"}, "involvedObject": involved});
        if field == "eventTime" {
            event["reportingComponent"] = "a.example/c".into();
            event["reportingInstance"] = "c-0".into();
            event["action"] = "Do".into();
            event["reason"] = "Why".into();
            event["type"] = "Normal".into();
        }
        event[field] = value;
        event
    };
    let revisions = "/apis/apps/v1/namespaces/default/controllerrevisions";
    let revision = |data: Value| json!({"metadata": {"name": "odd"}, "revision": 1, "data": data});
    let deep = (0..90).fold(json!({}), |inner, _| json!({ "n": inner }));
    let budgets = "/apis/policy/v1/namespaces/default/poddisruptionbudgets";
    let budget = |most: Value| json!({"metadata": {"name": "odd"}, "spec": {"maxUnavailable": most}});
    let secrets = "/api/v1/namespaces/default/secrets";
    let secret = |key: &str, data: Value| json!({"metadata": {"name": "odd"}, key: data});
    let mut quantities = pod("odd");
    quantities["spec"]["containers"][0]["resources"] = json!({"requests": {"cpu": 1e-3, "memory": "1e3"}});
    let mut told = 0;
    for (path, object) in [
        (events, event("firstTimestamp", json!("0001-01-01T00:00:00Z"))),
        (events, event("firstTimestamp", json!("9999-12-31T23:59:59.999999999-14:00"))),
        (events, event("firstTimestamp", json!("2026-01-01T00:00:00-23:59"))),
        (events, event("eventTime", json!("2026-01-01T00:00:00.000000001Z"))),
        (events, event("eventTime", json!("0000-01-01T00:00:00Z"))),
        (events, event("count", json!(2_147_483_647))),
        (events, event("count", json!(2_147_483_648_i64))),
        (events, event("message", json!("\u{fffd}\u{0}\u{1f600}"))),
        (revisions, revision(deep)),
        (revisions, revision(json!({"n": 1e300, "m": -0.0}))),
        (PODS, quantities),
        (budgets, budget(json!("7%"))),
        (budgets, budget(json!(2_147_483_647))),
        (budgets, budget(json!(2_147_483_648_i64))),
        (budgets, budget(json!(1.0))),
        (secrets, secret("data", json!({"k": "A\nA==", "l": null}))),
        (secrets, secret("stringData", json!({"k": "\u{0}"}))),
    ] {
        let created = client.post(path, &object).await;
        if created.status != 201 {
            assert!(matches!(created.status.as_u16(), 400 | 422), "{}", created.text());
            continue;
        }
        told += 1;
        let read = client.get_as(&format!("{path}/odd"), PROTOBUF).await;
        assert_eq!(self::object(&read, 200)["metadata"]["name"], "odd");
        client.delete(&format!("{path}/odd")).await.expect(200);
    }
    assert!(told > 9, "{told}");
}
