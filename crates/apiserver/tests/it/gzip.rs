//! Answers in gzip, for those who ask for it.

use std::io::Read as _;

use flate2::read::GzDecoder;
use http::Method;
use klient_apiserver::TestServer;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::client::{Client, Identity, Protocol};
use crate::objects::CONFIG_MAPS;

async fn get(client: &Client, path: &str, accept: &str, encoding: &str) -> Answer {
    client.send(Method::GET, path, &[("accept", accept), ("accept-encoding", encoding)], "").await
}

fn unzipped(answer: &Answer) -> Vec<u8> {
    assert_eq!((answer.header("content-encoding"), answer.header("vary")), ("gzip", "Accept-Encoding"));
    let mut bytes = Vec::new();
    GzDecoder::new(&*answer.body).read_to_end(&mut bytes).expect("it is gzip");
    bytes
}

/// Ages in tables depend on the time of the request.
fn without_ages(body: &[u8]) -> Vec<u8> {
    let age = regex::bytes::Regex::new(r#""\d+s""#).expect("the pattern is valid");
    age.replace_all(body, &b"AGE"[..]).into_owned()
}

async fn fill(client: &Client, count: usize, size: usize) {
    for index in 0..count {
        let data = json!({"k": "x".repeat(size)});
        let object = json!({"metadata": {"name": format!("a{index:02}")}, "data": data});
        client.post(CONFIG_MAPS, &object).await.expect(201);
    }
}

#[tokio::test]
async fn large_answers_are_compressed_for_those_who_ask() {
    let server = TestServer::start().await.unwrap();
    for protocol in [Protocol::Http1, Protocol::Http2] {
        let identity = Identity::Token(server.admin_token().to_owned());
        let client = Client::connect(&server, protocol, identity).await;
        if protocol == Protocol::Http1 {
            fill(&client, 20, 50_000).await;
        }
        let table = "application/json;as=Table;v=v1;g=meta.k8s.io";
        for accept in ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf", table] {
            let path = if accept == table {
                format!("{CONFIG_MAPS}?includeObject=Object")
            } else {
                CONFIG_MAPS.to_owned()
            };
            let plain = get(&client, &path, accept, "identity").await;
            assert_eq!((plain.header("content-encoding"), plain.header("vary")), ("", ""));
            let zipped = get(&client, &path, accept, "deflate, gzip").await;
            assert!(zipped.body.len() * 20 < plain.body.len(), "{accept} {}", zipped.body.len());
            assert_eq!(zipped.header("content-type"), plain.header("content-type"));
            assert!(without_ages(&unzipped(&zipped)) == without_ages(&plain.body), "{accept}");
        }
    }
}

#[tokio::test]
async fn only_what_is_large_is_compressed() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    fill(&client, 1, 128 * 1024 - 1000).await;
    let path = format!("{CONFIG_MAPS}/a00");
    let get = |accept: &'static str| get(&client, &path, "application/json", accept);
    assert_eq!(get("gzip").await.header("content-encoding"), "");
    client.patch(&path, "merge", &json!({"data": {"l": "y".repeat(1000)}})).await.expect(200);
    assert_eq!(get("br").await.header("content-encoding"), "");
    // As upstream, which knows no weights.
    assert_eq!(get("gzip;q=1").await.header("content-encoding"), "");
    let object: Value = serde_json::from_slice(&unzipped(&get(" gzip ").await)).expect("it is JSON");
    assert_eq!(object["data"]["l"], "y".repeat(1000));
}

#[tokio::test]
async fn watches_are_not_compressed() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    fill(&client, 4, 100_000).await;
    let (_, mut events) =
        client.stream(&format!("{CONFIG_MAPS}?watch=1"), &[("accept-encoding", "gzip")]).await;
    assert_eq!(events.header("content-encoding"), "");
    assert!(events.brief().await.starts_with("ADDED a00@"));
}

#[tokio::test]
async fn what_a_body_says_of_its_coding_is_not_heeded() {
    let server = TestServer::start().await.unwrap();
    let client = Client::admin(&server).await;
    let headers = [("content-type", "application/json"), ("content-encoding", "gzip")];
    let body = json!({"metadata": {"name": "a"}}).to_string();
    client.send(Method::POST, CONFIG_MAPS, &headers, body).await.expect(201);
}
