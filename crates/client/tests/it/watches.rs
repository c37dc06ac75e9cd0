//! Watches: what they tell, how they end, and how they fail.

use std::time::Duration;

use futures_core::Stream as _;
use klient_api::core::v1::{ConfigMap, Pod};
use klient_apimachinery::meta::v1::DeleteOptions;
use klient_client::{Client, Config, ErrorKind, Patch, Watch, WatchEvent, WatchOptions};
use serde_json::json;

use crate::cluster::{cluster, config_map, pod, soon, told};
use crate::front::Front;

/// The next events in words.
async fn next<const N: usize>(
    watch: &mut Watch<impl klient_apimachinery::codec::Wire + klient_apimachinery::Object>,
) -> [String; N] {
    let mut words = [const { String::new() }; N];
    for word in &mut words {
        *word = match soon("an event", watch.next()).await {
            Some(Ok(event)) => told(&event),
            Some(Err(error)) => format!("{error:?}"),
            None => "end".to_owned(),
        };
    }
    words
}

#[tokio::test]
async fn changes_are_told_as_they_are_made() {
    let (_server, client) = cluster().await;
    let pods = client.api::<Pod>().namespace("default");
    pods.create(&pod("a", "web")).await.unwrap();
    let web = WatchOptions { label_selector: Some("app=web".into()), ..Default::default() };
    let mut watch = pods.watch(&web).await.unwrap();
    assert_eq!(next(&mut watch).await, ["+a"]);

    pods.create(&pod("b", "web")).await.unwrap();
    pods.create(&pod("other", "db")).await.unwrap();
    let relabel = |app: &str| Patch::Merge(json!({"metadata": {"labels": {"app": app, "seen": "yes"}}}));
    pods.patch("a", &relabel("web")).await.unwrap();
    pods.patch("a", &relabel("db")).await.unwrap();
    pods.patch("other", &relabel("web")).await.unwrap();
    pods.delete("b", &DeleteOptions::default()).await.unwrap();
    // A pod is marked before it goes.
    assert_eq!(next(&mut watch).await, ["+b", "~a", "-a", "+other", "~b", "-b"]);
}

#[tokio::test]
async fn a_watch_goes_on_from_a_version() {
    let (_server, client) = cluster().await;
    let config_maps = client.api::<ConfigMap>().namespace("default");
    let first = config_maps.create(&config_map("a", "red")).await.unwrap();
    config_maps.create(&config_map("b", "red")).await.unwrap();
    let from = WatchOptions { resource_version: first.metadata.resource_version, ..Default::default() };
    let mut watch = config_maps.watch(&from).await.unwrap();
    let event = soon("an event", watch.next()).await.unwrap().unwrap();
    assert_eq!(told(&event), "+b");
    assert!(!event.resource_version().is_empty());
}

#[tokio::test]
async fn initial_events_end_with_a_bookmark() {
    let (_server, client) = cluster().await;
    let pods = client.api::<Pod>().namespace("default");
    pods.create(&pod("a", "web")).await.unwrap();
    pods.create(&pod("b", "web")).await.unwrap();
    let streamed = WatchOptions { send_initial_events: true, ..Default::default() };
    let mut watch = pods.watch(&streamed).await.unwrap();
    assert_eq!(next(&mut watch).await, ["+a", "+b", "bookmark, initial events end"]);
    pods.create(&pod("c", "web")).await.unwrap();
    assert_eq!(next(&mut watch).await, ["+c"]);
}

#[tokio::test]
async fn a_watch_ends_when_its_time_is_up() {
    let (_server, client) = cluster().await;
    let pods = client.api::<Pod>().namespace("default");
    let short = WatchOptions { timeout_seconds: Some(1), ..Default::default() };
    let mut watch = pods.watch(&short).await.unwrap();
    assert_eq!(next(&mut watch).await, ["end", "end"]);
}

/// Servers tell of it in the first event; kube-apiserver's cacher does so for versions it once had.
#[tokio::test]
async fn a_version_that_is_forgotten_is_expired() {
    let (server, client) = cluster().await;
    let pods = client.api::<Pod>().namespace("default");
    let first = pods.create(&pod("a", "web")).await.unwrap();
    pods.create(&pod("b", "web")).await.unwrap();
    server.compact();
    let from = WatchOptions { resource_version: first.metadata.resource_version, ..Default::default() };
    let mut watch = pods.watch(&from).await.unwrap();
    let Some(Ok(WatchEvent::Error(status))) = soon("an event", watch.next()).await else {
        panic!("it goes on from there");
    };
    let error = klient_client::Error::from(*status);
    assert!(error.is_expired() && error.kind() == ErrorKind::Status, "{error:?}");
    assert_eq!(next(&mut watch).await, ["end"]);
}

#[tokio::test]
async fn a_refusal_to_watch_is_an_error_at_once() {
    let expired = r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"too old","reason":"Expired","code":410}"#;
    let front = Front::saying(&[&format!("HTTP/1.1 410 Gone\r\n\r\n{expired}")]).await;
    let error = front.client().api::<Pod>().watch(&WatchOptions::default()).await.unwrap_err();
    assert!(error.is_expired(), "{error:?}");
}

#[tokio::test]
async fn what_is_no_event_is_told_with_its_cause() {
    for (text, events) in [
        ("\r\n\r\n", "end"),
        (
            r#"{"type":"ADDED","object":{"kind":"Pod","apiVersion":"v1","met"#,
            "the answer ended in the middle of a line",
        ),
        ("<html>busy</html>\n", "not a watch event"),
        ("{\"type\":\"RENAMED\",\"object\":{}}\n", "unknown watch event \"RENAMED\""),
        ("{\"type\":\"ADDED\",\"object\":{\"kind\":\"Node\",\"apiVersion\":\"v1\"}}\n", "Node"),
    ] {
        let front = Front::saying(&[&format!("HTTP/1.1 200 OK\r\n\r\n{text}")]).await;
        let mut watch = front.client().api::<Pod>().watch(&WatchOptions::default()).await.unwrap();
        let [told] = next(&mut watch).await;
        assert!(told.contains(events), "{text:?}: {told}");
    }
}

#[tokio::test]
async fn a_chunked_answer_that_is_cut_is_a_broken_connection() {
    let front = Front::saying(&["HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"typ"]).await;
    let mut watch = front.client().api::<Pod>().watch(&WatchOptions::default()).await.unwrap();
    let error = soon("an event", watch.next()).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection);
    assert!(soon("the end", watch.next()).await.is_none());
}

#[tokio::test]
async fn silence_that_lasts_too_long_ends_a_watch_that_asked_for_bookmarks() {
    let (server, _) = cluster().await;
    let mut config = crate::cluster::config(&server);
    config.timeouts.watch_idle = Some(Duration::from_millis(50));
    let client = Client::new(config).unwrap();
    let bookmarks = WatchOptions {
        allow_bookmarks: true,
        resource_version: Some(server.resource_version().to_string().into()),
        ..Default::default()
    };
    let mut watch = client.api::<Pod>().watch(&bookmarks).await.unwrap();
    let error = soon("an event", watch.next()).await.unwrap().unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
    assert!(format!("{error:?}").contains("nothing was heard for 0.05 s"));
}

#[tokio::test]
async fn dropping_a_watch_ends_it_on_the_server() {
    let (server, _) = cluster().await;
    for protocol in ["http/1.1", "h2"] {
        let front = Front::tls_proxy(&server, protocol).await;
        let client = front.tls_client();
        let mut watch = client.api::<Pod>().watch(&WatchOptions::default()).await.unwrap();
        let mut started = client.api::<Pod>().watch(&WatchOptions::default()).await.unwrap();
        soon("two streams", front.streams(2)).await;
        let waker = std::task::Waker::noop();
        let mut context = std::task::Context::from_waker(waker);
        assert!(std::pin::Pin::new(&mut started).poll_next(&mut context).is_pending());
        drop(started);
        soon("one stream", front.streams(1)).await;
        assert!(std::pin::Pin::new(&mut watch).poll_next(&mut context).is_pending());
        drop(watch);
        soon("no stream", front.streams(0)).await;
    }
}

#[tokio::test]
async fn two_hundred_watches_run_on_one_client() {
    let (server, _) = cluster().await;
    let tunnel = Front::tunnel(&server).await;
    let mut config = crate::cluster::config(&server);
    config.url = Config::from_url(&format!("https://{}", tunnel.address)).unwrap().url;
    let client = Client::new(config).unwrap();
    let config_maps = client.api::<ConfigMap>().namespace("default");
    let mut watches = Vec::new();
    for _ in 0..200 {
        watches.push(config_maps.watch(&WatchOptions::default()).await.unwrap());
    }
    config_maps.create(&config_map("sky", "blue")).await.unwrap();
    for watch in &mut watches {
        assert_eq!(next(watch).await, ["+sky"]);
    }
    assert_eq!(tunnel.connections(), 3);
}
