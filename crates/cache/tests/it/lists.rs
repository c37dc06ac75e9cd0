//! Lists of a reflector: their requests, and the fallbacks.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use klient_api::core::v1::ConfigMap;
use klient_apimachinery::Resource as _;
use klient_apimachinery::codec::ManagedFields;
use klient_apiserver::TestServer;
use klient_cache::{Keep, Reflector, ReflectorOptions, Store, StoreWriter};
use serde_json::json;

use crate::proxy::{Act, Answer, Asked, Kind, Proxy, status};
use crate::stage::{Reflecting, cluster, create, listing, paints, quick, reflect, repaint, soon};

/// A reflector of the default namespace's config maps, through a proxy.
fn start(proxy: &Proxy, options: ReflectorOptions) -> (Store<ConfigMap>, Reflecting) {
    let writer = StoreWriter::new(ConfigMap::INFO, Keep::Packed);
    let store = writer.store();
    let reflector = Reflector::new(paints(&proxy.client()), writer, options);
    (store, reflect(reflector))
}

/// Ends every watch at its first event, with a failure in the stream.
fn expire_first_watch(asked: &Asked) -> Answer {
    match (asked.kind(), asked.number) {
        (Kind::Watch, 0) => Answer::Failure(410, "Expired"),
        _ => Answer::Pass,
    }
}

fn now(server: &TestServer) -> u64 {
    server.resource_version()
}

#[tokio::test]
async fn the_first_list_comes_through_a_watch_that_goes_on() {
    let (server, client) = cluster().await;
    create(&client, "a", "red").await;
    let proxy = Proxy::passing(&server).await;
    let (store, _running) = start(&proxy, quick());
    let changed = repaint(&client, "a", "blue").await;
    soon("the change", store.wait_for_resource_version(&changed)).await.unwrap();
    assert_eq!(proxy.words(), ["stream"]);
    let asked = &proxy.asked()[0];
    let options = ["resourceVersionMatch", "allowWatchBookmarks"].map(|key| asked.get(key));
    assert_eq!(options, ["NotOlderThan", "true"]);
}

#[tokio::test]
async fn a_server_that_refuses_to_stream_lists_is_not_asked_for_that_again() {
    let (server, _client) = cluster().await;
    for (code, reason) in [(400, "BadRequest"), (422, "Invalid")] {
        let proxy = Proxy::new(&server, move |asked| match asked.kind() {
            Kind::Stream => Answer::Failure(code, reason),
            _ => expire_first_watch(asked),
        })
        .await;
        let (_store, _running) = start(&proxy, quick());
        let (list, on) = (format!("list from {}", now(&server)), format!("watch from {}", now(&server)));
        assert_eq!(
            proxy.requests(5).await,
            ["stream", "list from 0, at most 500", &on, &list, &on],
            "after {code}"
        );
    }
}

#[tokio::test]
async fn a_server_that_fails_to_stream_a_list_once_is_asked_for_that_again() {
    let (server, _client) = cluster().await;
    let proxy = Proxy::new(&server, |asked| match (asked.kind(), asked.number) {
        (Kind::Stream, 0) => Answer::Failure(500, "InternalError"),
        _ => expire_first_watch(asked),
    })
    .await;
    let (_store, _running) = start(&proxy, quick());
    let (on, again) = (format!("watch from {}", now(&server)), format!("stream from {}", now(&server)));
    assert_eq!(proxy.requests(4).await, ["stream", "list from 0, at most 500", &on, &again]);
}

#[tokio::test]
async fn a_streamed_list_that_breaks_begins_anew() {
    let (server, client) = cluster().await;
    let made = create(&client, "a", "red").await;
    let proxy = Proxy::new(&server, |asked| match (asked.kind(), asked.number) {
        (Kind::Stream, 0) => Answer::Edit(Box::new(|_| Act::Cut(20))),
        (Kind::Stream, 1) => Answer::Edit(Box::new(|_| Act::End)),
        _ => Answer::Pass,
    })
    .await;
    let (store, _running) = start(&proxy, quick());
    soon("the object", store.wait_for_resource_version(&made)).await.unwrap();
    assert_eq!(proxy.words(), ["stream"; 3]);
}

#[tokio::test]
async fn too_many_requests_hold_a_list_up_and_it_is_asked_for_in_the_same_way() {
    let (server, client) = cluster().await;
    let made = create(&client, "a", "red").await;
    for (options, way) in [(quick(), "stream"), (listing(), "list from 0, at most 500")] {
        let proxy = Proxy::new(&server, |asked| match asked.number {
            0 => Answer::Failure(429, "TooManyRequests"),
            1 => Answer::Later(0),
            _ => Answer::Pass,
        })
        .await;
        let (store, _running) = start(&proxy, options);
        soon("the first list", store.wait_for_resource_version(&made)).await.unwrap();
        assert_eq!(proxy.words()[..3], [way; 3]);
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_yet_is_waited_for() {
    let (server, client) = cluster().await;
    let made = create(&client, "a", "red").await;
    for (options, way) in [(quick(), "stream"), (listing(), "list from 0, at most 500")] {
        let proxy = Proxy::passing(&server).await;
        proxy.stop_listening().await;
        let refusals = Arc::new(AtomicUsize::new(0));
        let told = refusals.clone();
        let on_error: klient_cache::WatchErrorHandler = Arc::new(move |error| {
            assert!(error.as_source().unwrap().is_refused(), "{error:?}");
            told.fetch_add(1, Ordering::Relaxed);
        });
        let (store, _running) = start(&proxy, ReflectorOptions { on_error: Some(on_error), ..options });
        let refused = async {
            while refusals.load(Ordering::Relaxed) < 3 {
                tokio::task::yield_now().await;
            }
        };
        soon("three refusals", refused).await;
        proxy.listen().await;
        soon("the first list", store.wait_for_resource_version(&made)).await.unwrap();
        assert_eq!(proxy.words()[0], way);
    }
}

fn is_bookmark(event: &[u8]) -> bool {
    event.windows(8).take(32).any(|word| word == b"BOOKMARK")
}

#[tokio::test]
async fn a_last_bookmark_that_is_swallowed_is_not_waited_for_for_ever() {
    let (server, client) = cluster().await;
    create(&client, "a", "red").await;
    let proxy = Proxy::new(&server, |asked| match asked.kind() {
        Kind::Stream => {
            Answer::Edit(Box::new(|event| if is_bookmark(event) { Act::Skip } else { Act::Pass }))
        }
        _ => expire_first_watch(asked),
    })
    .await;
    let options = ReflectorOptions { bookmark_timeout: Duration::from_millis(50), ..quick() };
    let (store, _running) = start(&proxy, options);
    let (list, on) = (format!("list from {}", now(&server)), format!("watch from {}", now(&server)));
    assert_eq!(proxy.requests(5).await, ["stream", "list from 0, at most 500", &on, &list, &on]);
    assert!(store.contains("default/a"));
}

/// Continual changes must not count as progress of a streamed list.
#[tokio::test]
async fn a_last_bookmark_that_is_swallowed_is_missed_among_many_changes() {
    let (server, client) = cluster().await;
    create(&client, "a", "red").await;
    let proxy = Proxy::new(&server, |asked| match asked.kind() {
        Kind::Stream => {
            Answer::Edit(Box::new(|event| if is_bookmark(event) { Act::Skip } else { Act::Pass }))
        }
        _ => Answer::Pass,
    })
    .await;
    let options = ReflectorOptions { bookmark_timeout: Duration::from_millis(200), ..quick() };
    let (store, _running) = start(&proxy, options);
    let synced = async {
        for count in 0.. {
            repaint(&client, "a", &format!("blue-{count}")).await;
            if !store.is_empty() {
                return;
            }
        }
    };
    soon("the first list", synced).await;
    assert_eq!(proxy.words()[..2], ["stream", "list from 0, at most 500"]);
}

#[tokio::test]
async fn only_a_list_that_has_expired_leads_to_the_latest() {
    let (server, _client) = cluster().await;
    let too_large = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": "Timeout: Too large resource version: 9, current: 1", "reason": "Timeout", "code": 504,
        "details": {"causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]}});
    for failure in [status(410, "Expired", "too old"), status(410, "Gone", "gone"), too_large] {
        let reason = failure["reason"].clone();
        let proxy = Proxy::new(&server, move |asked| match (asked.kind(), asked.number) {
            (Kind::List, 1) => Answer::Status(failure.clone()),
            // The last request fails once, and is repeated.
            (Kind::List, 2) => Answer::Failure(500, "InternalError"),
            _ => expire_first_watch(asked),
        })
        .await;
        let (_store, _running) = start(&proxy, listing());
        let (list, on) = (format!("list from {}", now(&server)), format!("watch from {}", now(&server)));
        let latest = "list, at most 500";
        assert_eq!(
            proxy.requests(6).await,
            ["list from 0, at most 500", &on, &list, latest, latest, &on],
            "after {reason}"
        );
    }
}

#[tokio::test]
async fn a_streamed_list_that_has_expired_leads_to_the_latest() {
    let (server, _client) = cluster().await;
    let proxy = Proxy::new(&server, |asked| match (asked.kind(), asked.number) {
        (Kind::Stream, 0) => Answer::Edit(Box::new(|event| {
            // The list, and then the end of the watch.
            if is_bookmark(event) { Act::Pass } else { Act::End }
        })),
        (Kind::Stream, 1) => Answer::Failure(410, "Expired"),
        _ => Answer::Pass,
    })
    .await;
    let (store, _running) = start(&proxy, quick());
    soon("the first list", store.wait_for_resource_version("1")).await.unwrap();
    let version = now(&server);
    let client = klient_client::Client::new(crate::stage::config(&server)).unwrap();
    create(&client, "a", "red").await;
    assert_eq!(proxy.requests(3).await, ["stream", &format!("stream from {version}"), "stream"]);
}

/// A server that was restored to an earlier state has not reached the last version.
#[tokio::test]
async fn a_server_with_less_history_is_taken_as_it_is() {
    let (server, client) = cluster().await;
    let (other, there) = cluster().await;
    for name in ["a", "b", "c"] {
        create(&client, name, "red").await;
    }
    let known = repaint(&client, "a", "blue").await;
    let fresh = create(&there, "b", "green").await;
    for options in [listing(), quick()] {
        let turned = Arc::new(AtomicBool::new(false));
        let has_turned = turned.clone();
        let proxy = Proxy::new(&server, move |asked| match asked.kind() {
            // The response to a watch from an unknown version.
            Kind::Watch if has_turned.swap(false, Ordering::Relaxed) => Answer::Failure(410, "Expired"),
            _ => Answer::Pass,
        })
        .await;
        let (store, _running) = start(&proxy, options);
        soon("the first list", store.wait_for_resource_version(&known)).await.unwrap();
        turned.store(true, Ordering::Relaxed);
        proxy.turn_to(&other);
        proxy.cut().await;
        let is_fresh = async {
            while store.get("default/b").is_none_or(|b| b.resource_version() != fresh) {
                tokio::task::yield_now().await;
            }
        };
        soon("the other state", is_fresh).await;
        assert!(!store.contains("default/a") && !store.contains("default/c"));
    }
}

#[tokio::test]
async fn pages_are_put_together() {
    let (server, client) = cluster().await;
    let mut last = String::new();
    for name in ["a", "b", "c", "d", "e"] {
        last = create(&client, name, "red").await;
    }
    // kube-apiserver serves its watch cache without pages.
    let proxy = Proxy::new(&server, |_| Answer::With(&[("resourceVersion", "")])).await;
    let (store, _running) = start(&proxy, ReflectorOptions { page_size: Some(2), ..listing() });
    soon("the first list", store.wait_for_resource_version(&last)).await.unwrap();
    let objects = client.api::<ConfigMap>().namespace("default");
    let count = objects.list(&Default::default()).await.unwrap().items.len();
    assert_eq!(store.len(), count);
    let mut wanted = vec!["list from 0, at most 2".to_owned()];
    wanted.extend(vec!["list, at most 2, going on".to_owned(); count.div_ceil(2) - 1]);
    assert_eq!(proxy.words()[..wanted.len()], wanted);
}

#[tokio::test]
async fn a_server_that_pages_what_it_has_at_hand_is_asked_for_pages_from_then_on() {
    let (server, client) = cluster().await;
    for name in ["a", "b", "c"] {
        create(&client, name, "red").await;
    }
    let proxy = Proxy::new(&server, |asked| match asked.kind() {
        Kind::List if asked.get("limit") == "500" => Answer::With(&[("limit", "2"), ("resourceVersion", "")]),
        _ => expire_first_watch(asked),
    })
    .await;
    let (_store, _running) = start(&proxy, listing());
    let again = format!("list from {}, at most 500", now(&server));
    let words = soon("another list", async {
        loop {
            let words = proxy.words();
            if words.contains(&again) {
                return words;
            }
            proxy.requests(words.len() + 1).await;
        }
    })
    .await;
    assert_eq!(words[..2], ["list from 0, at most 500", "list, at most 500, going on"]);
}

#[tokio::test]
async fn pages_that_expire_are_asked_for_in_one_piece() {
    let (server, client) = cluster().await;
    let mut last = String::new();
    for name in ["a", "b", "c"] {
        last = create(&client, name, "red").await;
    }
    let proxy = Proxy::new(&server, |asked| match (asked.kind(), asked.get("continue")) {
        (Kind::List, "") if asked.number == 0 => Answer::With(&[("resourceVersion", "")]),
        (_, "") => Answer::Pass,
        _ => Answer::Failure(410, "Expired"),
    })
    .await;
    let (store, _running) = start(&proxy, ReflectorOptions { page_size: Some(2), ..listing() });
    soon("the first list", store.wait_for_resource_version(&last)).await.unwrap();
    let on = format!("watch from {}", now(&server));
    assert_eq!(
        proxy.requests(4).await,
        ["list from 0, at most 2", "list, at most 2, going on", "list from 0", &on]
    );
    assert!(["a", "b", "c"].iter().all(|name| store.contains(&format!("default/{name}"))));
}

#[tokio::test]
async fn a_list_that_breaks_is_asked_for_again() {
    let (server, client) = cluster().await;
    let made = create(&client, "a", "red").await;
    let proxy = Proxy::new(&server, |asked| match (asked.kind(), asked.number) {
        (Kind::List, 0) => Answer::Edit(Box::new(|list| Act::Cut(list.len() / 2))),
        (Kind::List, 1) => Answer::Edit(Box::new(|list| Act::Instead(list.slice(..list.len() / 2)))),
        (Kind::List, 2) => Answer::Failure(500, "InternalError"),
        _ => Answer::Pass,
    })
    .await;
    let (store, _running) = start(&proxy, listing());
    soon("the first list", store.wait_for_resource_version(&made)).await.unwrap();
    assert_eq!(proxy.words()[..4], ["list from 0, at most 500"; 4]);
    assert!(store.contains("default/a"));
}

#[tokio::test]
async fn selectors_are_sent() {
    let (server, client) = cluster().await;
    create(&client, "a", "red").await;
    create(&client, "b", "blue").await;
    let last = create(&client, "c", "red").await;
    for options in [quick(), listing()] {
        let proxy = Proxy::passing(&server).await;
        let options = ReflectorOptions {
            label_selector: Some("color=red".into()),
            field_selector: Some("metadata.name!=c".into()),
            ..options
        };
        let (store, _running) = start(&proxy, options);
        soon("the first list", store.wait_for_resource_version(&last)).await.unwrap();
        assert_eq!(store.keys().iter().map(ToString::to_string).collect::<Vec<_>>(), ["default/a"]);
        let changed = repaint(&client, "b", "red").await;
        soon("the change", store.wait_for_resource_version(&changed)).await.unwrap();
        repaint(&client, "b", "blue").await;
        let gone = async {
            while store.contains("default/b") {
                tokio::task::yield_now().await;
            }
        };
        soon("the end of b", gone).await;
        for asked in proxy.asked() {
            assert_eq!(asked.get("labelSelector"), "color%3Dred", "{asked:?}");
        }
    }
}

#[tokio::test]
async fn managed_fields_are_dropped_or_kept() {
    let (_server, client) = cluster().await;
    create(&client, "a", "red").await;
    for (managed_fields, are_there) in [(ManagedFields::Skip, false), (ManagedFields::Keep, true)] {
        for options in [quick(), listing()] {
            let writer = StoreWriter::new(ConfigMap::INFO, Keep::Packed);
            let store = writer.store();
            let options = ReflectorOptions { managed_fields, ..options.clone() };
            let _running = reflect(Reflector::new(paints(&client), writer, options));
            for color in ["red", "blue"] {
                let changed = repaint(&client, "a", color).await;
                soon("the change", store.wait_for_resource_version(&changed)).await.unwrap();
                let object = store.get("default/a").unwrap();
                assert_eq!(!object.metadata.managed_fields.is_empty(), are_there);
            }
        }
    }
}

/// The reflector reports one error per attempt, with its number.
#[tokio::test]
async fn attempts_are_counted_until_one_is_right() {
    let (server, client) = cluster().await;
    let made = create(&client, "a", "red").await;
    let proxy = Proxy::new(&server, |asked| match (asked.kind(), asked.number) {
        (Kind::List, 0..3) => Answer::Failure(503, "ServiceUnavailable"),
        (Kind::Watch, 0) => Answer::Failure(503, "ServiceUnavailable"),
        _ => Answer::Pass,
    })
    .await;
    let errors = Arc::new(Mutex::new(Vec::new()));
    let told = errors.clone();
    let on_error: klient_cache::WatchErrorHandler = Arc::new(move |error| {
        told.lock().unwrap().push((error.attempts(), error.as_source().and_then(|source| source.code())));
    });
    let (store, _running) = start(&proxy, ReflectorOptions { on_error: Some(on_error), ..listing() });
    soon("the first list", store.wait_for_resource_version(&made)).await.unwrap();
    proxy.requests(7).await;
    assert_eq!(*errors.lock().unwrap(), [1, 2, 3, 1].map(|attempt| (attempt, Some(503))));
}
