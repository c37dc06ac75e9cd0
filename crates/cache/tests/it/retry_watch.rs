//! Watches that survive broken connections.

use std::time::Duration;

use klient_api::core::v1::ConfigMap;
use klient_apimachinery::codec::Encoded;
use klient_apimachinery::meta::Reason;
use klient_apimachinery::meta::v1::{DeleteOptions, ObjectMeta, Status, StatusDetails};
use klient_apimachinery::{ListWatch, SourceError, WatchEvent};
use klient_cache::{RetryWatch, RetryWatchOptions};

use crate::cluster::{client, cluster, config_map, config_maps, create, soon, told};
use crate::front::{Front, status};
use crate::script::{Act, Scene, Script};

/// Without delays, for tests of other things.
fn at_once() -> RetryWatchOptions {
    RetryWatchOptions { min_restart_delay: Duration::from_millis(1), ..Default::default() }
}

fn watch(source: impl ListWatch<ConfigMap>, version: &str) -> RetryWatch<ConfigMap> {
    RetryWatch::new(source, version, at_once()).unwrap()
}

/// The next results in words.
async fn next<const N: usize>(watch: &mut RetryWatch<ConfigMap>) -> [String; N] {
    let mut words = [const { String::new() }; N];
    for word in &mut words {
        *word = match soon("an event", watch.next()).await {
            Some(Ok(event)) => told(&event),
            Some(Err(error)) => error.to_string(),
            None => "end".to_owned(),
        };
    }
    words
}

#[tokio::test]
async fn a_watch_needs_a_version_to_go_on_from() {
    let (_server, client) = cluster().await;
    for version in ["", "0"] {
        let error = RetryWatch::new(config_maps(&client), version, at_once()).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("{version:?} is no resourceVersion of configmaps to watch from: take that of a list")
        );
    }
}

#[tokio::test]
async fn connections_that_break_lose_nothing_and_double_nothing() {
    let (server, client) = cluster().await;
    let config_maps = config_maps(&client);
    let begin = create(&config_maps, &["first"]).await;
    let front = Front::passing(&server).await;
    let mut watch = watch(crate::cluster::config_maps(&front.client()), &begin);
    let (mut expected, mut seen) = (Vec::new(), Vec::new());
    for round in 0..20 {
        let name = format!("cm-{round}");
        create(&config_maps, &[&name]).await;
        expected.push(format!("+{name}"));
        // Before it was sent, while it is on its way, or after it was taken.
        if round % 3 == 0 {
            front.cut();
        }
        let [event] = next(&mut watch).await;
        seen.push(event);
        if round % 3 == 1 {
            front.cut();
        }
    }
    assert_eq!(seen, expected);
    assert!(front.requests().len() > 6, "{:?}", front.requests());
}

#[tokio::test]
async fn a_program_goes_on_where_it_stood_before() {
    let (_server, client) = cluster().await;
    let config_maps = config_maps(&client);
    let begin = create(&config_maps, &["first"]).await;
    create(&config_maps, &["a", "b", "c"]).await;
    let mut watch = self::watch(config_maps.clone(), &begin);
    assert_eq!(next(&mut watch).await, ["+a", "+b"]);
    // "c" has arrived as well, and was not taken.
    let saved = watch.resource_version().to_owned();
    drop(watch);

    config_maps.delete("a", &DeleteOptions::default()).await.unwrap();
    let mut watch = self::watch(config_maps, &saved);
    assert_eq!(next(&mut watch).await, ["+c", "-a"]);
}

#[tokio::test]
async fn only_what_is_selected_is_told() {
    let (_server, client) = cluster().await;
    let config_maps = config_maps(&client);
    let begin = create(&config_maps, &["first"]).await;
    let by_label = RetryWatchOptions { label_selector: Some("color=blue".into()), ..at_once() };
    let by_name = RetryWatchOptions { field_selector: Some("metadata.name=b".into()), ..at_once() };
    let mut by_label = RetryWatch::new(config_maps.clone(), &begin, by_label).unwrap();
    let mut by_name = RetryWatch::new(config_maps.clone(), &begin, by_name).unwrap();
    create(&config_maps, &["a", "b"]).await;
    config_maps.create(&config_map("c", "blue")).await.unwrap();
    assert_eq!(next(&mut by_label).await, ["+c"]);
    assert_eq!(next(&mut by_name).await, ["+b"]);
}

#[tokio::test]
async fn bookmarks_move_the_version_on_and_are_not_told() {
    let (server, _) = cluster().await;
    let event = |kind: &str, version: u32| {
        let object = format!(
            r#"{{"kind":"ConfigMap","apiVersion":"v1","metadata":{{"name":"a","resourceVersion":"{version}"}}}}"#
        );
        format!("{{\"type\":\"{kind}\",\"object\":{object}}}\n")
    };
    let front = Front::of(&server, move |_, before| {
        Some((200, if before == 0 { event("BOOKMARK", 50) } else { event("ADDED", 60) }))
    })
    .await;
    let mut watch = watch(config_maps(&front.client()), "7");
    assert_eq!(next(&mut watch).await, ["+a"]);
    assert_eq!(watch.resource_version(), "60");
    let requests = front.requests();
    for (request, version) in requests.iter().zip(["7", "50"]) {
        assert!(request.contains(&format!("resourceVersion={version}&")), "{request}");
        assert!(request.contains("allowWatchBookmarks=true"), "{request}");
    }
}

#[tokio::test]
async fn a_version_that_is_forgotten_is_the_last_thing_told() {
    let (server, client) = cluster().await;
    let config_maps = config_maps(&client);
    let begin = create(&config_maps, &["a", "b"]).await;
    create(&config_maps, &["c"]).await;
    server.compact();
    let mut watch = watch(config_maps, &begin);
    assert_eq!(next(&mut watch).await, ["error 410", "end", "end"]);
    assert_eq!(watch.resource_version(), begin);
}

#[tokio::test]
async fn a_refusal_for_now_is_tried_again() {
    let (server, client) = cluster().await;
    let config_maps = config_maps(&client);
    let begin = create(&config_maps, &["first"]).await;
    create(&config_maps, &["a"]).await;
    for (code, reason) in [
        (410, "Expired"),
        (410, "Gone"),
        (404, "NotFound"),
        (429, "TooManyRequests"),
        (500, "InternalError"),
        (503, "ServiceUnavailable"),
        (504, "Timeout"),
    ] {
        let front =
            Front::of(&server, move |_, before| (before < 2).then(|| (code, status(code, reason)))).await;
        let mut watch = watch(crate::cluster::config_maps(&front.client()), &begin);
        assert_eq!(next(&mut watch).await, ["+a"], "{reason}");
        assert_eq!(front.requests().len(), 3, "{reason}");
        assert!(watch.last_error().is_none());
    }
}

#[tokio::test]
async fn a_refusal_for_good_is_an_error_and_the_end() {
    let (server, admin) = cluster().await;
    let begin = create(&config_maps(&admin), &["first"]).await;
    let jane = client(&server, &server.token("jane", &[]));
    let nobody = client(&server, "wrong");
    for (client, code) in [(&jane, 403), (&nobody, 401)] {
        let mut watch = watch(config_maps(client), &begin);
        let error = soon("an error", watch.next()).await.unwrap().unwrap_err();
        assert_eq!(error.as_source().and_then(SourceError::code), Some(code), "{error:?}");
        assert_eq!(next(&mut watch).await, ["end"]);
    }
    let unknown = RetryWatchOptions { field_selector: Some("data.color=red".into()), ..at_once() };
    let mut watch = RetryWatch::new(config_maps(&admin), &begin, unknown).unwrap();
    let error = soon("an error", watch.next()).await.unwrap().unwrap_err();
    assert_eq!(error.as_source().and_then(SourceError::code), Some(400), "{error:?}");
}

#[tokio::test]
async fn failures_within_the_watch_are_tried_again() {
    let (server, client) = cluster().await;
    let config_maps = config_maps(&client);
    let begin = create(&config_maps, &["first"]).await;
    create(&config_maps, &["a"]).await;
    for (code, reason) in
        [(429, "TooManyRequests"), (500, "InternalError"), (504, "Timeout"), (418, "Teapot")]
    {
        let told = format!("{{\"type\":\"ERROR\",\"object\":{}}}\n", status(code, reason));
        let front = Front::of(&server, move |_, before| (before == 0).then(|| (200, told.clone()))).await;
        let mut watch = watch(crate::cluster::config_maps(&front.client()), &begin);
        assert_eq!(next(&mut watch).await, ["+a"], "{reason}");
    }
}

#[tokio::test]
async fn what_nobody_knows_where_to_go_on_from_is_an_error_and_the_end() {
    let (server, _) = cluster().await;
    for (object, error) in [
        (
            r#"{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a","namespace":"default"}}"#,
            "the watch of configmaps told of default/a, which has no resourceVersion",
        ),
        (r#"{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":7}}"#, "cannot follow configmaps"),
    ] {
        let told = format!("{{\"type\":\"ADDED\",\"object\":{object}}}\n");
        let front = Front::of(&server, move |_, _| Some((200, told.clone()))).await;
        let mut watch = watch(config_maps(&front.client()), "7");
        let [first, second] = next(&mut watch).await;
        assert!(first.starts_with(error), "{first}");
        assert_eq!(second, "end");
        assert_eq!(watch.resource_version(), "7");
    }
}

#[tokio::test]
async fn dropping_a_watch_ends_it_on_the_server() {
    let (server, client) = cluster().await;
    let begin = create(&config_maps(&client), &["first"]).await;
    let front = Front::passing(&server).await;
    let mut watch = watch(config_maps(&front.client()), &begin);
    create(&config_maps(&client), &["a"]).await;
    assert_eq!(next(&mut watch).await, ["+a"]);
    soon("a stream", front.streams(1)).await;
    drop(watch);
    soon("no stream", front.streams(0)).await;
}

fn added(version: &str) -> WatchEvent<Encoded<ConfigMap>> {
    let metadata = ObjectMeta {
        name: Some("a".into()),
        resource_version: Some(version.into()),
        ..ObjectMeta::default()
    };
    WatchEvent::Added(Encoded::of(&ConfigMap { metadata, ..Default::default() }))
}

/// A failure event with a code and `retryAfterSeconds`.
fn busy(code: i32, seconds: i32) -> WatchEvent<Encoded<ConfigMap>> {
    let details = StatusDetails { retry_after_seconds: Some(seconds), ..Default::default() };
    let status = Status { code: Some(code), details: Some(Box::new(details)), ..Default::default() };
    WatchEvent::Error(Box::new(status))
}

/// A watch that sends events after some milliseconds, and ends.
fn tells(milliseconds: u64, events: Vec<WatchEvent<Encoded<ConfigMap>>>) -> Act {
    Ok(Scene { silence: Duration::from_millis(milliseconds), events, failure: None })
}

#[tokio::test(start_paused = true)]
async fn what_arrived_before_a_failure_is_told_before_it() {
    let expired = SourceError::status(Status::failure(Reason::Expired, "too old"), None, "too old");
    let scene =
        |failure| Ok(Scene { events: vec![added("2")], failure: Some(failure), ..Default::default() });
    let script = Script::new(vec![scene(SourceError::transient("cut")), scene(expired)]);
    let mut watch = RetryWatch::new(script, "1", Default::default()).unwrap();
    assert_eq!(next(&mut watch).await, ["+a", "+a", "error 410", "end"]);
}

/// The starts of watches, in milliseconds, and their versions.
async fn starts(acts: Vec<Act>) -> Vec<(u128, String)> {
    let script = Script::new(acts);
    let mut watch = RetryWatch::new(script.clone(), "1", Default::default()).unwrap();
    while tokio::time::timeout(Duration::from_secs(600), watch.next()).await.is_ok() {}
    script.starts().into_iter().map(|(at, version)| (at.as_millis(), version)).collect()
}

fn at(times: &[(u128, &str)]) -> Vec<(u128, String)> {
    times.iter().map(|(at, version)| (*at, (*version).to_owned())).collect()
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_lasted_is_started_again_at_once_and_others_a_second_after_the_last_start() {
    let acts = vec![tells(300_000, vec![added("2")]), tells(0, vec![]), tells(400, vec![added("3")])];
    assert_eq!(starts(acts).await, at(&[(0, "1"), (300_000, "2"), (301_000, "2"), (302_000, "3")]));
}

#[tokio::test(start_paused = true)]
async fn the_server_says_how_long_to_wait() {
    let acts = vec![
        // Nothing follows a failure; an event behind one could leave a gap.
        tells(5000, vec![added("2"), busy(429, 7), added("9")]),
        tells(0, vec![busy(418, 3)]),
        Err(SourceError::status(
            Status::failure(Reason::TooManyRequests, "busy"),
            Some(Duration::from_secs(9)),
            "busy",
        )),
    ];
    assert_eq!(starts(acts).await, at(&[(0, "1"), (12_000, "2"), (15_000, "2"), (24_000, "2")]));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_asks_for_eternity_is_asked_again_after_a_day() {
    let eternity = Some(Duration::MAX);
    let busy = Status::failure(Reason::TooManyRequests, "busy");
    let script = Script::new(vec![Err(SourceError::status(busy, eternity, "busy"))]);
    let options = RetryWatchOptions { min_restart_delay: Duration::MAX, ..Default::default() };
    let mut watch = RetryWatch::new(script.clone(), "1", options).unwrap();
    let two_days = Duration::from_secs(2 * 24 * 3600 + 1);
    assert!(tokio::time::timeout(two_days, watch.next()).await.is_err());
    assert_eq!(script.starts().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn failures_are_tried_again_after_one_to_two_seconds() {
    let acts = vec![Err(SourceError::refused("nobody listens")), Err(SourceError::transient("cut"))];
    let starts = starts(acts).await;
    assert_eq!(starts.len(), 3);
    for two in starts.windows(2) {
        let pause = two[1].0 - two[0].0;
        assert!((1000..2010).contains(&pause), "{starts:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_goes_wrong_can_be_asked_for() {
    let script = Script::new(vec![Err(SourceError::refused("nobody listens"))]);
    let mut watch = RetryWatch::new(script, "1", Default::default()).unwrap();
    assert!(tokio::time::timeout(Duration::from_millis(10), watch.next()).await.is_err());
    assert_eq!(watch.last_error().unwrap().to_string(), "cannot follow configmaps: nobody listens");
    assert!(tokio::time::timeout(Duration::from_secs(3), watch.next()).await.is_err());
    assert!(watch.last_error().is_none());
}

#[tokio::test]
async fn an_object_that_cannot_be_decoded_is_named_and_the_watch_goes_on() {
    let (server, _) = cluster().await;
    let object = |name: &str, version: &str, color: &str| {
        format!(
            "{{\"type\":\"MODIFIED\",\"object\":{{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",\"metadata\":\
             {{\"name\":\"{name}\",\"namespace\":\"default\",\"resourceVersion\":\"{version}\"}},\"data\":\
             {{\"color\":{color}}}}}}}\n"
        )
    };
    let told = object("a", "8", "7") + &object("b", "9", "\"red\"");
    let front = Front::of(&server, move |_, before| (before == 0).then(|| (200, told.clone()))).await;
    let mut watch = watch(config_maps(&front.client()), "7");
    let error = soon("an event", watch.next()).await.unwrap().unwrap_err();
    assert_eq!(error.undecodable_object().unwrap().to_string(), "default/a");
    assert_eq!(error.field(), "data.color");
    let text = error.to_string();
    assert!(
        text.starts_with("an object of configmaps cannot be decoded, default/a at version 8: data.color: "),
        "{text}"
    );
    assert_eq!(watch.resource_version(), "8");
    assert_eq!(next(&mut watch).await, ["~b"]);
    assert_eq!(watch.resource_version(), "9");
}
