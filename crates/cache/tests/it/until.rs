//! Waiting for conditions on objects.

use std::time::Duration;

use klient_api::core::v1::ConfigMap;
use klient_apimachinery::meta::v1::DeleteOptions;
use klient_apimachinery::{WatchEvent, WatchOptions};
use klient_cache::{
    Condition, ConditionError, Event, Informer, InformerOptions, ReflectorOptions, RetryWatchOptions,
    in_order, until, until_with_sync, until_without_retry,
};

use crate::cluster::{client, cluster, config_map, config_maps, create, soon, told};
use crate::front::Front;
use crate::stage::quick_backoff;

fn at_once() -> RetryWatchOptions {
    RetryWatchOptions { min_restart_delay: Duration::from_millis(1), ..Default::default() }
}

fn is_word(word: &'static str) -> impl FnMut(&WatchEvent<ConfigMap>) -> Result<bool, ConditionError> {
    move |event| Ok(told(event) == word)
}

/// Conditions on events in words, in order.
fn words(
    words: &[&'static str],
) -> impl FnMut(&WatchEvent<ConfigMap>) -> Result<bool, ConditionError> + use<> {
    in_order(words.iter().map(|word| Box::new(is_word(word)) as Condition<WatchEvent<ConfigMap>>).collect())
}

#[tokio::test]
async fn the_event_that_meets_the_condition_is_given() {
    let (_server, client) = cluster().await;
    let config_maps = config_maps(&client);
    let begin = create(&config_maps, &["a"]).await;
    create(&config_maps, &["b", "c"]).await;
    config_maps.delete("a", &DeleteOptions::default()).await.unwrap();
    for (wanted, is_met) in
        [(&["+b"][..], "+b"), (&["+b", "-a"], "-a"), (&["+b", "+b", "+c"], "+c"), (&[], "+b")]
    {
        let event = until(config_maps.clone(), &begin, at_once(), words(wanted));
        assert_eq!(told(&soon("an event", event).await.unwrap()), is_met, "{wanted:?}");
    }
}

#[tokio::test]
async fn connections_that_break_are_got_over() {
    let (server, client) = cluster().await;
    let begin = create(&config_maps(&client), &["a"]).await;
    let front = Front::passing(&server).await;
    let through_front = config_maps(&front.client());
    let waiting = tokio::spawn(async move {
        until(through_front, &begin, at_once(), words(&["+b", "+c", "-b"])).await.map(|event| told(&event))
    });
    for name in ["b", "c"] {
        soon("a watch", front.streams(1)).await;
        create(&config_maps(&client), &[name]).await;
        front.cut();
    }
    config_maps(&client).delete("b", &DeleteOptions::default()).await.unwrap();
    assert_eq!(soon("the event", waiting).await.unwrap().unwrap(), "-b");
}

#[tokio::test]
async fn a_condition_may_fail() {
    let (_server, client) = cluster().await;
    let config_maps = config_maps(&client);
    let begin = create(&config_maps, &["a"]).await;
    create(&config_maps, &["b"]).await;
    let waiting = until(config_maps, &begin, at_once(), |event| Err(format!("no {}", told(event)).into()));
    let error = soon("an error", waiting).await.unwrap_err();
    assert_eq!(error.as_condition().unwrap().to_string(), "no +b");
    assert_eq!(format!("{error:?}"), "the condition on configmaps failed: no +b");
}

#[tokio::test]
async fn a_version_that_is_forgotten_is_expired() {
    let (server, client) = cluster().await;
    let config_maps = config_maps(&client);
    let begin = create(&config_maps, &["a"]).await;
    create(&config_maps, &["b"]).await;
    server.compact();
    let mut seen = Vec::new();
    let waiting = until(config_maps.clone(), &begin, at_once(), |event| {
        seen.push(told(event));
        Ok(false)
    });
    let error = soon("an error", waiting).await.unwrap_err();
    assert!(error.is_expired(), "{error:?}");
    assert_eq!(seen, ["error 410"]);

    let error = until(config_maps, "0", at_once(), |_| Ok(true)).await.unwrap_err();
    assert!(error.to_string().contains("to watch from"), "{error}");
}

#[tokio::test]
async fn a_watch_without_retry_ends_with_the_servers_watch() {
    let (_server, client) = cluster().await;
    let config_maps = config_maps(&client);
    create(&config_maps, &["a"]).await;
    let short = WatchOptions { timeout_seconds: Some(1), ..Default::default() };
    let error = until_without_retry(config_maps.clone(), &short, |_| Ok(false)).await.unwrap_err();
    assert!(error.is_watch_closed(), "{error:?}");
    assert_eq!(error.to_string(), "the watch of configmaps ended before the condition was met");

    let event = until_without_retry(config_maps, &short, is_word("+a")).await.unwrap();
    assert_eq!(told(&event), "+a");
}

#[tokio::test]
async fn who_stops_waiting_stops_the_watch() {
    let (server, client) = cluster().await;
    let begin = create(&config_maps(&client), &["a"]).await;
    let front = Front::passing(&server).await;
    let mut waiting = Box::pin(until(config_maps(&front.client()), &begin, at_once(), |_| Ok(false)));
    tokio::select! {
        _ = &mut waiting => panic!("nothing happens"),
        () = front.streams(1) => {}
    }
    drop(waiting);
    soon("no stream", front.streams(0)).await;
}

fn informer(config_maps: crate::cluster::ConfigMaps) -> Informer<ConfigMap> {
    let reflector = ReflectorOptions { backoff: quick_backoff(), ..Default::default() };
    Informer::new(config_maps, InformerOptions { reflector, ..Default::default() })
}

#[tokio::test]
async fn objects_that_are_there_meet_a_condition_as_those_that_come() {
    let (_server, client) = cluster().await;
    let config_maps = config_maps(&client);
    create(&config_maps, &["a"]).await;
    let is = |name: &'static str| move |event: &Event<ConfigMap>| Ok(event.key().name() == name);
    let there = until_with_sync(informer(config_maps.clone()), |_| Ok(false), is("a"));
    assert!(matches!(soon("a", there).await.unwrap(), Some(Event::Added { .. })));

    let to_come = until_with_sync(informer(config_maps.clone()), |_| Ok(false), is("b"));
    let (event, _) = tokio::join!(soon("b", to_come), create(&config_maps, &["b"]));
    assert_eq!(event.unwrap().unwrap().object().unwrap().name(), "b");
}

#[tokio::test]
async fn a_precondition_that_holds_is_enough() {
    let (server, client) = cluster().await;
    create(&config_maps(&client), &["a"]).await;
    let front = Front::passing(&server).await;
    let is_there = until_with_sync(
        informer(config_maps(&front.client())),
        |store| Ok(store.contains("default/a")),
        |_| panic!("nobody asks"),
    );
    assert!(soon("the first list", is_there).await.unwrap().is_none());
    soon("the informer's end", front.streams(0)).await;

    let fails = until_with_sync(informer(config_maps(&client)), |_| Err("broken".into()), |_| Ok(true));
    assert_eq!(soon("an error", fails).await.unwrap_err().as_condition().unwrap().to_string(), "broken");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_right_after_the_precondition_is_not_missed() {
    let (_server, client) = cluster().await;
    let config_maps = config_maps(&client);
    create(&config_maps, &["a"]).await;
    let runtime = tokio::runtime::Handle::current();
    let waiting = until_with_sync(
        informer(config_maps.clone()),
        |store| {
            let changing = async {
                config_maps.delete("a", &DeleteOptions::default()).await.unwrap();
                let version = create(&config_maps, &["b"]).await;
                soon("b", store.wait_for_resource_version(&version)).await.unwrap();
            };
            tokio::task::block_in_place(|| runtime.block_on(changing));
            Ok(store.contains("default/a"))
        },
        |event| Ok(matches!(event, Event::Deleted(_))),
    );
    let event = soon("the event", waiting).await.unwrap().unwrap();
    assert_eq!(event.key().to_string(), "default/a");
}

#[tokio::test]
async fn an_informer_gets_over_a_version_that_is_forgotten() {
    let (server, client) = cluster().await;
    let config_maps = config_maps(&client);
    create(&config_maps, &["a"]).await;
    let front = Front::passing(&server).await;
    let informer = informer(crate::cluster::config_maps(&front.client()));
    let store = informer.store().clone();
    let waiting = tokio::spawn(until_with_sync(
        informer,
        |_| Ok(false),
        |event: &Event<ConfigMap>| {
            let color = event.object().and_then(|object| object.labels().get("color"));
            Ok(color == Some("blue"))
        },
    ));
    soon("the first list", store.wait_for_resource_version("1")).await.unwrap();
    create(&config_maps, &["b"]).await;
    front.cut();
    server.compact();
    config_maps.create(&config_map("c", "blue")).await.unwrap();
    let event = soon("the event", waiting).await.unwrap().unwrap().unwrap();
    assert_eq!(event.key().name(), "c");
}

#[tokio::test]
async fn one_who_may_not_list_is_told_at_once() {
    let (server, _) = cluster().await;
    let jane = client(&server, &server.token("jane", &[]));
    let waiting = until_with_sync(informer(config_maps(&jane)), |_| Ok(false), |_| Ok(true));
    let error = soon("an error", waiting).await.unwrap_err();
    assert!(error.is_permanent(), "{error:?}");
}
