//! OpenAPI documents.

use serde_json::Value;

use super::test_cluster::{TestCluster, until};
use crate::formats::Wire;

#[tokio::test]
async fn an_openapi_document_is_read_again_if_its_hash_has_changed() {
    let cluster = TestCluster::start().await;
    let wire = Wire::default();
    let openapi = wire.client(cluster.config()).discovery().openapi_v3();
    let before = openapi.paths().await.unwrap();
    let url = before["apis/apps/v1"].server_relative_url().to_owned();
    assert!(url.starts_with("/openapi/v3/apis/apps/v1?hash="), "{url}");
    let document = before["apis/apps/v1"].schema("application/json").await.unwrap();
    let document: Value = serde_json::from_slice(&document).unwrap();
    let path = &document["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"];
    let kind = &path["patch"]["x-kubernetes-group-version-kind"];
    assert_eq!(*kind, serde_json::json!({"group": "apps", "kind": "Deployment", "version": "v1"}));
    before["apis/apps/v1"].schema("application/json").await.unwrap();
    assert_eq!(wire.taken().len(), 2);

    let group = cluster.define("Gadget", "Namespaced", &cluster.unique("gd")).await;
    let own = format!("apis/{group}/v1");
    let after = until("a document", async || {
        Some(openapi.paths().await.unwrap()).filter(|paths| paths.contains_key(&own))
    })
    .await;
    wire.taken();
    assert_eq!(after["apis/apps/v1"].server_relative_url(), url);
    after["apis/apps/v1"].schema("application/json").await.unwrap();
    assert_eq!(wire.taken().len(), 0);
    let document = after[&own].schema("application/json").await.unwrap();
    let document: Value = serde_json::from_slice(&document).unwrap();
    assert_eq!(wire.taken().len(), 1);
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let gadget =
        schemas.values().find(|schema| schema["x-kubernetes-group-version-kind"][0]["kind"] == "Gadget");
    assert_eq!(gadget.expect("a schema of Gadget")["properties"]["spec"]["properties"]["size"]["minimum"], 0);
}
