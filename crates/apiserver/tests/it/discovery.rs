//! Discovery of the served groups, versions and resources.

use http::Method;
use klient_apiserver::TestServer;
use serde_json::{Value, json};

use crate::client::Client;
use crate::objects::{DEFINITIONS, anything, gadgets};

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

fn entry<'a>(list: &'a Value, field: &str, name: &str) -> Option<&'a Value> {
    list.as_array().into_iter().flatten().find(|entry| entry[field] == name)
}

fn group<'a>(discovery: &'a Value, name: &str) -> Option<&'a Value> {
    discovery["items"].as_array().into_iter().flatten().find(|group| group["metadata"]["name"] == name)
}

#[tokio::test]
async fn every_resource_that_is_listed_can_be_listed() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let mut paths = vec!["/api/v1".to_owned()];
    for group in client.get("/apis").await.expect(200)["groups"].as_array().unwrap() {
        let preferred = &group["preferredVersion"];
        let versions = group["versions"].as_array().unwrap();
        assert!(versions.contains(preferred), "{group}");
        assert_eq!(
            &client.get(&format!("/apis/{}", group["name"].as_str().unwrap())).await.expect(200)["versions"],
            &group["versions"]
        );
        paths.extend(
            versions.iter().map(|version| format!("/apis/{}", version["groupVersion"].as_str().unwrap())),
        );
    }
    let mut listed = 0;
    for path in paths {
        for resource in client.get(&path).await.expect(200)["resources"].as_array().unwrap() {
            let verbs = resource["verbs"].as_array().unwrap();
            if verbs.contains(&json!("list")) {
                let list =
                    client.get(&format!("{path}/{}", resource["name"].as_str().unwrap())).await.expect(200);
                assert!(list["items"].is_array(), "{list}");
                listed += 1;
            }
        }
    }
    assert!(listed > 60, "{listed}");
}

#[tokio::test]
async fn aggregated_discovery_says_the_same_as_the_other() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let answer = client.get_as("/apis", AGGREGATED).await;
    assert_eq!(answer.header("content-type"), AGGREGATED);
    assert_eq!(answer.header("vary"), "Accept");
    let beta = AGGREGATED.replace("v=v2", "v=v2beta1") + ",application/json";
    let beta = client.get_as("/apis", &beta).await;
    assert_eq!([beta.header("vary"), beta.header("content-type")], ["", "application/json"]);
    let groups = client.get("/apis").await.expect(200);
    let names: Vec<&Value> =
        groups["groups"].as_array().unwrap().iter().map(|group| &group["name"]).collect();
    let discovered = answer.json();
    let items = discovered["items"].as_array().unwrap();
    assert_eq!(items.iter().map(|group| &group["metadata"]["name"]).collect::<Vec<_>>(), names);
    let core = client.get_as("/api", AGGREGATED).await.expect(200);
    let pods = entry(&core["items"][0]["versions"][0]["resources"], "resource", "pods").unwrap();
    assert_eq!([&pods["responseKind"]["kind"], &pods["scope"]], ["Pod", "Namespaced"]);
    assert_eq!(core["items"][0]["versions"][0]["freshness"], "Current");
}

#[tokio::test]
async fn discovery_that_is_known_is_not_sent_again() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let first = client.get_as("/apis", AGGREGATED).await;
    let tag = first.header("etag").to_owned();
    let known = [("accept", AGGREGATED), ("if-none-match", &*tag)];
    let again = client.send(Method::GET, "/apis", &known, "").await;
    assert_eq!((again.status.as_u16(), again.body.len()), (304, 0));
    client.post(DEFINITIONS, &gadgets(anything())).await.expect(201);
    let changed = client.send(Method::GET, "/apis", &known, "").await;
    assert_eq!(changed.status, 200);
    assert_ne!(changed.header("etag"), tag);
}

#[tokio::test]
async fn forms_that_are_gone_are_passed_over() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let beta = AGGREGATED.replace("v2", "v2beta1");
    let answer = client.get_as("/apis", &format!("{beta},application/json")).await;
    assert_eq!(
        (answer.header("content-type"), &answer.json()["kind"]),
        ("application/json", &json!("APIGroupList"))
    );
}

#[tokio::test]
async fn definitions_appear_and_disappear() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    assert_eq!(client.get("/apis/a.example").await.status, 404);
    let mut definition = gadgets(anything());
    definition["spec"]["names"]["shortNames"] = json!(["gd"]);
    definition["spec"]["names"]["categories"] = json!(["all"]);
    client.post(DEFINITIONS, &definition).await.expect(201);

    let legacy = client.get("/apis/a.example/v1").await.expect(200);
    let own = entry(&legacy["resources"], "name", "gadgets").unwrap();
    assert_eq!(own["storageVersionHash"].as_str().map(str::len), Some(12), "eight bytes in base64");
    assert_eq!([&own["shortNames"], &own["categories"]], [&json!(["gd"]), &json!(["all"])]);
    assert_eq!(
        [&own["kind"], &own["singularName"], &own["namespaced"]],
        [&json!("Gadget"), &json!("gadget"), &json!(true)]
    );
    assert!(entry(&legacy["resources"], "name", "gadgets/status").is_some());
    assert!(entry(&client.get("/apis").await.expect(200)["groups"], "name", "a.example").is_some());
    let aggregated = client.get_as("/apis", AGGREGATED).await.expect(200);
    let version = &group(&aggregated, "a.example").unwrap()["versions"][0];
    let own = entry(&version["resources"], "resource", "gadgets").unwrap();
    assert_eq!([&own["responseKind"]["group"], &own["responseKind"]["version"]], ["a.example", "v1"]);
    let paths = client.get("/openapi/v3").await.expect(200);
    assert!(paths["paths"]["apis/a.example/v1"].is_object());

    let from = server.resource_version();
    let mut events = client.watch(&format!("{DEFINITIONS}?watch=1&resourceVersion={from}")).await;
    client.delete(&format!("{DEFINITIONS}/gadgets.a.example")).await.expect(200);
    while events.next().await.unwrap()["type"] != "DELETED" {}
    assert_eq!(client.get("/apis/a.example/v1").await.status, 404);
    assert!(group(&client.get_as("/apis", AGGREGATED).await.expect(200), "a.example").is_none());
}

#[tokio::test]
async fn what_is_not_served_is_not_found_in_its_own_way() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    for path in ["/apis/nope.example/v1", "/apis/nope.example/v1/things", "/nowhere"] {
        let answer = client.get(path).await;
        assert_eq!((answer.status.as_u16(), answer.text()), (404, "404 page not found\n"), "{path}");
    }
    for path in ["/api/v1/things", "/api/v2", "/api/v2/things", "/apis/apps/v2", "/apis/apps/v2/things"] {
        let refusal = client.get(path).await.refusal();
        assert_eq!(refusal, "404 the server could not find the requested resource", "{path}");
    }
    for (method, path) in [
        (Method::PUT, "/api/v1/nodes"),
        (Method::PATCH, "/api/v1/nodes"),
        (Method::POST, "/api/v1/pods"),
        (Method::DELETE, "/api/v1/pods"),
        (Method::POST, "/api/v1/nodes/n"),
        (Method::HEAD, "/api/v1/nodes"),
    ] {
        assert_eq!(client.send(method.clone(), path, &[], "{}").await.status, 405, "{method} {path}");
    }
}

#[tokio::test]
async fn what_lives_in_namespaces_is_found_in_them_only() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    client.post(DEFINITIONS, &gadgets(anything())).await.expect(201);
    for path in ["/api/v1/pods/p", "/api/v1/namespaces/default/nodes", "/api/v1/namespaces/default/nodes/n"] {
        let refusal = client.get(path).await.refusal();
        assert_eq!(refusal, "404 the server could not find the requested resource", "{path}");
    }
    client.get("/apis/a.example/v1/gadgets").await.expect(200);
    for (method, path) in
        [(Method::GET, "/apis/a.example/v1/gadgets/g"), (Method::DELETE, "/apis/a.example/v1/gadgets")]
    {
        let answer = client.send(method, path, &[], "").await;
        assert_eq!(answer.text(), "404 page not found\n", "{path}");
    }
}

#[tokio::test]
async fn discovery_is_given_in_forms_that_it_has() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let table = "application/json;as=Table;v=v1;g=meta.k8s.io";
    let unknown = "only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf";
    let unrouted = "406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, application/vnd.kubernetes.protobuf";
    for (path, accept, problem) in [
        ("/api", table, unknown),
        ("/apis", table, unknown),
        ("/apis/apps", table, unknown),
        ("/apis/apps/v1", table, unknown),
        ("/apis/apps/v1", AGGREGATED, unknown),
        ("/api/v1", "application/json;v=v1", unknown),
        ("/api", "text/html", unrouted),
        ("/apis", "text/html", unknown),
        ("/apis/apps/v1", "application/*", unrouted),
        ("/api/v1/namespaces/default", "application/*", unrouted),
    ] {
        assert_eq!(client.get_as(path, accept).await.refusal(), format!("406 {problem}"), "{path} {accept}");
    }
    for (path, accept) in [
        ("/apis", "application/*"),
        ("/apis/apps", "application/*"),
        ("/apis/apps/v1", "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"),
        ("/api", "application/json;as="),
    ] {
        client.get_as(path, accept).await.expect(200);
    }
    let aggregated = client.get_as("/apis", &format!("text/html,{AGGREGATED}")).await;
    assert_eq!(aggregated.expect(200)["kind"], "APIGroupDiscoveryList");
}

#[tokio::test]
async fn health_and_lists_of_groups_are_given_whatever_the_method() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS] {
        for (path, code) in [
            ("/healthz", 200),
            ("/livez/ping", 200),
            ("/readyz?verbose", 200),
            ("/", 200),
            ("/apis", 200),
            ("/apis/apps", 200),
            ("/version", 405),
            ("/api", 405),
            ("/api/v1", 405),
            ("/apis/apps/v1", 405),
            ("/nothing", 404),
        ] {
            let answer = client.send(method.clone(), path, &[], "").await;
            assert_eq!(answer.status, code, "{method} {path}");
        }
    }
}

/// Media types as kube-apiserver 1.37 answers them.
#[tokio::test]
async fn documents_are_sent_in_the_accepted_form_or_refused() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let yaml = AGGREGATED.replace("/json", "/yaml");
    for path in ["/api", "/apis"] {
        let answer = client.get_as(path, &yaml).await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, &*yaml), "{path}");
        let read: Value = klient_apimachinery::yaml::from_str(answer.text()).unwrap();
        assert_eq!(read, client.get_as(path, AGGREGATED).await.expect(200), "{path}");
    }
    for (accept, code) in [
        ("application/json", 200),
        ("text/html, application/json;q=0.1", 200),
        ("*/*", 200),
        ("application/*", 406),
        ("application/yaml", 406),
        ("application/vnd.kubernetes.protobuf", 406),
        ("text/plain", 406),
    ] {
        assert_eq!(client.get_as("/version", accept).await.status, code, "{accept}");
    }
    let refused = client.get_as("/version", "text/plain").await.refusal();
    assert_eq!(refused, "406 406: Not Acceptable\n\nAvailable representations: application/json");
    let index = client.get_as("/openapi/v3", "application/json").await;
    assert_eq!(index.header("content-type"), "text/plain; charset=utf-8");
}
