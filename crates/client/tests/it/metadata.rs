//! Handles to objects' metadata.

use klient_api::core::v1::ConfigMap;
use klient_apimachinery::Resource as _;
use klient_client::{Config, DeleteOptions, Encoding, ListOptions, Patch, WatchOptions};
use serde_json::json;

use crate::cluster::{cluster, config, config_map, create_gadgets, soon, told};
use crate::formats::Wire;

const PARTIAL: &str = "as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
const LIST: &str = "as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";
const JSON: &str = "application/json";

#[tokio::test]
async fn metadata_of_built_in_kinds_comes_in_either_format() {
    let (server, plain) = cluster().await;
    let config_maps = plain.api::<ConfigMap>().namespace("default");
    for encoding in [Encoding::Negotiate, Encoding::Json] {
        let wire = Wire::default();
        let client = wire.client(Config { encoding, ..config(&server) });
        let metadata = client.metadata(ConfigMap::INFO).namespace("default");
        let created = config_maps.create(&config_map("sky", "blue")).await.unwrap();
        assert_eq!(metadata.get("sky").await.unwrap().metadata, created.metadata);
        let list = metadata.list(&ListOptions::default()).await.unwrap();
        assert_eq!(list.items[0].metadata, created.metadata);
        let mut watch = metadata.watch(&WatchOptions::default()).await.unwrap();
        assert_eq!(told(&soon("an event", watch.next()).await.unwrap().unwrap()), "+sky");
        let label = Patch::Merge(json!({"metadata": {"labels": {"seen": "yes"}}}));
        let patched = metadata.patch("sky", &label).await.unwrap();
        assert_eq!(patched.metadata.labels["seen"], "yes");
        metadata.delete("sky", &DeleteOptions::default()).await.unwrap();
        let accepts = |form: &str| match encoding {
            Encoding::Json => format!("{JSON};{form}"),
            _ => format!("{PROTOBUF};{form},{JSON};{form}"),
        };
        let gets = if encoding == Encoding::Json { JSON } else { PROTOBUF };
        assert_eq!(
            wire.taken()[..3],
            [
                format!("GET accepts {} sends nothing gets 200 {gets}", accepts(PARTIAL)),
                format!("GET accepts {} sends nothing gets 200 {gets}", accepts(LIST)),
                format!(
                    "GET accepts {} sends nothing gets 200 {gets}{}",
                    accepts(PARTIAL),
                    if encoding == Encoding::Json { "" } else { ";stream=watch" }
                ),
            ]
        );
    }
}

#[tokio::test]
async fn metadata_of_custom_kinds_comes_too() {
    let (_server, client) = cluster().await;
    create_gadgets(&client).await;
    let mapper = klient_client::RestMapper::new(client.discovery().resources().await.unwrap());
    let kind = mapper.resource("gadgets").unwrap();
    let gadget = json!({
        "apiVersion": kind.info.api_version(), "kind": kind.info.kind,
        "metadata": {"name": "one"}, "spec": {"size": 1},
    });
    let gadgets = client.dynamic(kind).namespace("default");
    gadgets.create(&serde_json::from_value(gadget).unwrap()).await.unwrap();
    let list = client.metadata(kind).list(&ListOptions::default()).await.unwrap();
    assert_eq!(list.items[0].metadata.name.as_deref(), Some("one"));
    client.metadata(kind).namespace("default").delete("one", &DeleteOptions::default()).await.unwrap();
    assert!(gadgets.get_opt("one").await.unwrap().is_none());
}
