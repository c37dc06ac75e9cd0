//! Admission through HTTP: a plugin that waits does not block other writes.

use std::sync::Arc;
use std::time::Duration;

use klient_apimachinery::codec::Wire as _;
use klient_apimachinery::values::{Map, map_at};
use klient_apimachinery::{BoxFuture, ResourceInfo, Unstructured};
use klient_client::{Api, Client, Config, DynamicPlace};
use serde_json::json;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::{Attributes, Operation, Plugin};
use crate::server::{Options, Server};
use crate::status::{Failure, Result};

const WRITERS: usize = 100;

/// Waits 50 ms, and until so many writes are being admitted at once; then sets a label.
struct Slow(Barrier);

impl Plugin for Slow {
    fn admit<'a>(
        &'a self,
        attributes: &'a Attributes<'_>,
        object: Option<&'a mut Map>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            if attributes.resource.info.kind != "ConfigMap" {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
            self.0.wait().await;
            if let Some(object) = object {
                map_at(map_at(object, "metadata"), "labels").insert("admitted".to_owned(), "yes".into());
            }
            Ok(())
        })
    }
}

/// Rejects the creation of objects named "bad".
struct Strict;

impl Plugin for Strict {
    fn validate<'a>(
        &'a self,
        attributes: &'a Attributes<'_>,
        object: Option<&'a Map>,
    ) -> BoxFuture<'a, Result<()>> {
        let is_bad = attributes.operation == Operation::Create && attributes.name == "bad";
        let target = attributes.resource.target(attributes.name);
        let data = object.map(|object| object["data"].to_string()).unwrap_or_default();
        let refused = Failure::forbidden(&target, &format!("its data is {data}"));
        Box::pin(std::future::ready(if is_bad { Err(refused) } else { Ok(()) }))
    }
}

type ConfigMaps = Api<Unstructured, DynamicPlace>;

async fn config_maps(plugin: impl Plugin + 'static) -> (Server, ConfigMaps) {
    let server = Server::start_with(Options::default(), vec![Arc::new(plugin)]).await.unwrap();
    let client = Client::new(Config::from_kubeconfig(&server.kubeconfig()).unwrap()).unwrap();
    let resource = ResourceInfo::from_static("", "v1", "ConfigMap", "configmaps", true);
    (server, client.dynamic(resource).namespace("default"))
}

fn config_map(name: &str) -> Unstructured {
    let object =
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"a": "b"}});
    Unstructured::from_json(object.to_string().as_bytes()).unwrap()
}

#[tokio::test]
async fn a_plugin_that_waits_holds_up_no_other_write() {
    // The plugin blocks all writes until all are in it: if writes waited for each other, none would end.
    let (_server, config_maps) = config_maps(Slow(Barrier::new(WRITERS))).await;
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let config_maps = config_maps.clone();
        writers.spawn(async move { config_maps.create(&config_map(&format!("c{writer}"))).await });
    }
    let done = tokio::time::timeout(Duration::from_secs(60), writers.join_all()).await;
    for created in done.expect("no write waits for another") {
        assert_eq!(created.unwrap()["metadata"]["labels"], json!({"admitted": "yes"}));
    }
}

#[tokio::test]
async fn a_plugin_refuses_in_its_own_words() {
    let (_server, config_maps) = config_maps(Strict).await;
    let refused = config_maps.create(&config_map("bad")).await.unwrap_err();
    assert!(refused.is_forbidden());
    assert!(
        refused.to_string().ends_with(r#"configmaps "bad" is forbidden: its data is {"a":"b"}"#),
        "{refused}"
    );
    assert!(config_maps.get("bad").await.unwrap_err().is_not_found());
    config_maps.create(&config_map("good")).await.unwrap();
}
