//! Responses that are not read: they stop no other request, and end when they wait for too long.

use std::time::Duration;

use klient_api::core::v1::ConfigMap;
use klient_apiserver::TestServer;
use klient_client::{Api, Client, ErrorKind, InNamespace, ListOptions, WatchOptions};
use tokio::task::JoinSet;

use crate::cluster::{cluster, config, config_map, soon, told};
use crate::front::Front;
use crate::log::{Log, second_subscriber};

/// More than the 64 KiB that HTTP/2 gives a connection at first.
const OBJECTS: usize = 300;
const OBJECT_SIZE: usize = 1024;

type ConfigMaps = Api<ConfigMap, InNamespace>;

fn config_maps(client: &Client) -> ConfigMaps {
    client.api::<ConfigMap>().namespace("default")
}

/// Creates objects of a kilobyte each.
async fn fill(api: &ConfigMaps) {
    let mut creating = JoinSet::new();
    for number in 0..OBJECTS {
        let api = api.clone();
        creating.spawn(async move {
            api.create(&config_map(&format!("c{number:03}"), &"x".repeat(OBJECT_SIZE))).await.unwrap();
        });
    }
    creating.join_all().await;
}

#[tokio::test]
async fn the_items_of_a_list_can_be_requested_while_it_is_read() {
    let (_server, client) = cluster().await;
    let api = config_maps(&client);
    fill(&api).await;
    let mut items = api.items(&ListOptions::default()).await.unwrap();
    let mut count = 0;
    while let Some(item) = items.next().await.unwrap() {
        let name = item.metadata.name.unwrap();
        soon("a get beside an unread list", api.get(&name)).await.unwrap();
        count += 1;
    }
    assert_eq!(count, OBJECTS);
}

#[tokio::test]
async fn the_object_of_an_event_can_be_requested_while_the_watch_is_behind() {
    let (_server, client) = cluster().await;
    let api = config_maps(&client);
    let mut watch = api.watch(&WatchOptions::default()).await.unwrap();
    soon("objects beside an unread watch", fill(&api)).await;
    for _ in 0..OBJECTS {
        let event = soon("an event", watch.next()).await.unwrap().unwrap();
        let name = told(&event).trim_start_matches('+').to_owned();
        soon("a get beside an unread watch", api.get(&name)).await.unwrap();
    }
}

/// Sends requests, many at once, while so many lists and watches of the same client are not read.
async fn check(server: &TestServer, client: &Client, unread: usize, requests: usize) {
    let filled = config_maps(&Client::new(config(server)).unwrap());
    fill(&filled).await;
    let api = config_maps(client);
    let (mut lists, mut watches) = (Vec::new(), Vec::new());
    for _ in 0..unread {
        let from_start = WatchOptions { send_initial_events: true, ..Default::default() };
        watches.push(soon("a watch", api.watch(&from_start)).await.unwrap());
        lists.push(soon("a list", api.items(&ListOptions::default())).await.unwrap());
    }
    let mut workers = JoinSet::new();
    for worker in 0..16 {
        let api = api.clone();
        workers.spawn(async move {
            for number in (worker..requests).step_by(16) {
                let name = format!("c{:03}", number % OBJECTS);
                soon("a get beside unread responses", api.get(&name)).await.unwrap();
            }
        });
    }
    workers.join_all().await;
    // What was not read has not been lost.
    for mut list in lists.into_iter().step_by(25) {
        let mut count = 0;
        while list.next().await.unwrap().is_some() {
            count += 1;
        }
        assert_eq!(count, OBJECTS);
    }
    for mut watch in watches.into_iter().step_by(25) {
        for _ in 0..OBJECTS {
            let event = soon("an event", watch.next()).await.unwrap().unwrap();
            assert!(told(&event).starts_with("+c"), "{event:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_unread_lists_and_watches_do_not_hold_up_ten_thousand_requests() {
    let (server, client) = cluster().await;
    check(&server, &client, 500, 10_000).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unread_lists_and_watches_do_not_hold_up_requests_over_http_1() {
    let (server, _) = cluster().await;
    let front = Front::tls_proxy(&server, "http/1.1").await;
    check(&server, &front.tls_client(), 200, 1_000).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unread_responses_that_are_dropped_leave_room_for_others() {
    let (_server, client) = cluster().await;
    let api = config_maps(&client);
    fill(&api).await;
    // Together several times as much as the windows of a connection hold.
    for _ in 0..50 {
        let mut unread = JoinSet::new();
        for _ in 0..40 {
            let api = api.clone();
            unread.spawn(async move { api.items(&ListOptions::default()).await.unwrap() });
        }
        drop(soon("lists", unread.join_all()).await);
    }
    soon("a get", api.get("c000")).await.unwrap();
}

/// A proxy in front of a server, and a client of it whose responses may wait unread for a moment.
async fn impatient(server: &TestServer, protocol: &str) -> (Front, Client) {
    let front = Front::tls_proxy(server, protocol).await;
    let mut config = front.tls_client().config().clone();
    config.timeouts.unread = Some(Duration::from_millis(200));
    let client = Client::new(config).unwrap();
    (front, client)
}

#[tokio::test]
async fn a_response_that_is_not_read_ends_in_an_error_and_frees_its_connection() {
    let (server, client) = cluster().await;
    fill(&config_maps(&client)).await;
    for protocol in ["h2", "http/1.1"] {
        let (front, client) = impatient(&server, protocol).await;
        let api = config_maps(&client);
        let mut list = api.items(&ListOptions::default()).await.unwrap();
        list.next().await.unwrap();
        let watch = WatchOptions { send_initial_events: true, ..Default::default() };
        let mut watch = api.watch(&watch).await.unwrap();
        soon("the end of both", front.streams(0)).await;
        let error = loop {
            if let Err(error) = list.next().await {
                break error;
            }
        };
        assert_eq!(error.kind(), ErrorKind::Timeout, "{error:?}");
        let told = format!("{error:?}");
        assert!(
            told.contains("the response was not read for 0.2 s: read it to its end, or drop it"),
            "{told}"
        );
        assert!(told.starts_with("GET https://"), "{told}");
        let error = loop {
            if let Err(error) = watch.next().await.expect("it ends in an error") {
                break error;
            }
        };
        assert!(error.is_timeout(), "{error:?}");
        assert!(watch.next().await.is_none());
        api.get("c000").await.unwrap();
    }
}

#[tokio::test]
async fn a_watch_on_which_nothing_happens_may_stay_unread() {
    let (server, client) = cluster().await;
    fill(&config_maps(&client)).await;
    let (front, client) = impatient(&server, "h2").await;
    let api = config_maps(&client);
    let quiet = WatchOptions { label_selector: Some("app=none".into()), ..Default::default() };
    let mut quiet = api.watch(&quiet).await.unwrap();
    let _unread = api.items(&ListOptions::default()).await.unwrap();
    soon("the end of the list, which is younger", front.streams(1)).await;
    let mut labelled = config_map("labelled", "blue");
    labelled.metadata.labels.insert("app", "none".into());
    api.create(&labelled).await.unwrap();
    assert_eq!(told(&soon("an event", quiet.next()).await.unwrap().unwrap()), "+labelled");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_waits_for_its_response_says_so() {
    let front = Front::hanging().await;
    let (log, _second) = (Log::default(), second_subscriber());
    let _guard = tracing::subscriber::set_default(log.clone());
    let error = config_maps(&front.client()).get("sky").await.unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
    let told = log.text();
    let line = format!("GET {}/api/v1/namespaces/default/configmaps/sky", front.url());
    assert!(told.contains(&format!("{line}: no response within 10 s, still waiting")), "{told}");
    assert!(told.contains("connections: 1\nrequests: 1\nunfinished_responses: 0\n"), "{told}");
}
