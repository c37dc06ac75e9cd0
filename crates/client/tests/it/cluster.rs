//! A server with a client of it, and objects to put there.

use std::time::Duration;

use klient_api::apiextensions::v1::CustomResourceDefinition;
use klient_api::core::v1::{ConfigMap, Container, Pod, PodSpec};
use klient_apimachinery::codec::Wire as _;
use klient_apimachinery::meta::v1::ObjectMeta;
use klient_apiserver::TestServer;
use klient_client::{Client, Config, ListOptions, WatchEvent};
use serde_json::json;

/// The time after which a test fails that waits for something that must happen.
const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for what must happen.
pub(crate) async fn soon<F: Future>(what: &str, future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("{what} does not happen"))
}

/// A server, and a client of one who may do everything.
pub(crate) async fn cluster() -> (TestServer, Client) {
    let server = TestServer::start().await.unwrap();
    let client = Client::new(config(&server)).unwrap();
    (server, client)
}

pub(crate) fn config(server: &TestServer) -> Config {
    Config::from_kubeconfig(&server.kubeconfig()).unwrap()
}

pub(crate) fn named(name: &str) -> ObjectMeta {
    ObjectMeta::named(name)
}

pub(crate) fn config_map(name: &str, color: &str) -> ConfigMap {
    ConfigMap { metadata: named(name), data: [("color", color)].into(), ..Default::default() }
}

/// A pod labelled with its app.
pub(crate) fn pod(name: &str, app: &str) -> Pod {
    Pod {
        metadata: ObjectMeta { labels: [("app", app)].into(), ..named(name) },
        spec: PodSpec {
            containers: vec![Container {
                name: "web".into(),
                image: Some("nginx".into()),
                ..Default::default()
            }],
            ..Default::default()
        },
        ..Default::default()
    }
}

/// An event in a word and the name of its object: `+a`, `~a`, `-a`, `bookmark`, `error 410`.
pub(crate) fn told<K: klient_apimachinery::Object>(event: &WatchEvent<K>) -> String {
    match event {
        WatchEvent::Added(object) => format!("+{}", object.name()),
        WatchEvent::Modified(object) => format!("~{}", object.name()),
        WatchEvent::Deleted(object) => format!("-{}", object.name()),
        WatchEvent::Bookmark(mark) if mark.initial_events_end => "bookmark, initial events end".to_owned(),
        WatchEvent::Bookmark(_) => "bookmark".to_owned(),
        WatchEvent::Error(status) => format!("error {}", status.code.unwrap_or_default()),
        _ => panic!("another kind of event"),
    }
}

/// Makes the server serve gadgets: namespaced, short name `gd`, in category `toys`, with a status and a scale.
pub(crate) async fn create_gadgets(client: &Client) {
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "gadgets.shop.example"},
        "spec": {
            "group": "shop.example",
            "scope": "Namespaced",
            "names": {
                "plural": "gadgets", "singular": "gadget", "kind": "Gadget", "listKind": "GadgetList",
                "shortNames": ["gd"], "categories": ["toys"],
            },
            "versions": [{
                "name": "v1", "served": true, "storage": true,
                "subresources": {
                    "status": {},
                    "scale": {"specReplicasPath": ".spec.size", "statusReplicasPath": ".status.size"},
                },
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {
                    "spec": {"type": "object", "properties": {"size": {"type": "integer", "minimum": 0}}},
                    "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
                }}},
            }],
        },
    });
    let definition = CustomResourceDefinition::from_json(definition.to_string().as_bytes()).unwrap();
    client.api().create(&definition).await.unwrap();
}

/// Creates 200 config maps at once, and checks that all are there.
pub(crate) async fn create_two_hundred(client: &Client) {
    let creating: Vec<_> = (0..200)
        .map(|number| {
            let config_maps = client.api::<ConfigMap>().namespace("default");
            tokio::spawn(async move { config_maps.create(&config_map(&format!("c{number}"), "red")).await })
        })
        .collect();
    for created in creating {
        created.await.unwrap().unwrap();
    }
    let all = client.api::<ConfigMap>().namespace("default").list(&ListOptions::default()).await.unwrap();
    assert_eq!(all.items.len(), 200);
}
