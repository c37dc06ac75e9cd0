//! Clients of a server without a port.

use klient::api::core::v1::ConfigMap;
use klient::{ErrorKind, ListOptions, ObjectMeta, Proxy, TestClient as _, TestServer, WatchOptions};

#[tokio::test]
async fn clients_of_a_server_without_a_port_have_connections_within_the_program() {
    let server = TestServer::start_in_memory().await.unwrap();
    // Another server may have the port of the address, or no server at all.
    assert!(!server.has_port() && server.config().dialer.is_some());
    let client = server.client();
    let config_maps = client.api::<ConfigMap>().namespace("default");
    let mut watch = config_maps.watch(&WatchOptions::default()).await.unwrap();
    let colors = ConfigMap { metadata: ObjectMeta::named("colors"), ..Default::default() };
    config_maps.create(&colors).await.unwrap();
    let added = watch.next().await.unwrap().unwrap();
    assert!(format!("{added:?}").contains("colors"), "{added:?}");
    server.restart().await.unwrap();
    assert_eq!(config_maps.list(&ListOptions::default()).await.unwrap().items.len(), 1);
    drop(server);
    let mut config = client.config().clone();
    config.proxy = Proxy::None;
    let error = klient::Client::new(config).unwrap().discovery().version().await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
}
