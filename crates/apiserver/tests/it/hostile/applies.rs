//! Configurations, patches and managed fields that are large, deep or strange.

use http::Method;
use klient_apiserver::TestServer;
use serde_json::{Value, json};

use super::still_serves;
use crate::answer::Answer;
use crate::client::{Client, sends};
use crate::objects::{CONFIG_MAPS, DEFINITIONS, GADGETS, anything, gadgets};

async fn apply(client: &Client, path: &str, manager: &str, config: String) -> Answer {
    let path = format!("{path}?fieldManager={manager}");
    client.send(Method::PATCH, &path, &sends("application/apply-patch+yaml"), config).await
}

fn gadget(spec: &Value) -> String {
    json!({"apiVersion": "a.example/v1", "kind": "Gadget", "metadata": {"name": "a"}, "spec": spec})
        .to_string()
}

async fn with_gadgets(spec: Value) -> (TestServer, Client, String) {
    let server = TestServer::start().await.expect("a server starts");
    let client = Client::admin(&server).await;
    client.post(DEFINITIONS, &gadgets(spec)).await.expect(201);
    (server, client, format!("{GADGETS}/a"))
}

#[tokio::test]
async fn what_is_nested_too_deep_is_not_applied() {
    let (server, client, path) = with_gadgets(anything()).await;
    for depth in [90, 110, 126, 200, 10_000, 400_000] {
        let (open, close) = (r#"{"a":"#.repeat(depth - 2), "}".repeat(depth - 2));
        let config = format!(
            r#"{{"apiVersion":"a.example/v1","kind":"Gadget","metadata":{{"name":"a"}},"spec":{open}1{close}}}"#
        );
        let answer = apply(&client, &path, "deep", config).await;
        assert_eq!(answer.status, if depth < 100 { 201 } else { 400 }, "{depth}: {}", answer.text());
    }
    // Nor do managed fields come deeper than objects.
    for depth in [60, 200, 10_000] {
        let (open, close) = (r#"{"f:a":"#.repeat(depth), "}".repeat(depth));
        let put = format!(
            r#"{{"metadata":{{"name":"deep","managedFields":[{{"manager":"m","operation":"Update","apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":{open}{{}}{close}}}]}}}}"#
        );
        let answer = client.send(Method::POST, CONFIG_MAPS, &sends("application/json"), put).await;
        assert_eq!(answer.status, if depth < 100 { 201 } else { 400 }, "{depth}: {}", answer.text());
    }
    still_serves(&server).await;
}

#[tokio::test]
async fn a_configuration_may_have_thousands_of_items() {
    let items = json!({"type": "object", "properties": {
        "parts": {
            "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
            "items": {"type": "object", "required": ["name"], "properties": {
                "name": {"type": "string"}, "text": {"type": "string"},
            }},
        },
    }});
    let (server, client, path) = with_gadgets(items).await;
    let parts = |whose: &str, text: &str| -> Vec<Value> {
        (0..3_000).map(|n| json!({"name": format!("{whose}-{n}"), "text": text})).collect()
    };
    for manager in ["alice", "bob"] {
        let applied = apply(&client, &path, manager, gadget(&json!({"parts": parts(manager, "x")}))).await;
        let code = applied.status.as_u16();
        let object = applied.expect(code);
        let again = apply(&client, &path, manager, gadget(&json!({"parts": parts(manager, "x")}))).await;
        assert_eq!(again.expect(200), object, "nothing has changed");
    }
    // All conflicts are reported.
    let conflict = apply(&client, &path, "carol", gadget(&json!({"parts": parts("bob", "y")}))).await;
    assert!(
        conflict.refusal().starts_with("409 Apply failed with 3000 conflicts: "),
        "{}",
        &conflict.text()[..200]
    );
    let object = apply(&client, &path, "alice", gadget(&json!({"parts": []}))).await.expect(200);
    assert_eq!(object["spec"]["parts"].as_array().map(Vec::len), Some(3_000));
    still_serves(&server).await;
}

#[tokio::test]
async fn names_of_fields_may_hold_anything() {
    let (server, client, path) = with_gadgets(anything()).await;
    let names =
        ["", ".", "f:x", "k:{}", "a.b[c=\"d\"]", "\"", "\\", "\n", "\u{0}", "~1/~0", "é\u{200b}", "🦀"];
    let spec: Value = names.map(|name| (name.to_owned(), json!({ name: 1 }))).into_iter().collect();
    let first = apply(&client, &path, "alice", gadget(&spec)).await.expect(201);
    assert_eq!(first["spec"], spec);
    assert_eq!(apply(&client, &path, "alice", gadget(&spec)).await.expect(200), first);
    let other: Value = names.map(|name| (name.to_owned(), json!({ name: 2 }))).into_iter().collect();
    let conflict = apply(&client, &path, "bob", gadget(&other)).await;
    assert_eq!(conflict.status, 409, "{}", conflict.text());
    assert_eq!(conflict.json()["details"]["causes"].as_array().map(Vec::len), Some(names.len()));
    let nothing = json!({"apiVersion": "a.example/v1", "kind": "Gadget"}).to_string();
    let gone = apply(&client, &path, "alice", nothing).await.expect(200);
    assert_eq!(gone["spec"], Value::Null, "what one alone owned is gone");
    still_serves(&server).await;
}

#[tokio::test]
async fn managed_fields_may_be_strange() {
    let server = TestServer::start().await.expect("a server starts");
    let client = Client::admin(&server).await;
    let path = format!("{CONFIG_MAPS}/a");
    let made =
        client.post(CONFIG_MAPS, &json!({"metadata": {"name": "a"}, "data": {"x": "1"}})).await.expect(201);
    let entry = |fields: Value| {
        json!({
            "manager": "m", "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": fields,
        })
    };
    let lists = [
        json!([entry(json!({"f:data": {"k:{\"a\":": {}}}))]),
        json!([entry(json!({"f:data": {"i:x": {}}}))]),
        json!([entry(json!({"f:data": {"v:nonsense": {}}}))]),
        json!([entry(json!({"f:data": 7}))]),
        json!([{"manager": "m", "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV2"}]),
        json!([{"manager": "m", "operation": "Merge", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": {}}]),
        json!([entry(json!({})), null]),
    ];
    for list in lists {
        let mut put = made.clone();
        put["metadata"]["managedFields"] = list.clone();
        put["metadata"]["resourceVersion"] = Value::Null;
        let kept = client.put(&path, &put).await.expect(200);
        assert_eq!(kept["metadata"]["managedFields"], made["metadata"]["managedFields"], "{list}");
    }
    // Of as many as there is room for the ten youngest stay, and one for all others.
    let many = (0..5_000).map(|n| {
        json!({
            "manager": format!("m{n}"), "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1",
            "time": "2026-01-01T00:00:00Z", "fieldsV1": {"f:data": {"f:x": {}}},
        })
    });
    let mut put = made.clone();
    put["metadata"]["managedFields"] = many.collect();
    put["metadata"]["resourceVersion"] = Value::Null;
    let kept = client.put(&path, &put).await.expect(200);
    assert_eq!(kept["metadata"]["managedFields"].as_array().map(Vec::len), Some(10));
    let named = client
        .patch(
            &path,
            "json",
            &json!([
                {"op": "replace", "path": "/metadata/managedFields/0/manager", "value": "M".repeat(129)},
            ]),
        )
        .await;
    assert_eq!(
        named.refusal(),
        r#"422 ConfigMap "a" is invalid: metadata.managedFields[0].manager: Too long: may not be more than 128 bytes"#
    );
    still_serves(&server).await;
}

#[tokio::test]
async fn a_patch_has_ten_thousand_operations_at_most() {
    let server = TestServer::start().await.expect("a server starts");
    let client = Client::admin(&server).await;
    client.post(CONFIG_MAPS, &json!({"metadata": {"name": "a"}})).await.expect(201);
    let path = format!("{CONFIG_MAPS}/a");
    let operations = |count: usize| -> Value {
        let data = std::iter::once(json!({"op": "add", "path": "/data", "value": {}}));
        let adds = (1..count).map(|n| json!({"op": "add", "path": format!("/data/k{n}"), "value": "v"}));
        data.chain(adds).collect()
    };
    let patched = client.patch(&path, "json", &operations(10_000)).await.expect(200);
    assert_eq!(patched["data"].as_object().map(|data| data.len()), Some(9_999));
    assert_eq!(
        client.patch(&path, "json", &operations(10_001)).await.refusal(),
        "413 The allowed maximum operations in a JSON patch is 10000, got 10001"
    );
    // As large as a body may be.
    let text = "x".repeat(900 * 1024);
    for (kind, patch) in [
        ("merge", json!({"data": {"big": text}})),
        ("strategic-merge", json!({"data": {"big": text}})),
        ("json", json!([{"op": "replace", "path": "/data", "value": {"big": text}}])),
    ] {
        let patched = client.patch(&path, kind, &patch).await.expect(200);
        assert_eq!(patched["data"]["big"].as_str().map(str::len), Some(text.len()), "{kind}");
    }
    let config = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"big": "y".repeat(4 << 20)}});
    let refused = apply(&client, &path, "big", config.to_string()).await;
    assert_eq!(refused.refusal(), "413 Request entity too large: limit is 3145728");
    still_serves(&server).await;
}
