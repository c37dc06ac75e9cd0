//! Connections that get no more requests, since they are old or their certificates were replaced.

use std::fs;
use std::time::Duration;

use klient_api::core::v1::ConfigMap;
use klient_client::{Client, Config, ListOptions, Pem, WatchOptions};
use tempfile::TempDir;

use crate::cluster::{cluster, config_map, soon, told};
use crate::front::{Front, self_signed};

/// Moves the clock of the client on.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

#[tokio::test]
async fn an_old_connection_gets_no_more_requests() {
    let (server, _) = cluster().await;
    let front = Front::tls_proxy(&server, "h2").await;
    let max_connection_age = Some(Duration::from_secs(100));
    let client = Client::new(Config { max_connection_age, ..front.tls_config() }).unwrap();
    let config_maps = client.api::<ConfigMap>().namespace("default");
    let mut watch = config_maps.watch(&WatchOptions::default()).await.unwrap();
    pass(Duration::from_secs(74)).await;
    config_maps.create(&config_map("sky", "blue")).await.unwrap();
    assert_eq!(front.connections(), 1);
    pass(Duration::from_secs(26)).await;
    config_maps.create(&config_map("sea", "blue")).await.unwrap();
    config_maps.list(&ListOptions::default()).await.unwrap();
    assert_eq!(front.connections(), 2);
    // A watch goes on over the old connection.
    for expected in ["+sky", "+sea"] {
        assert_eq!(told(&soon("an event", watch.next()).await.unwrap().unwrap()), expected);
    }
    drop(watch);
    front.streams(0).await;
    pass(Duration::from_secs(100)).await;
    config_maps.list(&ListOptions::default()).await.unwrap();
    assert_eq!(front.connections(), 3);
}

#[tokio::test]
async fn a_connection_lasts_without_a_limit() {
    let (server, _) = cluster().await;
    let front = Front::tls_proxy(&server, "h2").await;
    let client = front.tls_client();
    for _ in 0..5 {
        client.api::<ConfigMap>().list(&ListOptions::default()).await.unwrap();
        pass(Duration::from_secs(60)).await;
    }
    assert_eq!(front.connections(), 1);
}

#[tokio::test]
async fn a_connection_gets_no_more_requests_after_its_certificates_were_replaced() {
    let (server, _) = cluster().await;
    let front = Front::tls_proxy(&server, "h2").await;
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("ca.crt");
    let (_, other) = self_signed("h2");
    let own = front.certificate();
    fs::write(&file, own).unwrap();
    let mut config = front.tls_config();
    config.tls.ca = Some(Pem::file(&file));
    let client = Client::new(config).unwrap();
    let config_maps = client.api::<ConfigMap>().namespace("default");
    let mut watch = config_maps.watch(&WatchOptions::default()).await.unwrap();
    pass(Duration::from_secs(60)).await;
    config_maps.list(&ListOptions::default()).await.unwrap();
    assert_eq!(front.connections(), 1);

    fs::write(&file, format!("{own}{other}")).unwrap();
    pass(Duration::from_secs(60)).await;
    let replaced = async {
        while front.connections() == 1 {
            config_maps.list(&ListOptions::default()).await.unwrap();
        }
    };
    soon("a new connection", replaced).await;
    config_maps.create(&config_map("sky", "blue")).await.unwrap();
    assert_eq!(told(&soon("an event", watch.next()).await.unwrap().unwrap()), "+sky");

    // A file that is half written, or gone, changes nothing.
    for broken in [Some("-----BEGIN CERTIFICATE-----\nAAAA"), None] {
        match broken {
            Some(text) => fs::write(&file, text).unwrap(),
            None => fs::remove_file(&file).unwrap(),
        }
        pass(Duration::from_secs(60)).await;
        for _ in 0..5 {
            config_maps.list(&ListOptions::default()).await.unwrap();
        }
    }
    assert_eq!(front.connections(), 2);
}
