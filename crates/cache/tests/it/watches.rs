//! Watches of a reflector: their start version, duration, ends and failures.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use klient_api::core::v1::ConfigMap;
use klient_apimachinery::Resource as _;
use klient_cache::{Keep, Reflector, ReflectorOptions, Store, StoreWriter, WatchErrorHandler};
use klient_client::{Client, Config, Encoding};
use serde_json::json;

use crate::proxy::{Act, Answer, Kind, Proxy, status};
use crate::stage::{
    Reflecting, cluster, create, delete, informer, listing, paints, quick, reflect, repaint, soon,
};

/// A reflector of config maps through a proxy, in JSON.
fn start(proxy: &Proxy, options: ReflectorOptions) -> (Store<ConfigMap>, Reflecting) {
    let writer = StoreWriter::new(ConfigMap::INFO, Keep::Packed);
    let store = writer.store();
    let client = Client::new(Config { encoding: Encoding::Json, ..proxy.config() }).unwrap();
    let reflector = Reflector::new(paints(&client), writer, options);
    (store, reflect(reflector))
}

/// Collects all errors.
fn keeping() -> (WatchErrorHandler, Arc<Mutex<Vec<klient_cache::Error>>>) {
    let errors = Arc::new(Mutex::new(Vec::new()));
    let told = errors.clone();
    (Arc::new(move |error| told.lock().unwrap().push(error.clone())), errors)
}

/// An event of a JSON watch.
fn event(kind: &str, object: &serde_json::Value) -> Bytes {
    format!("{}\n", json!({"type": kind, "object": object})).into()
}

#[tokio::test]
async fn watches_last_five_to_ten_minutes() {
    let (server, _client) = cluster().await;
    let proxy = Proxy::new(&server, |asked| match asked.kind() {
        Kind::Watch if asked.number < 20 => Answer::Failure(410, "Expired"),
        _ => Answer::Pass,
    })
    .await;
    let (_store, _running) = start(&proxy, listing());
    proxy.requests(42).await;
    let seconds: Vec<u32> = (proxy.asked().iter())
        .filter(|asked| asked.kind() == Kind::Watch)
        .map(|asked| asked.get("timeoutSeconds").parse().unwrap())
        .collect();
    assert!(seconds.iter().all(|seconds| (300..=600).contains(seconds)), "{seconds:?}");
    assert!(seconds.iter().any(|other| *other != seconds[0]), "{seconds:?}");
    assert!(
        proxy
            .asked()
            .iter()
            .all(|asked| asked.kind() != Kind::Watch || asked.get("allowWatchBookmarks") == "true")
    );
}

#[tokio::test]
async fn a_watch_that_ends_is_gone_on_from_where_it_stood() {
    let (server, client) = cluster().await;
    let proxy = Proxy::new(&server, |asked| match (asked.kind(), asked.number) {
        (Kind::Watch, 0..3) => {
            let mut events = 0;
            // It ends, breaks, and breaks in the middle of an event.
            let ends = [|| Act::End, || Act::Cut(0), || Act::Cut(30)];
            let end = ends[asked.number];
            Answer::Edit(Box::new(move |_| {
                events += 1;
                if events == 1 { Act::Pass } else { end() }
            }))
        }
        _ => Answer::Pass,
    })
    .await;
    let (store, _running) = start(&proxy, listing());
    soon("the first list", store.wait_for_resource_version("1")).await.unwrap();
    let mut wanted =
        vec!["list from 0, at most 500".to_owned(), format!("watch from {}", server.resource_version())];
    proxy.requests(2).await;
    for round in 0..3 {
        let one = create(&client, &format!("a{round}"), "red").await;
        let two = create(&client, &format!("b{round}"), "red").await;
        soon("both", store.wait_for_resource_version(&two)).await.unwrap();
        wanted.push(format!("watch from {one}"));
        // The second event comes again, as the first of the next watch.
        if round < 2 {
            assert_eq!(proxy.requests(wanted.len()).await, wanted);
            let three = create(&client, &format!("c{round}"), "red").await;
            soon("the third", store.wait_for_resource_version(&three)).await.unwrap();
            wanted.push(format!("watch from {two}"));
            proxy.requests(wanted.len()).await;
            break;
        }
    }
    assert_eq!(proxy.words().iter().filter(|words| words.starts_with("list")).count(), 1);
    assert_eq!(store.len(), client_count(&client).await);
}

async fn client_count(client: &Client) -> usize {
    paints(client).list(&Default::default()).await.unwrap().items.len()
}

#[tokio::test]
async fn an_expired_watch_is_followed_by_a_list_from_the_last_version() {
    let (server, client) = cluster().await;
    for in_stream in [false, true] {
        let proxy = Proxy::new(&server, move |asked| match (asked.kind(), asked.number) {
            (Kind::Watch, 0) if in_stream => Answer::Edit(Box::new(|_| {
                Act::Instead(event("ERROR", &status(410, "Expired", "too old resource version: 1 (2)")))
            })),
            (Kind::Watch, 0) => Answer::Failure(410, "Expired"),
            _ => Answer::Pass,
        })
        .await;
        let (store, _running) = start(&proxy, listing());
        soon("the first list", store.wait_for_resource_version("1")).await.unwrap();
        let from = server.resource_version();
        proxy.requests(2).await;
        let made = create(&client, &format!("in-stream-{in_stream}"), "red").await;
        soon("the change", store.wait_for_resource_version(&made)).await.unwrap();
        assert_eq!(
            proxy.words()[..3],
            [
                "list from 0, at most 500".to_owned(),
                format!("watch from {from}"),
                format!("list from {from}")
            ]
        );
    }
}

/// The embedded server itself responds so when its history is lost.
#[tokio::test]
async fn a_watch_that_was_compacted_away_leads_to_the_latest_state() {
    let (server, client) = cluster().await;
    create(&client, "a", "red").await;
    create(&client, "b", "red").await;
    for options in [listing(), quick()] {
        let proxy = Proxy::passing(&server).await;
        let (store, _running) = start(&proxy, options);
        let changed = repaint(&client, "b", "green").await;
        soon("the first list", store.wait_for_resource_version(&changed)).await.unwrap();
        proxy.stop_listening().await;
        delete(&client, "a").await;
        let last = repaint(&client, "b", "blue").await;
        server.compact();
        proxy.listen().await;
        soon("the last change", store.wait_for_resource_version(&last)).await.unwrap();
        assert!(!store.contains("default/a"));
        create(&client, "a", "red").await;
    }
}

#[tokio::test]
async fn too_many_requests_hold_a_watch_up_and_nothing_is_listed() {
    let (server, client) = cluster().await;
    let proxy = Proxy::new(&server, |asked| match (asked.kind(), asked.number) {
        (Kind::Watch, 0 | 1) => Answer::Failure(429, "TooManyRequests"),
        (Kind::Watch, 2) => Answer::Later(0),
        (Kind::Watch, 3) => Answer::Edit(Box::new(|_| {
            let mut later = status(429, "TooManyRequests", "later");
            later["details"] = json!({"retryAfterSeconds": 1});
            Act::Instead(event("ERROR", &later))
        })),
        _ => Answer::Pass,
    })
    .await;
    let (on_error, errors) = keeping();
    let (store, _running) = start(&proxy, ReflectorOptions { on_error: Some(on_error), ..listing() });
    soon("the first list", store.wait_for_resource_version("1")).await.unwrap();
    let on = format!("watch from {}", server.resource_version());
    proxy.requests(5).await;
    let made = create(&client, "a", "red").await;
    soon("the change", store.wait_for_resource_version(&made)).await.unwrap();
    assert_eq!(proxy.words(), ["list from 0, at most 500", &on, &on, &on, &on, &on]);
    let errors = errors.lock().unwrap();
    let last = errors.last().unwrap().as_source().unwrap();
    assert!(last.is_too_many_requests(), "{last:?}");
    assert_eq!(last.retry_after(), Some(Duration::from_secs(1)));
}

#[tokio::test]
async fn a_refused_connection_is_tried_again_and_nothing_is_listed() {
    let (server, client) = cluster().await;
    for options in [listing(), quick()] {
        let proxy = Proxy::passing(&server).await;
        let (on_error, errors) = keeping();
        let (store, _running) = start(&proxy, ReflectorOptions { on_error: Some(on_error), ..options });
        let seen = create(&client, "a", "red").await;
        soon("the first list", store.wait_for_resource_version(&seen)).await.unwrap();
        // A watch that ends at once without an event has failed; this one has sent an event.
        let seen = repaint(&client, "a", "green").await;
        soon("the change", store.wait_for_resource_version(&seen)).await.unwrap();
        let lists = || proxy.words().iter().filter(|words| !words.starts_with("watch")).count();
        assert_eq!(lists(), 1);
        proxy.stop_listening().await;
        let refused = async {
            let is_refused =
                |error: &klient_cache::Error| error.as_source().is_some_and(|source| source.is_refused());
            while errors.lock().unwrap().iter().filter(|error| is_refused(error)).count() < 3 {
                tokio::task::yield_now().await;
            }
        };
        soon("three refusals", refused).await;
        let changed = repaint(&client, "a", "blue").await;
        proxy.listen().await;
        soon("the change", store.wait_for_resource_version(&changed)).await.unwrap();
        assert_eq!(lists(), 1, "{:?}", proxy.words());
        delete(&client, "a").await;
    }
}

#[tokio::test]
async fn a_watch_that_ends_at_once_did_not_work() {
    let (server, client) = cluster().await;
    let proxy = Proxy::new(&server, |asked| match (asked.kind(), asked.number) {
        (Kind::Watch, 0) => Answer::Text(String::new()),
        _ => Answer::Pass,
    })
    .await;
    let (on_error, errors) = keeping();
    let (store, _running) = start(&proxy, ReflectorOptions { on_error: Some(on_error), ..listing() });
    let from = server.resource_version();
    let (list, on) = (format!("list from {from}"), format!("watch from {from}"));
    assert_eq!(proxy.requests(4).await, ["list from 0, at most 500", &on, &list, &on]);
    let made = create(&client, "a", "red").await;
    soon("the change", store.wait_for_resource_version(&made)).await.unwrap();
    let errors = errors.lock().unwrap();
    assert!(errors[0].to_string().ends_with("the watch ended at once, and without an event"), "{errors:?}");
}

#[tokio::test]
async fn bookmarks_move_a_watch_on() {
    let (server, client) = cluster().await;
    let made = create(&client, "a", "red").await;
    let proxy = Proxy::new(&server, |asked| match (asked.kind(), asked.number) {
        (Kind::Watch, 0) => {
            let mark =
                json!({"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"resourceVersion": "123456"}});
            // An event without contents changes nothing.
            let none = json!({"kind": "ConfigMap", "apiVersion": "v1", "metadata": {}});
            let text = [event("BOOKMARK", &mark), event("BOOKMARK", &none)].concat();
            Answer::Text(String::from_utf8(text).unwrap())
        }
        _ => Answer::Pass,
    })
    .await;
    let (store, _running) = start(&proxy, listing());
    soon("the bookmark", store.wait_for_resource_version("123456")).await.unwrap();
    let on = format!("watch from {made}");
    assert_eq!(proxy.requests(3).await, ["list from 0, at most 500", &on, "watch from 123456"]);
    assert_eq!(&*store.resource_version(), "123456");
}

#[tokio::test]
async fn failures_inside_the_server_lead_to_a_list_unless_one_is_patient() {
    let (server, client) = cluster().await;
    for (patience, lists) in [(Duration::ZERO, 2), (Duration::from_secs(60), 1)] {
        let proxy = Proxy::new(&server, |asked| match (asked.kind(), asked.number) {
            (Kind::Watch, 0) => Answer::Edit(Box::new(|_| {
                Act::Instead(event("ERROR", &status(500, "InternalError", "etcd is away")))
            })),
            _ => Answer::Pass,
        })
        .await;
        let options = ReflectorOptions { max_internal_error_retry: patience, ..listing() };
        let (store, _running) = start(&proxy, options);
        proxy.requests(2).await;
        soon("the first list", store.wait_for_resource_version("1")).await.unwrap();
        let made = create(&client, &format!("a{lists}"), "red").await;
        soon("the change", store.wait_for_resource_version(&made)).await.unwrap();
        let found = proxy.words().iter().filter(|words| words.starts_with("list")).count();
        assert_eq!(found, lists, "{:?}", proxy.words());
    }
}

#[tokio::test]
async fn garbage_in_a_watch_is_followed_by_a_list() {
    let (server, client) = cluster().await;
    // Bytes that cannot be an event, in JSON and in protobuf.
    for garbage in [&b"<html>502</html>\n"[..], b"\0\0\0\x03\xff\xff\xff", b"\xff\xff\xff\xff"] {
        let proxy = Proxy::new(&server, move |asked| match (asked.kind(), asked.number) {
            (Kind::Watch, 0) => Answer::Edit(Box::new(|_| Act::Instead(Bytes::from_static(garbage)))),
            _ => Answer::Pass,
        })
        .await;
        let writer = StoreWriter::new(ConfigMap::INFO, Keep::Packed);
        let store = writer.store();
        let is_json = garbage[0] == b'<';
        let encoding = if is_json { Encoding::Json } else { Encoding::Protobuf };
        let through = Client::new(Config { encoding, ..proxy.config() }).unwrap();
        let _running = reflect(Reflector::new(paints(&through), writer, listing()));
        proxy.requests(2).await;
        soon("the first list", store.wait_for_resource_version("1")).await.unwrap();
        let made = create(&client, &format!("a{}", garbage.len()), "red").await;
        soon("the change", store.wait_for_resource_version(&made)).await.unwrap();
        assert!(proxy.requests(3).await[2].starts_with("list from "), "{:?}", proxy.words());
    }
}

/// The closing bookmark of a streamed list and garbage may arrive together.
#[tokio::test]
async fn garbage_right_behind_a_streamed_list_is_noticed() {
    let (server, client) = cluster().await;
    create(&client, "a", "red").await;
    let proxy = Proxy::new(&server, |asked| match (asked.kind(), asked.number) {
        (Kind::Stream, 0) => Answer::Edit(Box::new(|event| {
            if event.starts_with(b"{\"type\":\"BOOKMARK\"") {
                Act::Instead([event, &b"<html>502</html>\n"[..]].concat().into())
            } else {
                Act::Pass
            }
        })),
        _ => Answer::Pass,
    })
    .await;
    let (on_error, errors) = keeping();
    let (store, _running) = start(&proxy, ReflectorOptions { on_error: Some(on_error), ..quick() });
    soon("the first list", store.wait_for_resource_version("1")).await.unwrap();
    let again = format!("stream from {}", server.resource_version());
    assert_eq!(proxy.requests(2).await, ["stream", &again]);
    assert!(errors.lock().unwrap()[0].as_source().unwrap().is_unreadable());
}

/// A failure of the watch behind a streamed list does not concern the list.
#[tokio::test]
async fn a_watch_that_expires_right_behind_a_streamed_list_is_listed_from_the_last_version() {
    let (server, client) = cluster().await;
    create(&client, "a", "red").await;
    let proxy = Proxy::new(&server, |asked| match (asked.kind(), asked.number) {
        (Kind::Stream, 0) => Answer::Edit(Box::new(|this| {
            if this.starts_with(b"{\"type\":\"BOOKMARK\"") {
                Act::Instead([&this[..], &event("ERROR", &status(410, "Expired", "too old"))].concat().into())
            } else {
                Act::Pass
            }
        })),
        _ => Answer::Pass,
    })
    .await;
    let (_store, _running) = start(&proxy, quick());
    let again = format!("stream from {}", server.resource_version());
    assert_eq!(proxy.requests(2).await, ["stream", &again]);
}

#[tokio::test]
async fn silence_is_noticed() {
    let (server, client) = cluster().await;
    let proxy = Proxy::new(&server, |asked| match (asked.kind(), asked.number) {
        (Kind::Stream, 0) => {
            let mut events = 0;
            let first = 1;
            Answer::Edit(Box::new(move |event| {
                events += 1;
                let is_last = event.windows(8).take(32).any(|word| word == b"BOOKMARK");
                if is_last || events <= first { Act::Pass } else { Act::Silence }
            }))
        }
        (Kind::Watch, 0) => Answer::Silence,
        _ => Answer::Pass,
    })
    .await;
    let mut config = proxy.config();
    config.timeouts.watch_idle = Some(Duration::from_millis(100));
    config.timeouts.first_byte = Some(Duration::from_millis(100));
    let writer = StoreWriter::new(ConfigMap::INFO, Keep::Packed);
    let store = writer.store();
    let source = paints(&Client::new(config).unwrap());
    let _running = reflect(Reflector::new(source, writer, quick()));
    soon("the first list", store.wait_for_resource_version("1")).await.unwrap();
    for name in ["a", "b", "c"] {
        let made = create(&client, name, "red").await;
        soon("the change", store.wait_for_resource_version(&made)).await.unwrap();
    }
}

#[tokio::test]
async fn an_error_is_forgotten_when_the_watch_works_again() {
    let (server, client) = cluster().await;
    let proxy = Proxy::new(&server, |asked| match (asked.kind(), asked.number) {
        (Kind::Stream, 0) => Answer::Edit(Box::new(|event| {
            let is_second = event.windows(6).any(|word| word == b"second");
            if is_second { Act::End } else { Act::Pass }
        })),
        (Kind::Watch, 0..3) => Answer::Failure(429, "TooManyRequests"),
        _ => Answer::Pass,
    })
    .await;
    let informer = informer(&proxy.client());
    informer.start();
    soon("the first list", informer.wait_for_sync()).await.unwrap();
    // A watch that breaks before its first event is followed by a list.
    for name in ["first", "second"] {
        let made = create(&client, name, "red").await;
        soon("the change", informer.store().wait_for_resource_version(&made)).await.unwrap();
    }
    assert_eq!(informer.metrics().lists, 1, "{:?}", proxy.words());
    assert!(informer.last_error().is_none(), "{:?}", informer.last_error());
}
