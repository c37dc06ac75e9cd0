//! Connections: both versions of HTTP, and what becomes of them when the server stops.

use http::Method;
use klient_apiserver::TestServer;
use tokio::net::{TcpListener, TcpStream};

use crate::client::{Client, Identity, Protocol, soon};
use crate::objects::{CONFIG_MAPS, named, version};

async fn connect(server: &TestServer, protocol: Protocol) -> Client {
    Client::connect(server, protocol, Identity::Token(server.admin_token().to_owned())).await
}

#[tokio::test]
async fn both_versions_of_http_are_spoken() {
    let server = TestServer::start().await.unwrap();
    let (one, two) = (connect(&server, Protocol::Http1).await, connect(&server, Protocol::Http2).await);
    let created = one.post(CONFIG_MAPS, &named("a")).await.expect(201);
    assert_eq!(two.get(&format!("{CONFIG_MAPS}/a")).await.expect(200), created);
    for client in [&one, &two] {
        for _ in 0..3 {
            client.get("/version").await.expect(200);
        }
    }
    let path = format!("{CONFIG_MAPS}?watch=1&resourceVersion={}", version(&created) - 1);
    for client in [one, two] {
        assert_eq!(client.watch(&path).await.brief().await, format!("ADDED a@{}", version(&created)));
    }
}

#[tokio::test]
async fn one_connection_carries_many_watches_and_requests() {
    let server = TestServer::start().await.unwrap();
    let client = connect(&server, Protocol::Http2).await;
    let path = format!("{CONFIG_MAPS}?watch=1&resourceVersion={}", server.resource_version());
    let mut watches = Vec::new();
    for _ in 0..50 {
        watches.push(client.watch(&path).await);
    }
    let created = version(&client.post(CONFIG_MAPS, &named("a")).await.expect(201));
    for events in &mut watches {
        assert_eq!(events.brief().await, format!("ADDED a@{created}"));
    }
}

#[tokio::test]
async fn answers_have_an_id_and_are_not_cached() {
    let server = TestServer::start().await.unwrap();
    let client = connect(&server, Protocol::Http2).await;
    let answer = client.get(&format!("{CONFIG_MAPS}/kube-root-ca.crt")).await;
    assert_eq!(answer.header("cache-control"), "no-cache, private");
    assert_eq!(answer.header("audit-id").len(), 36);
    let head = client.send(Method::HEAD, CONFIG_MAPS, &[], "").await;
    assert_eq!(head.status, 405);
}

#[tokio::test]
async fn a_server_that_stops_ends_its_watches_in_order() {
    for protocol in [Protocol::Http1, Protocol::Http2] {
        let server = TestServer::start().await.unwrap();
        let client = connect(&server, protocol).await;
        let idle = connect(&server, protocol).await;
        let mut events = client
            .watch(&format!("{CONFIG_MAPS}?watch=1&resourceVersion={}", server.resource_version()))
            .await;
        let address = server.address();
        soon("the server's end", server.stop()).await;
        while let Some(event) = events.next().await {
            assert_eq!(event["type"], "ADDED");
        }
        assert!(TcpStream::connect(address).await.is_err(), "nobody listens");
        drop(TcpListener::bind(address).await.expect("the port is free"));
        drop(idle);
    }
}

#[tokio::test]
async fn a_server_that_is_dropped_frees_its_port() {
    let server = TestServer::start().await.unwrap();
    let address = server.address();
    let client = connect(&server, Protocol::Http2).await;
    let mut events =
        client.watch(&format!("{CONFIG_MAPS}?watch=1&resourceVersion={}", server.resource_version())).await;
    drop(server);
    while events.next().await.is_some() {}
    soon("a free port", async {
        while TcpListener::bind(address).await.is_err() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn servers_know_nothing_of_each_other() {
    let (one, two) = (TestServer::start().await.unwrap(), TestServer::start().await.unwrap());
    let client = connect(&one, Protocol::Http2).await;
    client.post(CONFIG_MAPS, &named("a")).await.expect(201);
    let other = connect(&two, Protocol::Http2).await;
    assert_eq!(other.get(&format!("{CONFIG_MAPS}/a")).await.status, 404);
    let stranger =
        Client::connect(&two, Protocol::Http2, Identity::Token(one.admin_token().to_owned())).await;
    assert_eq!(stranger.get(CONFIG_MAPS).await.status, 401);
}
