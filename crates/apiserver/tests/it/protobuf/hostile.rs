//! Protobuf that is broken or mean.

use klient_apiserver::TestServer;
use serde_json::json;

use super::{encode, enveloped, post, raw, refusal, schema};
use crate::client::Client;
use crate::objects::{CONFIG_MAPS, DEFINITIONS, PODS, named, pod};

#[tokio::test]
async fn what_is_no_object_is_refused_in_upstreams_words() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let whole = encode("v1", "ConfigMap", &json!({"metadata": {"name": "a"}, "data": {"k": "v"}}));
    let raw = raw(&named("a"), schema("v1", "ConfigMap"));
    let unrecognized = "400 the object provided is unrecognized (must be of type ConfigMap):";
    let cannot = |kind: &str| format!(r#"400 {kind} in version "v1" cannot be handled as a ConfigMap:"#);
    for (body, words) in [
        (Vec::new(), format!("{unrecognized} empty data (<empty>)")),
        (b"k8s\0".to_vec(), format!("{unrecognized} empty body (6b387300)")),
        (
            b"{}".to_vec(),
            format!(
                "{unrecognized} provided data does not appear to be a protobuf message, expected prefix [107 56 115 0] ({{}})"
            ),
        ),
        (whole[..9].to_vec(), format!("{unrecognized} unexpected EOF (6b3873000a0f0a0276)")),
        (
            enveloped("v1", "ConfigMap", &raw[..raw.len() - 1]),
            format!("{} unexpected EOF", cannot("ConfigMap")),
        ),
        (
            enveloped("v1", "ConfigMap", &[8, 1]),
            format!("{} metadata: it is written as another type is", cannot("ConfigMap")),
        ),
        (
            enveloped("v1", "ConfigMap", &[0xff; 11]),
            format!("{} proto: integer overflow", cannot("ConfigMap")),
        ),
        (
            enveloped("v1", "ConfigMap", &[10, 0xff, 0xff, 0xff, 0xff, 0x7f]),
            format!("{} unexpected EOF", cannot("ConfigMap")),
        ),
        (
            encode("v1", "Pod", &pod("p")),
            format!("{} converting (v1.Pod) to (core.ConfigMap): unknown conversion", cannot("Pod")),
        ),
        (
            enveloped("v1", "Nothing", &raw),
            format!(
                r#"{} no kind "Nothing" is registered for version "v1" in scheme "pkg/runtime/scheme.go:111""#,
                cannot("Nothing")
            ),
        ),
    ] {
        assert_eq!(refusal(&post(&client, CONFIG_MAPS, body).await), words);
    }
    let key = "k".repeat(1_000_000);
    let entry = field(2, &[field(1, key.as_bytes()), vec![16, 1]].concat());
    let words = refusal(&post(&client, CONFIG_MAPS, enveloped("v1", "ConfigMap", &entry)).await);
    assert_eq!(words, format!("{} it is written as another type is", cannot("ConfigMap")));
    // A body without a kind is decoded as the kind of the path, and unknown fields are skipped.
    let unknown = [raw.as_slice(), &[0xf8, 0x7f, 1]].concat();
    assert_eq!(post(&client, CONFIG_MAPS, enveloped("", "", &unknown)).await.status, 201);
}

/// A field that holds bytes.
fn field(number: usize, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for mut varint in [number << 3 | 2, bytes.len()] {
        while varint >= 0x80 {
            out.push(varint as u8 | 0x80);
            varint >>= 7;
        }
        out.push(varint as u8);
    }
    out.extend_from_slice(bytes);
    out
}

#[tokio::test]
async fn what_is_nested_too_deep_is_refused() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    // `not` within `not` of a schema, which is the only struct that holds itself.
    let schema = (0..10_000).fold(Vec::new(), |inner, _| field(28, &inner));
    let version = field(4, &field(1, &schema));
    let definition = field(2, &field(7, &version));
    let body = enveloped("apiextensions.k8s.io/v1", "CustomResourceDefinition", &definition);
    let words = refusal(&post(&client, DEFINITIONS, body).await);
    assert!(words.starts_with("400 CustomResourceDefinition in version"), "{words}");
    assert!(words.contains("structs are nested too deep") && words.len() < 10_000, "{words}");
    // JSON within protobuf.
    let deep = "[".repeat(100_000);
    let data = field(2, &field(1, deep.as_bytes()));
    let body = enveloped("apps/v1", "ControllerRevision", &data);
    let path = "/apis/apps/v1/namespaces/default/controllerrevisions";
    let words = refusal(&post(&client, path, body).await);
    assert!(words.contains("data: what should be JSON is none"), "{words}");
}

#[tokio::test]
async fn what_grows_when_it_is_read_is_refused() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let words = |kind: &str| {
        format!(r#"400 {kind} in version "v1" cannot be handled as a {kind}: it holds too many structs"#)
    };
    let named = field(1, &field(1, b"p"));
    let containers = field(2, &[]).repeat(1_500_000);
    let body = enveloped("v1", "Pod", &[named.clone(), field(2, &containers)].concat());
    assert_eq!(refusal(&post(&client, PODS, body).await), words("Pod"));
    let schemas = field(7, &field(4, &field(1, &field(27, &[]).repeat(1_000_000))));
    let body = enveloped(
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        &[named, field(2, &schemas)].concat(),
    );
    assert_eq!(refusal(&post(&client, DEFINITIONS, body).await), words("CustomResourceDefinition"));
    // As many strings as fit are no trouble.
    let strings = field(1, &[field(1, b"p"), field(14, b"a.example/f")].concat());
    let data: Vec<u8> = (0..150_000)
        .flat_map(|index| field(2, &[field(1, format!("k{index}").as_bytes()), field(2, b"v")].concat()))
        .collect();
    let body = enveloped("v1", "ConfigMap", &[strings, data].concat());
    assert_eq!(post(&client, CONFIG_MAPS, body).await.status, 201);
}
