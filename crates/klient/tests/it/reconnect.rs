//! A server that restarts, and what clients and caches see of it.

use std::time::Duration;

use klient::api::core::v1::ConfigMap;
use klient::cache::Event;
use klient::{
    Client, Config, Informer, InformerOptions, Object as _, ObjectMeta, TestServer, WatchEvent, WatchOptions,
};

async fn cluster() -> (TestServer, Client) {
    let server = TestServer::start().await.expect("a server starts");
    let client = Client::new(Config::from_kubeconfig(&server.kubeconfig()).unwrap()).unwrap();
    (server, client)
}

async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), future)
        .await
        .unwrap_or_else(|_| panic!("{what} does not happen"))
}

async fn create(client: &Client, name: &str) {
    let metadata = ObjectMeta::named(name);
    let config_map = ConfigMap { metadata, ..Default::default() };
    client.api::<ConfigMap>().namespace("default").create(&config_map).await.unwrap();
}

#[tokio::test]
async fn a_client_goes_on_with_a_server_that_restarts() {
    let (server, client) = cluster().await;
    create(&client, "a").await;
    let config_maps = client.api::<ConfigMap>().namespace("default");
    let from = Some(server.resource_version().to_string().into());
    let options = WatchOptions { resource_version: from, ..Default::default() };
    let mut watch = config_maps.watch(&options).await.unwrap();
    server.restart().await.unwrap();
    assert!(!matches!(soon("the end of the watch", watch.next()).await, Some(Ok(_))));
    // Whatever the client had under way broke; the same client goes on.
    let mut watch = soon("another watch", config_maps.watch(&options)).await.unwrap();
    create(&client, "b").await;
    let event = soon("an event", watch.next()).await.unwrap().unwrap();
    assert!(matches!(event, WatchEvent::Added(config_map) if config_map.name() == "b"));
}

#[tokio::test]
async fn an_informer_follows_a_server_that_restarts_and_one_that_lost_its_objects() {
    let (server, client) = cluster().await;
    create(&client, "a").await;
    let informer = Informer::new(client.api::<ConfigMap>().namespace("default"), InformerOptions::default());
    let mut events = informer.events();
    informer.start();
    soon("the first list", informer.wait_for_sync()).await.unwrap();

    server.restart().await.unwrap();
    create(&client, "b").await;
    let mut seen = Vec::new();
    soon("the object made after the restart", async {
        while !seen.contains(&"+b".to_owned()) {
            match events.next().await.expect("the informer runs") {
                Event::Added { object, .. } => seen.push(format!("+{}", object.name())),
                Event::Updated { new, .. } => seen.push(format!("~{}", new.name())),
                Event::Deleted(deleted) => seen.push(format!("-{}", deleted.key.name())),
                event => panic!("{event:?}"),
            }
        }
    })
    .await;
    seen.sort_unstable();
    assert_eq!(seen, ["+a", "+b"], "nothing is lost and nothing told twice");

    server.restart_empty().await.unwrap();
    let mut gone = Vec::new();
    soon("the end of what was lost", async {
        while gone.len() < 2 {
            if let Event::Deleted(deleted) = events.next().await.expect("the informer runs") {
                gone.push(deleted.key.name().to_owned());
            }
        }
    })
    .await;
    gone.sort_unstable();
    assert_eq!(gone, ["a", "b"]);
}
