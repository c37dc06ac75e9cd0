//! A server with a client of it, and objects to put there.

use std::time::Duration;

use klient_api::core::v1::{ConfigMap, Secret};
use klient_apimachinery::InNamespace;
use klient_apimachinery::meta::v1::ObjectMeta;
use klient_apiserver::{Server, TestServer};
use klient_cache::InformerFactory;
use klient_client::{Api, Client, Config};

/// The time after which a test fails if an awaited event does not occur.
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits for an event that must occur.
pub(crate) async fn soon<F: Future>(what: &str, future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("{what} does not happen"))
}

/// Waits until a condition holds, for one that nothing tells of.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let polled = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    soon(what, polled).await;
}

/// A server, and a client with all permissions.
pub(crate) async fn cluster() -> (TestServer, Client) {
    let server = TestServer::start().await.unwrap();
    let client = client(&server);
    (server, client)
}

/// A client with all permissions.
pub(crate) fn client(server: &Server) -> Client {
    Client::new(config(server)).unwrap()
}

/// The configuration of a client with all permissions.
pub(crate) fn config(server: &Server) -> Config {
    Config::from_kubeconfig(&server.kubeconfig()).unwrap()
}

/// A factory of informers of the namespace `default`, without its config map of the root certificates.
pub(crate) fn factory(client: Client) -> InformerFactory<Client> {
    let factory = InformerFactory::builder(client).namespace("default");
    factory.field_selector("metadata.name!=kube-root-ca.crt").unwrap().build()
}

/// The config maps of the namespace that tests use.
pub(crate) fn config_maps(client: &Client) -> Api<ConfigMap, InNamespace> {
    client.api::<ConfigMap>().namespace("default")
}

/// A config map with a color.
pub(crate) fn config_map(name: &str, color: &str) -> ConfigMap {
    let labels = [("color", color)].into();
    let metadata = ObjectMeta { labels, ..ObjectMeta::named(name).in_namespace("default") };
    ConfigMap { metadata, data: [("color", color)].into(), ..Default::default() }
}

/// A secret without contents.
pub(crate) fn secret(name: &str) -> Secret {
    Secret { metadata: ObjectMeta::named(name), ..Default::default() }
}
