//! Strict decoding: unknown and duplicate fields are rejected, or reported as warnings.

use http::Method;
use klient_apiserver::TestServer;
use serde_json::json;

use crate::answer::Answer;
use crate::client::{Client, sends};
use crate::definition::defined;
use crate::objects::{CONFIG_MAPS, DEFINITIONS, GADGETS, anything, deployment, gadgets, named};

const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/default/deployments";
const YAML: &str = "application/yaml";
const APPLY: &str = "application/apply-patch+yaml";

async fn server() -> (TestServer, Client) {
    let server = TestServer::start().await.expect("a server starts");
    let client = Client::admin(&server).await;
    (server, client)
}

async fn send(client: &Client, method: Method, path: &str, media: &str, body: &str) -> Answer {
    client.send(method, path, &sends(media), body.to_owned()).await
}

#[tokio::test]
async fn keys_that_stand_twice_in_yaml_are_named() {
    let (_server, client) = server().await;
    let body = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: yaml\ndata:\n  foo: a\n  b: x\n  foo: b\nzoo: 1\n";
    let twice = r#"line 8: key "foo" already set in map"#;
    let unknown = r#"unknown field "zoo""#;
    let created = send(&client, Method::POST, CONFIG_MAPS, YAML, body).await;
    assert_eq!(created.warnings(), [twice, unknown]);
    assert_eq!(created.expect(201)["data"]["foo"], "b", "the last one counts");
    let path = format!("{CONFIG_MAPS}/yaml");
    assert_eq!(send(&client, Method::PUT, &path, YAML, body).await.warnings(), [twice, unknown]);
    for (method, path) in [(Method::POST, CONFIG_MAPS), (Method::PUT, &path)] {
        let strict = format!("{path}?fieldValidation=Strict");
        assert_eq!(
            send(&client, method.clone(), &strict, YAML, body).await.refusal(),
            format!(
                "400 ConfigMap in version \"v1\" cannot be handled as a ConfigMap: strict decoding error: yaml: unmarshal errors:\n  {twice}, {unknown}"
            )
        );
        let ignored = format!("{path}?fieldValidation=Ignore&dryRun=All");
        assert_eq!(send(&client, method, &ignored, YAML, body).await.warnings(), [""; 0]);
    }
}

#[tokio::test]
async fn keys_that_are_no_strings_are_named_in_gos_syntax() {
    let (_server, client) = server().await;
    for (data, key) in [
        ("{1: a, 1: b}", "1"),
        ("{true: a, yes: b}", "true"),
        ("{1e-7: a, 1e-7: b}", "1e-07"),
        ("{.inf: a, .inf: b}", "+Inf"),
        ("{<<: {1: a}, 1: b}", "1"),
    ] {
        let body = format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: yaml}}\ndata: {data}\n");
        let twice = format!("line 4: key {key} already set in map");
        let path = format!("{CONFIG_MAPS}?dryRun=All");
        assert_eq!(send(&client, Method::POST, &path, YAML, &body).await.warnings(), [&*twice]);
        let path = format!("{CONFIG_MAPS}/yaml?fieldManager=m&dryRun=All&fieldValidation=Strict");
        assert_eq!(
            send(&client, Method::PATCH, &path, APPLY, &body).await.refusal(),
            format!(
                "400 error strict decoding patch: error converting YAML to JSON: yaml: unmarshal errors:\n  {twice}"
            )
        );
    }
}

#[tokio::test]
async fn keys_that_stand_twice_in_a_configuration_are_named() {
    let (_server, client) = defined(&gadgets(anything())).await;
    for (path, head) in [(CONFIG_MAPS, "v1\nkind: ConfigMap"), (GADGETS, "a.example/v1\nkind: Gadget")] {
        let body = format!(
            "apiVersion: {head}\nmetadata:\n  name: yaml\n  labels:\n    foo: a\n    b: x\n    foo: b\n"
        );
        let twice = r#"line 8: key "foo" already set in map"#;
        let path = format!("{path}/yaml?fieldManager=m");
        let applied = send(&client, Method::PATCH, &path, APPLY, &body).await;
        assert_eq!(applied.warnings(), [twice]);
        assert_eq!(applied.expect(201)["metadata"]["labels"]["foo"], "b");
        let strict =
            send(&client, Method::PATCH, &format!("{path}&fieldValidation=Strict"), APPLY, &body).await;
        assert_eq!(
            strict.refusal(),
            format!(
                "400 error strict decoding patch: error converting YAML to JSON: yaml: unmarshal errors:\n  {twice}"
            )
        );
        let ignored = format!("{path}&fieldValidation=Ignore");
        assert_eq!(send(&client, Method::PATCH, &ignored, APPLY, &body).await.warnings(), [""; 0]);
    }
    let json = "{\"apiVersion\": \"v1\", \"kind\": \"ConfigMap\", \"metadata\": {\"name\": \"j\"},\n\"data\": {\"a\": \"1\",\n\"a\": \"2\"}}";
    let applied = send(&client, Method::PATCH, &format!("{CONFIG_MAPS}/j?fieldManager=m"), APPLY, json).await;
    assert_eq!(applied.warnings(), [r#"line 3: key "a" already set in map"#]);
}

#[tokio::test]
async fn fields_are_named_in_the_order_of_the_text() {
    let (_server, client) = server().await;
    let body = r#"{"zoo": 1, "metadata": {"name": "j", "foo": 1, "labels": {"a": "b", "a": "c"}}, "data": {"k": "1", "k": "2", "k": "3"}, "abc": 1, "abc": 2, "data": {}}"#;
    let expected = [
        r#"unknown field "zoo""#,
        r#"unknown field "metadata.foo""#,
        r#"duplicate field "metadata.labels.a""#,
        r#"duplicate field "data.k""#,
        r#"unknown field "abc""#,
        r#"duplicate field "data""#,
    ];
    let created = send(&client, Method::POST, CONFIG_MAPS, "application/json", body).await;
    assert_eq!(created.warnings(), expected);
    let strict = format!("{CONFIG_MAPS}?fieldValidation=Strict");
    let refusal = send(&client, Method::POST, &strict, "application/json", body).await.refusal();
    assert!(refusal.ends_with(&format!("strict decoding error: {}", expected.join(", "))), "{refusal}");
}

#[tokio::test]
async fn schemas_of_definitions_that_decode_themselves_are_not_looked_into() {
    let (_server, client) = server().await;
    let definition = gadgets(json!({"type": "object", "odd": 1, "properties": {
        "list": {"type": "array", "items": {"type": "string", "odd": 1}},
    }}));
    let created = client.post(DEFINITIONS, &definition).await;
    assert_eq!(
        created.warnings(),
        [r#"unknown field "spec.versions[0].schema.openAPIV3Schema.properties.spec.odd""#]
    );
    created.expect(201);
}

#[tokio::test]
async fn fields_that_stand_twice_in_a_patch_are_named() {
    let (_server, client) = server().await;
    client.post(CONFIG_MAPS, &named("a")).await.expect(201);
    let path = format!("{CONFIG_MAPS}/a");
    let body = r#"{"data": {"z": "1", "z": "2"}, "zoo": 1}"#;
    for media in ["application/merge-patch+json", "application/strategic-merge-patch+json"] {
        let patched = send(&client, Method::PATCH, &path, media, body).await;
        assert_eq!(patched.warnings(), [r#"duplicate field "data.z""#, r#"unknown field "zoo""#]);
        let strict = format!("{path}?fieldValidation=Strict");
        let refusal = send(&client, Method::PATCH, &strict, media, body).await.refusal();
        let end = r#"strict decoding error: duplicate field "data.z", unknown field "zoo""#;
        assert!(refusal.starts_with("422 ") && refusal.ends_with(end), "{refusal}");
    }
    let body = r#"[{"op": "add", "path": "/data/x", "path": "/data/y", "value": "1", "foo": 1}]"#;
    let patched = send(&client, Method::PATCH, &path, "application/json-patch+json", body).await;
    assert_eq!(
        patched.warnings(),
        [r#"json patch duplicate field "[0].path""#, r#"json patch unknown field "[0].foo""#]
    );
}

#[tokio::test]
async fn fields_of_a_scale_are_named() {
    let (_server, client) = server().await;
    client.post(DEPLOYMENTS, &deployment("d")).await.expect(201);
    let body = r#"{"metadata": {"name": "d"}, "spec": {"replicas": 3, "replicas": 2, "foo": 2}}"#;
    let path = format!("{DEPLOYMENTS}/d/scale");
    let scaled = send(&client, Method::PUT, &path, "application/json", body).await;
    assert_eq!(scaled.warnings(), [r#"duplicate field "spec.replicas""#, r#"unknown field "spec.foo""#]);
    assert_eq!(scaled.expect(200)["spec"]["replicas"], 2);
    let patch = r#"{"spec": {"foo": 2}}"#;
    let merge = "application/merge-patch+json";
    let patched = send(&client, Method::PATCH, &path, merge, patch).await;
    patched.expect(200);
    assert_eq!(patched.warnings(), [r#"unknown field "spec.foo""#]);
    let strict = format!("{path}?fieldValidation=Strict");
    let refusal = send(&client, Method::PATCH, &strict, merge, patch).await.refusal();
    assert!(refusal.starts_with(r#"422  "" is invalid: patch: Invalid value: "{"#), "{refusal}");
    assert!(refusal.ends_with(r#"strict decoding error: unknown field "spec.foo""#), "{refusal}");
    assert_eq!(
        send(&client, Method::PUT, &strict, "application/json", body).await.refusal(),
        r#"400 Scale in version "v1" cannot be handled as a Scale: strict decoding error: duplicate field "spec.replicas", unknown field "spec.foo""#
    );
}
