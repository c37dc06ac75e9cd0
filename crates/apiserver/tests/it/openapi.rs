//! OpenAPI documents beside those of kube-apiserver 1.37, of which facts are kept: `openapi/documents.facts` is made by
//! `cargo xtask openapi`; the schemas of custom resources are recorded from `openapi/builder` of
//! k8s.io/apiextensions-apiserver.

use std::collections::{BTreeMap, BTreeSet};

use http::Method;
use klient_apiserver::TestServer;
use klient_codegen::openapi_facts;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::client::Client;
use crate::definition::{defined, delete};
use crate::objects::{DEFINITIONS, anything, gadgets, two_versions};

const V2_PROTOBUF: &str = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
const V3_PROTOBUF: &str = "application/com.github.proto-openapi.spec.v3@v1.0+protobuf";

/// The URLs of the documents, by path.
async fn index(client: &Client) -> BTreeMap<String, String> {
    let index = client.get("/openapi/v3").await.expect(200);
    let paths = index["paths"].as_object().expect("the index has paths");
    let url = |entry: &Value| entry["serverRelativeURL"].as_str().expect("a URL").to_owned();
    paths.iter().map(|(path, entry)| (path.clone(), url(entry))).collect()
}

/// The documents of v3 whose path a predicate accepts.
async fn documents(client: &Client, is_wanted: impl Fn(&str) -> bool) -> BTreeMap<String, Value> {
    let mut documents = BTreeMap::new();
    for (path, url) in index(client).await.into_iter().filter(|(path, _)| is_wanted(path)) {
        documents.insert(path, client.get(&url).await.expect(200));
    }
    documents
}

#[track_caller]
fn assert_facts(found: &str, expected: &str) {
    let parts = |facts: &str| -> BTreeSet<String> {
        facts.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
    };
    let (found, expected) = (parts(found), parts(expected));
    let new = found.difference(&expected).map(|line| format!("+ {line}"));
    let missing = expected.difference(&found).map(|line| format!("- {line}"));
    let differences: Vec<String> = new.chain(missing).collect();
    assert!(
        differences.is_empty(),
        "the documents have other parts (+) than upstream's (-):\n{}",
        differences.join("\n")
    );
}

#[tokio::test]
async fn the_documents_have_the_structure_of_those_of_kube_apiserver() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let v3 = documents(&client, |_| true).await;
    assert_eq!(v3.len(), 49);
    let v2 = client.get("/openapi/v2").await.expect(200);
    assert_facts(&openapi_facts(&v3, &v2), include_str!("openapi/documents.facts"));
}

#[tokio::test]
async fn custom_resources_are_published_as_upstream_does() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let cases: Vec<Value> = include_str!("openapi/custom.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line is a case"))
        .collect();
    for case in &cases {
        client.post(DEFINITIONS, &case["definition"]).await.expect(201);
    }
    let v3 = documents(&client, |path| path.contains("shop.example.com") || path.contains("sky.io")).await;
    let v2 = client.get("/openapi/v2").await.expect(200);
    for case in &cases {
        for (name, expected) in case["v3"].as_object().into_iter().flatten() {
            let found = v3.values().find_map(|document| document["components"]["schemas"].get(name));
            assert_eq!(found.map(bare).as_ref(), Some(expected), "v3 of {name}");
        }
        for (name, expected) in case["v2"].as_object().into_iter().flatten() {
            let found = v2["definitions"].get(name).map(bare);
            assert_eq!(found.as_ref(), Some(expected), "v2 of {name}");
        }
    }
    // The server's own v2 has more group-versions of it than the clients' scheme.
    let own = |line: &&str| !line.contains("DeleteOptions");
    let lines = |facts: &str| facts.lines().filter(own).collect::<Vec<_>>().join("\n");
    assert_facts(&lines(&openapi_facts(&v3, &v2)), &lines(include_str!("openapi/custom.facts")));
    let described = &v3["apis/shop.example.com/v1"]["components"]["schemas"]["com.example.shop.v1.Gadget"];
    assert_eq!(described["description"], "A gadget of the shop.");
    assert_eq!(described["properties"]["spec"]["properties"]["color"]["description"], "Its color.");
}

/// A schema without descriptions.
fn bare(schema: &Value) -> Value {
    match schema {
        Value::Object(schema) => {
            let said = schema.iter().filter(|(name, value)| *name != "description" || !value.is_string());
            Value::Object(said.map(|(name, value)| (name.clone(), bare(value))).collect())
        }
        Value::Array(items) => items.iter().map(bare).collect(),
        other => other.clone(),
    }
}

#[tokio::test]
async fn a_document_is_kept_by_clients_under_its_hash() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let url = &index(&client).await["apis/apps/v1"];
    let hash = url.strip_prefix("/openapi/v3/apis/apps/v1?hash=").expect("the URL has the hash");
    let current = client.get(url).await;
    assert_eq!(current.header("cache-control"), "public, immutable");
    assert!(!current.header("expires").is_empty());
    assert_eq!(current.header("etag"), format!("\"{hash}\""));

    let known = [("if-none-match", current.header("etag"))];
    let unchanged = client.send(Method::GET, "/openapi/v3/apis/apps/v1", &known, "").await;
    assert_eq!((unchanged.status.as_u16(), unchanged.text()), (304, ""));
    let bare = client.get("/openapi/v3/apis/apps/v1").await;
    assert_eq!((bare.status.as_u16(), bare.header("cache-control")), (200, "no-cache, private"));

    let outdated = client.get("/openapi/v3/apis/apps/v1?hash=00").await;
    assert_eq!((outdated.status.as_u16(), outdated.header("location")), (301, url.as_str()));
    assert_eq!(client.get("/openapi/v3/apis/apps/v2").await.status, 404);
    assert_eq!(client.get_as("/openapi/v3/apis/apps/v1", "text/plain").await.status, 406);
}

#[tokio::test]
async fn the_documents_come_as_protobuf_too() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let check = |answer: &Answer, content_type: &str, start: &[u8]| {
        assert_eq!(answer.header("content-type"), content_type);
        assert_eq!(answer.header("vary"), "Accept");
        assert_eq!(&answer.body[..start.len()], start);
        let name = b"io.k8s.api.apps.v1.Deployment";
        assert!(answer.body.windows(name.len()).any(|window| window == name));
    };
    let v2 = client.get_as("/openapi/v2", V2_PROTOBUF).await;
    check(&v2, "application/com.github.proto-openapi.spec.v2.v1.0+protobuf", b"\x0a\x032.0\x12");
    let v3 = client.get_as("/openapi/v3/apis/apps/v1", V3_PROTOBUF).await;
    check(&v3, "application/com.github.proto-openapi.spec.v3.v1.0+protobuf", b"\x0a\x053.0.0\x12");
    assert_eq!(v2.header("etag"), client.get("/openapi/v2").await.header("etag"));
    let gzipped = client.send(Method::GET, "/openapi/v2", &[("accept-encoding", "gzip")], "").await;
    assert_eq!(gzipped.header("content-encoding"), "gzip");
}

#[tokio::test]
async fn a_definition_is_published_as_it_is_changed_renamed_and_deleted() {
    let (_server, client) = defined(&two_versions()).await;
    let size = "/properties/spec/properties/size/type";
    let schema = |version: &str| format!("/components/schemas/example.a.{version}.Gadget{size}");
    for version in ["v1", "v2"] {
        let document = client.get(&format!("/openapi/v3/apis/a.example/{version}")).await.expect(200);
        assert_eq!(document.pointer(&schema(version)), Some(&json!("integer")), "{version}");
    }
    let etag = client.get("/openapi/v2").await.header("etag").to_owned();
    let url = index(&client).await["apis/a.example/v1"].clone();

    let path = format!("{DEFINITIONS}/gadgets.a.example");
    let spec = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/size";
    let change = json!([
        {"op": "replace", "path": spec, "value": {"type": "string"}},
        {"op": "replace", "path": "/spec/versions/1/served", "value": false},
    ]);
    client.patch(&path, "json", &change).await.expect(200);
    let changed = client.get("/openapi/v3/apis/a.example/v1").await.expect(200);
    assert_eq!(changed.pointer(&schema("v1")), Some(&json!("string")));
    assert_ne!(index(&client).await["apis/a.example/v1"], url);
    assert_eq!(client.get(&url).await.status, 301);
    assert_eq!(client.get("/openapi/v3/apis/a.example/v2").await.status, 404);
    let v2 = client.get("/openapi/v2").await;
    assert_ne!(v2.header("etag"), etag);
    assert!(v2.json()["definitions"]["example.a.v1.Gadget"].is_object());
    assert!(v2.json()["definitions"]["example.a.v2.Gadget"].is_null());

    let rename = json!([
        {"op": "replace", "path": "/spec/versions/1/name", "value": "v3"},
        {"op": "replace", "path": "/spec/versions/1/served", "value": true},
    ]);
    client.patch(&path, "json", &rename).await.expect(200);
    let own: Vec<String> =
        index(&client).await.into_keys().filter(|path| path.contains("a.example")).collect();
    assert_eq!(own, ["apis/a.example/v1", "apis/a.example/v3"]);

    delete(&client, "gadgets.a.example").await;
    assert_eq!(client.get("/openapi/v3/apis/a.example/v1").await.status, 404);
    assert!(!index(&client).await.contains_key("apis/a.example/v1"));
    assert!(client.get("/openapi/v2").await.json()["definitions"]["example.a.v1.Gadget"].is_null());
}

#[tokio::test]
async fn a_document_of_another_definition_stays_the_same() {
    let (_server, client) = defined(&gadgets(anything())).await;
    let before = index(&client).await;
    let mut other = gadgets(anything());
    other["metadata"]["name"] = "tools.b.example".into();
    other["spec"]["group"] = "b.example".into();
    other["spec"]["names"] = json!({"plural": "tools", "kind": "Tool"});
    client.post(DEFINITIONS, &other).await.expect(201);
    let mut after = index(&client).await;
    assert!(after.remove("apis/b.example/v1").is_some());
    assert_eq!(after, before);
}
