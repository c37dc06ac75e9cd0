//! OpenAPI documents.

use klient_client::DiskCache;
use serde_json::Value;

use crate::cluster::{cluster, create_gadgets};
use crate::front::Front;

#[tokio::test]
async fn a_document_is_read_again_if_its_hash_has_changed() {
    let (server, client) = cluster().await;
    let front = Front::proxy(&server, |_| {}).await;
    let openapi = front.client().discovery().openapi_v3();
    let before = openapi.paths().await.unwrap();
    assert!(before["apis/apps/v1"].server_relative_url().starts_with("/openapi/v3/apis/apps/v1?hash="));
    let apps = before["apis/apps/v1"].schema("application/json").await.unwrap();
    let apps: Value = serde_json::from_slice(&apps).unwrap();
    assert!(apps["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"].is_object());
    before["apis/apps/v1"].schema("application/json").await.unwrap();
    assert_eq!(front.requests().len(), 2, "{:?}", front.requests());
    assert!(front.requests()[1].ends_with("&timeout=32s"), "{:?}", front.requests());

    create_gadgets(&client).await;
    let after = openapi.paths().await.unwrap();
    assert!(!before.contains_key("apis/shop.example/v1"));
    after["apis/apps/v1"].schema("application/json").await.unwrap();
    assert_eq!(front.requests().len(), 3);
    after["apis/shop.example/v1"].schema("application/json").await.unwrap();
    assert_eq!(front.requests().len(), 4);

    let v2: Value = serde_json::from_slice(&front.client().discovery().openapi_v2().await.unwrap()).unwrap();
    assert!(v2["definitions"]["example.shop.v1.Gadget"].is_object());
}

#[tokio::test]
async fn a_document_on_disk_is_confirmed_by_its_etag() {
    let hash = "/openapi/v3/apis/shop.example/v1?hash=A1";
    let index = format!(r#"{{"paths":{{"apis/shop.example/v1":{{"serverRelativeURL":"{hash}"}}}}}}"#);
    let folder = tempfile::tempdir().unwrap();
    let say =
        |head: &str, body: &str| format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let front = Front::saying(&[
        &say("200 OK", &index),
        &say("200 OK\r\nETag: \"A1\"\r\nCache-Control: public, immutable", r#"{"openapi":"3.0.0"}"#),
        &say("200 OK", &index),
        "HTTP/1.1 304 Not Modified\r\nETag: \"A1\"\r\n\r\n",
    ])
    .await;
    for _ in 0..2 {
        let client = front.client();
        let cache = DiskCache::below(folder.path(), &client.config().url);
        let discovery = client.discovery().disk_cached(cache);
        let paths = discovery.openapi_v3().paths().await.unwrap();
        let document = paths["apis/shop.example/v1"].schema("application/json").await.unwrap();
        assert_eq!(document, r#"{"openapi":"3.0.0"}"#);
    }
    assert_eq!(front.requests().len(), 4);
}
