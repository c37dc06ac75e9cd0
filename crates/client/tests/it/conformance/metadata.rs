//! Objects' metadata without the objects.

use klient_api::core::v1::ConfigMap;
use klient_apimachinery::Resource as _;
use klient_client::{Config, DeferredRestMapper, DeleteOptions, Encoding, ListOptions, Patch, WatchOptions};
use serde_json::json;

use super::test_cluster::{TestCluster, object};
use crate::cluster::{config_map, soon, told};
use crate::formats::Wire;

#[tokio::test]
async fn metadata_of_built_in_resources_comes_in_either_format() {
    let cluster = TestCluster::start().await;
    let config_maps = cluster.client().api::<ConfigMap>().namespace(&cluster.namespace);
    for (encoding, media_type) in
        [(Encoding::Protobuf, "application/vnd.kubernetes.protobuf"), (Encoding::Json, "application/json")]
    {
        let wire = Wire::default();
        let client = wire.client(Config { encoding, ..cluster.config() });
        let metadata = client.metadata(ConfigMap::INFO).namespace(&cluster.namespace);
        let created = config_maps.create(&config_map("sky", "blue")).await.unwrap();
        assert_eq!(metadata.get("sky").await.unwrap().metadata, created.metadata);
        let list = metadata.list(&ListOptions::default()).await.unwrap();
        assert_eq!(list.items[0].metadata, created.metadata);
        assert_eq!(list.items.len(), 1);
        let from = WatchOptions { resource_version: created.metadata.resource_version, ..Default::default() };
        let mut watch = metadata.watch(&from).await.unwrap();
        let label = Patch::Merge(json!({"metadata": {"labels": {"seen": "yes"}}}));
        let patched = metadata.patch("sky", &label).await.unwrap();
        assert_eq!(patched.metadata.labels["seen"], "yes");
        metadata.delete("sky", &DeleteOptions::default()).await.unwrap();
        for event in ["~sky", "-sky"] {
            assert_eq!(told(&soon("an event", watch.next()).await.unwrap().unwrap()), event);
        }
        assert!(metadata.get("sky").await.unwrap_err().is_not_found());
        let types: Vec<_> =
            wire.taken().iter().map(|line| line.split(" gets ").nth(1).unwrap().to_owned()).collect();
        let ok = format!("200 {media_type}");
        let stream = if encoding == Encoding::Json { "" } else { ";stream=watch" };
        assert_eq!(types, [&*ok, &ok, &format!("{ok}{stream}"), &ok, &ok, "404 application/json"]);
    }
}

#[tokio::test]
async fn metadata_of_custom_resources_comes_too() {
    let cluster = TestCluster::start().await;
    let client = cluster.client();
    let group = cluster.define("Gadget", "Namespaced", &cluster.unique("gd")).await;
    let mapper = DeferredRestMapper::new(client.discovery().memory_cached());
    let kind = mapper.kind(&group, "Gadget", None).await.unwrap();
    let gadget = object(json!({
        "apiVersion": kind.info.api_version(), "kind": "Gadget", "metadata": {"name": "one"}, "spec": {"size": 1},
    }));
    client.dynamic(&kind).namespace(&cluster.namespace).create(&gadget).await.unwrap();
    let metadata = client.metadata(&kind).namespace(&cluster.namespace);
    let initial = WatchOptions { send_initial_events: true, ..Default::default() };
    let mut watch = metadata.watch(&initial).await.unwrap();
    let patch = Patch::Merge(json!({"metadata": {"annotations": {"seen": "yes"}}}));
    assert_eq!(metadata.patch("one", &patch).await.unwrap().metadata.annotations["seen"], "yes");
    let list = client.metadata(&kind).list(&ListOptions::default()).await.unwrap();
    assert_eq!(list.items[0].metadata.name.as_deref(), Some("one"));
    metadata.delete("one", &DeleteOptions::default()).await.unwrap();
    for event in ["+one", "bookmark, initial events end", "~one", "-one"] {
        assert_eq!(told(&soon("an event", watch.next()).await.unwrap().unwrap()), event);
    }
}
