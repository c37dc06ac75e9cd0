//! The routes with an envelope.

use std::io::Read as _;

use klient_gateway::Options;
use serde_json::json;

use crate::stage::{GADGETS, Stage};

#[tokio::test(flavor = "multi_thread")]
async fn answers_have_a_code_a_message_and_data() {
    let stage = Stage::start(Options::default()).await;
    assert_eq!(stage.get("/ping").await.json(), json!({ "code": 20000, "message": "pong" }));
    let empty = stage.get("/pod/list").await;
    assert_eq!(empty.json(), json!({ "code": 20000, "message": "success", "data": [] }));
    for name in ["a", "b"] {
        let pod = json!({ "metadata": { "name": name }, "spec": { "containers": [{ "name": "a", "image": "a" }] } });
        stage.create("/api/v1/namespaces/default/pods", pod).await;
    }
    let two = async {
        loop {
            let answer = stage.get("/pod/list").await.json();
            if answer["data"].as_array().unwrap().len() == 2 {
                return answer;
            }
        }
    };
    let pods = crate::stage::soon("two pods", two).await;
    assert_eq!(pods["data"][0]["spec"]["containers"][0]["image"], "a");
    let namespaces = stage.get("/namespaces/core/v1").await.json();
    assert!(namespaces["data"].as_array().unwrap().len() >= 4, "{namespaces}");
    stage.define_gadgets().await;
    let gadget =
        json!({ "apiVersion": "shop.example/v1", "kind": "Gadget", "metadata": { "name": "g" }, "spec": {} });
    stage.create(GADGETS, gadget).await;
    let gadgets = stage.get("/gadgets/shop.example/v1").await.json();
    assert_eq!(gadgets["data"][0]["metadata"]["name"], "g", "{gadgets}");
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_have_the_status_200_and_another_code() {
    let stage = Stage::start(Options::default()).await;
    for path in ["/gadgets/shop.example/v1", "/pods/core/v9", "/secrets/core/v1", "/a/b/c"] {
        let answer = stage.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        let answer = answer.json();
        assert_eq!(answer["code"], 40000, "{path}");
        assert!(!answer["message"].as_str().unwrap().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn long_lists_come_in_parts_and_compressed_if_that_is_taken() {
    let stage = Stage::start(Options::default()).await;
    for at in 0..20 {
        let data = json!({ "text": "x".repeat(20_000), "at": at.to_string() });
        stage
            .create(crate::stage::MAPS, json!({ "metadata": { "name": format!("m{at}") }, "data": data }))
            .await;
    }
    let plain = stage.get("/configmaps/core/v1").await;
    assert!(plain.body.len() > 400_000);
    assert!(plain.json()["data"].as_array().unwrap().len() >= 20);
    let request = stage.request("/configmaps/core/v1").header("accept-encoding", "gzip").body(String::new());
    let packed = stage.send(request.unwrap()).await;
    assert_eq!(packed.header("content-encoding"), "gzip");
    let mut whole = Vec::new();
    flate2::read::GzDecoder::new(&packed.body[..]).read_to_end(&mut whole).unwrap();
    assert_eq!(whole.len(), plain.body.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_the_client_has_is_not_sent_again() {
    let stage = Stage::start(Options::default()).await;
    stage.config_map("a", json!({})).await;
    let first = stage.get("/configmaps/core/v1").await;
    let again = async |tag: &str| {
        let request = stage.request("/configmaps/core/v1").header("if-none-match", tag);
        stage.send(request.body(String::new()).unwrap()).await
    };
    let tag = first.header("etag");
    let same = again(tag).await;
    assert_eq!((same.status.as_u16(), same.header("etag"), same.body.len()), (304, tag, 0));
    stage.config_map("b", json!({})).await;
    let other = async {
        loop {
            let answer = again(tag).await;
            if answer.status == 200 {
                return answer;
            }
        }
    };
    let other = crate::stage::soon("another list", other).await;
    assert_ne!(other.header("etag"), tag);
    assert!(other.text().contains("\"name\":\"b\""));
}
