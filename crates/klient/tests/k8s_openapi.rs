//! Types of k8s-openapi beside klient's own, in one program.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Node;
use klient::api::core::v1::ConfigMap;
use klient::{
    Client, Config, DeleteOptions, ListOptions, Object as _, ObjectMeta, Patch, TestServer, WatchEvent,
    WatchOptions,
};
use serde_json::json;

#[tokio::test]
async fn types_of_both_go_through_the_same_client() {
    let server = TestServer::start().await.unwrap();
    let client = Client::new(Config::from_kubeconfig(&server.kubeconfig()).unwrap()).unwrap();

    let config_maps = client.api::<ConfigMap>().namespace("default");
    let metadata = ObjectMeta { name: Some("own".into()), ..Default::default() };
    config_maps.create(&ConfigMap { metadata, ..Default::default() }).await.unwrap();

    let deployments = client.api::<Deployment>().namespace("default");
    let deployment: Deployment = serde_json::from_value(json!({
        "metadata": {"name": "theirs", "labels": {"app": "web"}},
        "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "web", "image": "nginx:1.29"}]},
            },
        },
    }))
    .unwrap();
    let created = deployments.create(&deployment).await.unwrap();
    assert_eq!((created.name(), created.labels().next()), ("theirs", Some(("app", "web"))));
    assert_eq!(created.spec.replicas, Some(1));

    let mut watch = deployments.watch(&WatchOptions::default()).await.unwrap();
    assert!(matches!(watch.next().await, Some(Ok(WatchEvent::Added(seen))) if seen == created));
    let patched = deployments.patch("theirs", &Patch::Merge(json!({"spec": {"replicas": 3}}))).await.unwrap();
    assert!(matches!(watch.next().await, Some(Ok(WatchEvent::Modified(seen))) if seen == patched));

    let mut changed = patched.clone();
    changed.spec.replicas = Some(4);
    assert_eq!(deployments.update(&changed).await.unwrap().spec.replicas, Some(4));
    // What was read before has gone stale.
    assert!(deployments.update(&changed).await.unwrap_err().is_conflict());

    let list = client.api::<Deployment>().list(&ListOptions::default()).await.unwrap();
    assert_eq!(list.items.len(), 1);
    deployments.delete("theirs", &DeleteOptions::default()).await.unwrap();
    assert!(deployments.get_opt("theirs").await.unwrap().is_none());
    assert!(client.api::<Node>().list(&ListOptions::default()).await.unwrap().items.is_empty());
}
