//! Watches with initial events and bookmarks.

use klient_api::core::v1::ConfigMap;
use klient_client::{DeleteOptions, Patch, Watch, WatchEvent, WatchOptions};
use serde_json::json;

use super::test_cluster::TestCluster;
use crate::cluster::{config_map, soon, told};

/// The next change; kube-apiserver sends bookmarks between any two.
async fn next(watch: &mut Watch<ConfigMap>) -> String {
    loop {
        let event = soon("an event", watch.next()).await.unwrap().unwrap();
        if !matches!(event, WatchEvent::Bookmark(_)) {
            return told(&event);
        }
    }
}

#[tokio::test]
async fn initial_events_end_with_a_bookmark_from_which_a_watch_goes_on() {
    let cluster = TestCluster::start().await;
    let config_maps = cluster.client().api::<ConfigMap>().namespace(&cluster.namespace);
    for name in ["a", "b"] {
        config_maps.create(&config_map(name, "red")).await.unwrap();
    }
    let initial = WatchOptions { send_initial_events: true, ..Default::default() };
    let mut watch = config_maps.watch(&initial).await.unwrap();
    let events = [next(&mut watch).await, next(&mut watch).await];
    assert_eq!(events, ["+a", "+b"]);
    let Some(Ok(WatchEvent::Bookmark(mark))) = soon("a bookmark", watch.next()).await else {
        panic!("no bookmark")
    };
    assert!(mark.initial_events_end);
    config_maps.create(&config_map("c", "red")).await.unwrap();
    config_maps.patch("a", &Patch::Merge(json!({"data": {"color": "blue"}}))).await.unwrap();
    config_maps.delete("b", &DeleteOptions::default()).await.unwrap();
    let from = WatchOptions { resource_version: Some(mark.resource_version.clone()), ..Default::default() };
    let mut again = config_maps.watch(&from).await.unwrap();
    for watch in [&mut watch, &mut again] {
        assert_eq!([next(watch).await, next(watch).await, next(watch).await], ["+c", "~a", "-b"]);
    }
}

#[tokio::test]
async fn a_selector_makes_objects_come_and_go() {
    let cluster = TestCluster::start().await;
    let config_maps = cluster.client().api::<ConfigMap>().namespace(&cluster.namespace);
    let created = config_maps.create(&config_map("a", "red")).await.unwrap();
    let from = WatchOptions {
        resource_version: created.metadata.resource_version,
        ..WatchOptions::labels("app=web")
    };
    let mut watch = config_maps.watch(&from).await.unwrap();
    for app in ["web", "web", "db"] {
        let patch = json!({"metadata": {"labels": {"app": app}}, "data": {"color": app}});
        config_maps.patch("a", &Patch::Merge(patch.clone())).await.unwrap();
        config_maps.patch("a", &Patch::Merge(json!({"data": {"color": "white"}}))).await.unwrap();
    }
    let events = [next(&mut watch).await, next(&mut watch).await, next(&mut watch).await];
    assert_eq!(events, ["+a", "~a", "~a"]);
    assert_eq!([next(&mut watch).await, next(&mut watch).await], ["~a", "-a"]);
    let short = WatchOptions { timeout_seconds: Some(1), ..from };
    let mut watch = config_maps.watch(&short).await.unwrap();
    while let Some(event) = soon("the end", watch.next()).await {
        event.unwrap();
    }
}

#[tokio::test]
async fn a_version_that_is_no_number_is_refused() {
    let cluster = TestCluster::start().await;
    let config_maps = cluster.client().api::<ConfigMap>().namespace(&cluster.namespace);
    let from = WatchOptions { resource_version: Some("ten".into()), ..Default::default() };
    let error = config_maps.watch(&from).await.err().unwrap();
    let status = error.as_status().unwrap();
    let message =
        r#"resourceVersion: Invalid value: "ten": strconv.ParseUint: parsing "ten": invalid syntax"#;
    assert_eq!((status.code, status.message.as_deref()), (Some(500), Some(message)));
}
