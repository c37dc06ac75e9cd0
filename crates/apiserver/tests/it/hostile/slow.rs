//! Clients that ask and do not read.

use std::time::Duration;

use klient_apiserver::{Options, Server};
use serde_json::json;

use super::still_serves;
use crate::client::Client;
use crate::objects::{CONFIG_MAPS, version};

#[tokio::test]
async fn a_watch_that_is_not_read_is_closed() {
    let server = Server::start(Options { history: 50, ..Options::default() }).await.unwrap();
    let client = Client::admin(&server).await;
    let lazy = client.again().await;
    let mut events =
        lazy.watch(&format!("{CONFIG_MAPS}?watch=1&resourceVersion={}", server.resource_version())).await;
    let large = "x".repeat(50_000);
    client.post(CONFIG_MAPS, &json!({"metadata": {"name": "a"}})).await.expect(201);
    let path = format!("{CONFIG_MAPS}/a");
    let mut last = 0;
    for round in 0..120 {
        let data = json!({"data": {"round": round.to_string(), "large": large}});
        last = version(&client.patch(&path, "merge", &data).await.expect(200));
    }
    let mut told = 0;
    while let Some(event) = events.next().await {
        assert_eq!(
            event["type"],
            if told == 0 { "ADDED" } else { "MODIFIED" },
            "it was closed while nobody read"
        );
        told = version(&event["object"]);
    }
    assert!(0 < told && told < last, "{told} of {last}");
    let mut events = lazy.watch(&format!("{CONFIG_MAPS}?watch=1&resourceVersion={last}")).await;
    let next = version(&client.patch(&path, "merge", &json!({"data": null})).await.expect(200));
    assert_eq!(events.brief().await, format!("MODIFIED a@{next}"), "the connection is as good as before");
}

#[tokio::test]
async fn the_rest_of_a_list_that_is_not_read_is_not_sent() {
    let client_timeout = Duration::from_millis(500);
    let server = Server::start(Options { client_timeout, ..Options::default() }).await.unwrap();
    let client = Client::admin(&server).await;
    let large = "x".repeat(1_000_000);
    for index in 0..10 {
        let object = json!({"metadata": {"name": format!("a{index}")}, "data": {"large": large}});
        client.post(CONFIG_MAPS, &object).await.expect(201);
    }
    let (status, list) = client.again().await.stream(CONFIG_MAPS, &[]).await;
    assert_eq!(status, 200);
    // There is no signal that the server has given up: only time shows it.
    tokio::time::sleep(2 * client_timeout).await;
    let rest = list.rest().await;
    assert!(rest.len() < 10 * large.len(), "{}", rest.len());
    still_serves(&server).await;
}
