//! A server with a client of it, and objects to put there.

use std::time::Duration;

use klient_api::core::v1::ConfigMap;
use klient_apimachinery::meta::v1::ObjectMeta;
use klient_apimachinery::{InNamespace, Object, WatchEvent};
use klient_apiserver::TestServer;
use klient_client::{Api, Client, Config};

/// A handle to the config maps of a namespace.
pub(crate) type ConfigMaps = Api<ConfigMap, InNamespace>;

/// The time after which a test fails if an awaited event does not occur.
const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for an event that must occur.
pub(crate) async fn soon<F: Future>(what: &str, future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("{what} does not happen"))
}

/// A server, and a client with all permissions.
pub(crate) async fn cluster() -> (TestServer, Client) {
    let server = TestServer::start().await.unwrap();
    let client = client(&server, server.admin_token());
    (server, client)
}

/// A client with a token.
pub(crate) fn client(server: &TestServer, token: &str) -> Client {
    Client::new(Config::from_kubeconfig(&server.kubeconfig_for(token)).unwrap()).unwrap()
}

/// The config maps of the namespace that tests use.
pub(crate) fn config_maps(client: &Client) -> ConfigMaps {
    client.api::<ConfigMap>().namespace("default")
}

/// A config map with a color.
pub(crate) fn config_map(name: &str, color: &str) -> ConfigMap {
    let metadata =
        ObjectMeta { name: Some(name.into()), labels: [("color", color)].into(), ..Default::default() };
    ConfigMap { metadata, data: [("color", color)].into(), ..Default::default() }
}

/// Creates config maps, and returns the resourceVersion of the last.
pub(crate) async fn create(config_maps: &ConfigMaps, names: &[&str]) -> String {
    let mut version = String::new();
    for name in names {
        let created = config_maps.create(&config_map(name, "red")).await.unwrap();
        version = created.resource_version().to_owned();
    }
    version
}

/// An event as a word and the name of its object: `+a`, `~a`, `-a`, `bookmark`, `error 410`.
pub(crate) fn told<K: Object>(event: &WatchEvent<K>) -> String {
    match event {
        WatchEvent::Added(object) => format!("+{}", object.name()),
        WatchEvent::Modified(object) => format!("~{}", object.name()),
        WatchEvent::Deleted(object) => format!("-{}", object.name()),
        WatchEvent::Bookmark(_) => "bookmark".to_owned(),
        WatchEvent::Error(status) => format!("error {}", status.code.unwrap_or_default()),
        _ => panic!("another kind of event"),
    }
}
