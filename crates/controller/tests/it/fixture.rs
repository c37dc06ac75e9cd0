//! A server with a client of it.

use std::time::Duration;

use klient_api::apiextensions::v1::CustomResourceDefinition;
use klient_api::core::v1::ConfigMap;
use klient_apimachinery::meta::v1::{Condition, ObjectMeta};
use klient_apimachinery::{InNamespace, Unstructured, custom_resource};
use klient_apiserver::TestServer;
use klient_client::{Api, Client, Config};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// The time after which a test fails if an awaited event does not occur.
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits for an event that must occur.
pub(crate) async fn soon<F: Future>(what: &str, future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("{what} does not happen"))
}

/// A server, and a client with all permissions.
pub(crate) async fn cluster() -> (TestServer, Client) {
    let server = TestServer::start().await.unwrap();
    let client = client(&server);
    (server, client)
}

/// A client with all permissions.
pub(crate) fn client(server: &klient_apiserver::Server) -> Client {
    Client::new(Config::from_kubeconfig(&server.kubeconfig()).unwrap()).unwrap()
}

/// The config maps of the namespace that tests use.
pub(crate) fn config_maps(client: &Client) -> Api<ConfigMap, InNamespace> {
    client.api::<ConfigMap>().namespace("default")
}

/// A config map with a color.
pub(crate) fn config_map(name: &str, color: &str) -> ConfigMap {
    let metadata = ObjectMeta::named(name).in_namespace("default");
    ConfigMap { metadata, data: [("color", color)].into(), ..Default::default() }
}

custom_resource! {
    group: "example.com", version: "v1", kind: "Website", plural: "websites",
    scope: Namespaced, subresources: [Status];

    /// A website.
    pub(crate) struct Website {
        pub(crate) status: WebsiteStatus,
    }
}

/// The observed state of a website.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct WebsiteStatus {
    pub(crate) pages: u32,
    pub(crate) conditions: Vec<Condition>,
}

impl Website {
    /// A website in the namespace that tests use.
    pub(crate) fn named(name: &str) -> Self {
        Website { metadata: ObjectMeta::named(name).in_namespace("default"), ..Default::default() }
    }
}

/// Defines the custom resource `websites.example.com` with a status.
pub(crate) async fn define_websites(client: &Client) {
    let schema = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let mut definition =
        Unstructured::new("apiextensions.k8s.io/v1", "CustomResourceDefinition", "websites.example.com");
    definition["spec"] = json!({
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"kind": "Website", "plural": "websites"},
        "versions": [{
            "name": "v1",
            "served": true,
            "storage": true,
            "schema": {"openAPIV3Schema": schema},
            "subresources": {"status": {}},
        }],
    });
    let definitions = client.api::<CustomResourceDefinition>();
    definitions.create(&definition.to_typed().unwrap()).await.unwrap();
}
