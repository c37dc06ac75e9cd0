//! Bodies that are too large, too deep, or grow when they are read.

use http::Method;
use klient_apiserver::TestServer;
use serde_json::{Value, json};

use super::still_serves;
use crate::answer::Answer;
use crate::client::{Client, Identity, Protocol, sends};
use crate::objects::{CONFIG_MAPS, DEFINITIONS, GADGETS, anything, gadget, gadgets};

const LIMIT: usize = 3 * 1024 * 1024;

async fn post(client: &Client, path: &str, media: &str, body: String) -> Answer {
    client.send(Method::POST, path, &sends(media), body).await
}

/// A config map whose JSON has so many bytes.
fn padded(size: usize) -> String {
    let json = json!({"metadata": {"generateName": "a"}}).to_string();
    format!("{json}{}", " ".repeat(size - json.len()))
}

#[tokio::test]
async fn a_body_may_have_three_mebibytes() {
    let server = TestServer::start().await.unwrap();
    for protocol in [Protocol::Http1, Protocol::Http2] {
        let identity = || Identity::Token(server.admin_token().to_owned());
        let client = Client::connect(&server, protocol, identity()).await;
        post(&client, CONFIG_MAPS, "application/json", padded(LIMIT)).await.expect(201);
        let answer = post(&client, CONFIG_MAPS, "application/json", padded(LIMIT + 1)).await;
        assert_eq!(answer.refusal(), "413 Request entity too large: limit is 3145728");
        assert_eq!(answer.json()["reason"], "RequestEntityTooLarge");
    }
    still_serves(&server).await;
}

#[tokio::test]
async fn what_is_nested_too_deep_is_refused() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    client.post(DEFINITIONS, &gadgets(anything())).await.expect(201);
    for depth in [90, 110, 126, 200, 450, 10_000, 1_000_000] {
        let code = if depth < 100 { 201 } else { 400 };
        let (open, close) = ("[".repeat(depth - 2), "]".repeat(depth - 2));
        let json = format!(
            r#"{{"apiVersion":"a.example/v1","kind":"Gadget","metadata":{{"generateName":"g"}},"spec":{{"deep":{open}{close}}}}}"#
        );
        // YAML's parser takes its time with what is deep, and ends early.
        for media in ["application/json", "application/yaml"] {
            let answer = post(&client, GADGETS, media, json.clone()).await;
            assert_eq!(answer.status, code, "{media} {depth}: {}", answer.text());
        }
        let merge = [("content-type", "application/merge-patch+json")];
        client.send(Method::PATCH, &format!("{GADGETS}/none"), &merge, json).await;
    }
    assert_eq!(client.get(GADGETS).await.expect(200)["items"].as_array().map(Vec::len), Some(2));
    still_serves(&server).await;
}

#[tokio::test]
async fn aliases_that_multiply_are_refused() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let mut yaml = "metadata: {name: a}\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..=9 {
        let before = format!("*a{}, ", level - 1).repeat(10);
        yaml.push_str(&format!("a{level}: &a{level} [{}]\n", before.trim_end_matches(", ")));
    }
    let answer = post(&client, CONFIG_MAPS, "application/yaml", yaml).await;
    assert!(answer.refusal().contains("document contains excessive aliasing"), "{answer:?}");
    for yaml in
        ["\"\\", "[:!',", "&a [*a]", "a: *nothing", "? [a]\n: b", "{", "--- |\n\u{0}", "%YAML 9.9\n---\na"]
    {
        let answer = post(&client, CONFIG_MAPS, "application/yaml", yaml.to_owned()).await;
        assert_eq!(answer.status, 400, "{yaml}: {}", answer.text());
    }
    still_serves(&server).await;
}

#[tokio::test]
async fn bodies_that_are_no_objects_are_refused() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    for body in
        ["", "null", "[]", "\"\"", "{", "{}x", "\u{0}", "{\"metadata\": []}", "{\"metadata\": {\"name\": 1}}"]
    {
        let answer = post(&client, CONFIG_MAPS, "application/json", body.to_owned()).await;
        assert!(matches!(answer.status.as_u16(), 400 | 422), "{body}: {}", answer.text());
    }
    let latin = Vec::from(&b"{\"metadata\": {\"name\": \"a\"}, \"data\": {\"k\": \"\xff\"}}"[..]);
    let answer = client.send(Method::POST, CONFIG_MAPS, &sends("application/json"), latin).await;
    assert_eq!(answer.expect(201)["data"]["k"], "\u{fffd}");
}

#[tokio::test]
async fn what_is_said_of_strange_fields_stays_short() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let long = "k".repeat(100_000);
    let twice = r#""x":1,"#.repeat(200_000);
    let body = format!(r#"{{"metadata":{{"name":"a"}},"{long}":{{{twice}"y":1}}}}"#);
    let answer = post(&client, CONFIG_MAPS, "application/json", body).await;
    assert_eq!(answer.status, 201);
    let warnings: usize = answer.headers.get_all("warning").iter().map(|warning| warning.len()).sum();
    assert!((1..10_000).contains(&warnings), "{warnings}");
    let many: String = (0..50_000).map(|index| format!(r#","f{index}":1"#)).collect();
    let body = format!(r#"{{"metadata":{{"name":"b"}}{many}}}"#);
    let strict = format!("{CONFIG_MAPS}?fieldValidation=Strict");
    let answer = post(&client, &strict, "application/json", body).await;
    assert!(answer.refusal().len() < 10_000, "{}", answer.refusal().len());
}

#[tokio::test]
async fn patches_that_grow_are_refused() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    client.post(DEFINITIONS, &gadgets(anything())).await.expect(201);
    client.post(GADGETS, &gadget("g", json!({"a": {"x": "y".repeat(1000)}}))).await.expect(201);
    let path = format!("{GADGETS}/g");
    let before = client.get(&path).await.expect(200);
    let copy = |from: &str, to: &str| json!({"op": "copy", "from": from, "path": to});
    let doubling: Value = (0..40).map(|index| copy("/spec", &format!("/spec/k{index}"))).collect();
    let wide: Value = (0..10_000).map(|index| copy("/spec/a", &format!("/spec/k{index}"))).collect();
    let long = "/k".repeat(90);
    let deep: Value = std::iter::once(json!({"op": "add", "path": "/spec/k", "value": {}}))
        .chain((0..9_000).map(|_| copy("/spec", "/spec/k")))
        .collect();
    let step = format!("/spec{long}");
    let far: Value = (0..100).map(|_| copy("/spec", &step)).collect();
    let too_many: Value = (0..10_001).map(|_| json!({"op": "test", "path": "/x", "value": null})).collect();
    for (patch, codes) in [
        (doubling, &[400, 422][..]),
        (wide, &[422]),
        (deep, &[422]),
        (far, &[400, 422]),
        (too_many, &[413]),
        (json!([copy("", "/spec/a")]), &[200, 422]),
    ] {
        let answer = client.patch(&path, "json", &patch).await;
        assert!(codes.contains(&answer.status.as_u16()), "{codes:?}: {}", answer.text());
        client.get(&path).await.expect(200);
        client.delete(&path).await.expect(200);
        let again = client.post(GADGETS, &gadget("g", before["spec"].clone())).await.expect(201);
        assert_eq!(again["spec"], before["spec"]);
    }
    let nested = (0..80).fold(json!({}), |inner, _| json!({ "n": inner }));
    let adds = json!([{"op": "add", "path": "/spec/n", "value": nested}, {"op": "add", "path": format!("/spec{}", "/n".repeat(60)), "value": nested}]);
    assert_eq!(client.patch(&path, "json", &adds).await.status, 422);
    let merge = json!({"spec": {"n": (0..110).fold(json!({}), |inner, _| json!({ "n": inner }))}});
    assert_eq!(client.patch(&path, "merge", &merge).await.status, 422);
    still_serves(&server).await;
}

/// Media types as kube-apiserver 1.37 reads them.
#[tokio::test]
async fn media_types_are_read_in_any_case_and_have_no_wildcards() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let path = format!("{CONFIG_MAPS}?dryRun=All");
    let body = r#"{"metadata": {"name": "c"}, "apiVersion": "v1", "kind": "ConfigMap"}"#;
    for (media, code) in [
        ("APPLICATION/JSON", 201),
        ("Application/Yaml; charset=utf-8", 201),
        ("*/*", 415),
        ("application/*", 415),
        ("text/json", 415),
    ] {
        assert_eq!(post(&client, &path, media, body.to_owned()).await.status, code, "{media}");
    }
}
