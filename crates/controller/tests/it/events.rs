//! Events, as the server has them in the end.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use klient_api::core::v1::{ConfigMap, Event as CoreEvent, Namespace, Node, ObjectReference};
use klient_api::events::v1::Event as EventsEvent;
use klient_apimachinery::meta::v1::{DeleteOptions, ObjectMeta};
use klient_apimachinery::{ListOptions, Resource as _, Unstructured};
use klient_apiserver::{Options, Server};
use klient_cache::InformerFactory;
use klient_client::Client;
use klient_controller::events::{
    DropReason, Event, EventBroadcaster, EventBroadcasterOptions, EventRecorder, EventType, SeriesOptions,
};

use crate::fixture::{client, cluster, config_map, config_maps, soon};

/// A broadcaster that tries again soon.
fn broadcaster(max_tries: u32) -> EventBroadcaster {
    let sleep = Duration::from_millis(10);
    EventBroadcaster::new(EventBroadcasterOptions { max_tries, sleep, ..Default::default() })
}

/// A broadcaster that writes to core/v1, and a recorder.
fn core_v1(client: &Client) -> (EventBroadcaster, EventRecorder) {
    let broadcaster = broadcaster(12);
    broadcaster.start_recording_to_core_v1(client.clone(), Default::default());
    let recorder = broadcaster.recorder("shop-controller");
    (broadcaster, recorder)
}

/// The events of core/v1 in all namespaces.
async fn core_events(client: &Client) -> Vec<CoreEvent> {
    client.api::<CoreEvent>().list(&ListOptions::default()).await.unwrap().items
}

/// The same as `COUNT TYPE REASON MESSAGE`.
async fn core_lines(client: &Client) -> Vec<String> {
    let line = |event: CoreEvent| {
        let text = |text: Option<klient_apimachinery::Str>| text.unwrap_or_default();
        let (type_, reason) = (text(event.type_), text(event.reason));
        format!("{} {type_} {reason} {}", event.count.unwrap_or_default(), text(event.message))
    };
    let mut lines: Vec<_> = core_events(client).await.into_iter().map(line).collect();
    lines.sort();
    lines
}

async fn events_v1(client: &Client) -> Vec<EventsEvent> {
    client.api::<EventsEvent>().list(&ListOptions::default()).await.unwrap().items
}

#[tokio::test]
async fn identical_events_are_one_object_with_a_count() {
    let (_server, client) = cluster().await;
    let (broadcaster, recorder) = core_v1(&client);
    let map = config_maps(&client).create(&config_map("colors", "red")).await.unwrap();
    for _ in 0..3 {
        recorder.event(&map, EventType::Normal, "Painted", "painted it red");
    }
    recorder.event(&map, EventType::Warning, "Painted", "painted it red");
    soon("the flush", broadcaster.flush()).await;
    assert_eq!(
        core_lines(&client).await,
        ["1 Warning Painted painted it red", "3 Normal Painted painted it red"]
    );

    let events = core_events(&client).await;
    let event = events.iter().find(|event| event.count == Some(3)).unwrap();
    assert_eq!(event.metadata.namespace.as_deref(), Some("default"));
    assert!(event.metadata.name.as_deref().unwrap().starts_with("colors."));
    assert_eq!(event.involved_object, ObjectReference::of(&map));
    assert_eq!(event.source.as_ref().unwrap().component.as_deref(), Some("shop-controller"));
    let instance = event.reporting_instance.as_deref().unwrap();
    assert!(instance.starts_with("shop-controller-"), "{instance}");
    assert!(event.first_timestamp <= event.last_timestamp);

    // An event expires, and the next is there again with its count.
    client
        .api::<CoreEvent>()
        .namespace("default")
        .delete(event.metadata.name.as_deref().unwrap(), &DeleteOptions::default())
        .await
        .unwrap();
    recorder.event(&map, EventType::Normal, "Painted", "painted it red");
    soon("the flush", broadcaster.flush()).await;
    assert_eq!(
        core_lines(&client).await,
        ["1 Warning Painted painted it red", "4 Normal Painted painted it red"]
    );
    assert_eq!(broadcaster.dropped().total(), 0);
}

#[tokio::test]
async fn many_messages_are_combined_and_many_events_dropped() {
    let (_server, client) = cluster().await;
    let dropped = Arc::new(Mutex::new(Vec::new()));
    let seen = dropped.clone();
    let broadcaster = EventBroadcaster::new(EventBroadcasterOptions {
        on_drop: Some(Arc::new(move |drop| {
            seen.lock().unwrap().push(format!("{}: {}", drop.reason, drop.event));
        })),
        ..Default::default()
    });
    broadcaster.start_recording_to_core_v1(client.clone(), Default::default());
    let recorder = broadcaster.recorder("shop-controller");
    let map = config_maps(&client).create(&config_map("colors", "red")).await.unwrap();
    for number in 0..27 {
        recorder.event(&map, EventType::Normal, "Painted", format!("coat {number}"));
    }
    soon("the flush", broadcaster.flush()).await;
    let mut expected: Vec<_> = (0..9).map(|number| format!("1 Normal Painted coat {number}")).collect();
    expected.insert(1, "16 Normal Painted (combined from similar events): coat 24".to_owned());
    expected.sort();
    assert_eq!(core_lines(&client).await, expected);
    let dropped = dropped.lock().unwrap();
    assert_eq!(*dropped, ["spam_filter: Normal Painted coat 25", "spam_filter: Normal Painted coat 26"]);
    assert_eq!(broadcaster.dropped().of(DropReason::SpamFilter), 2);
}

#[tokio::test]
async fn an_event_is_about_any_object() {
    let (_server, client) = cluster().await;
    let (broadcaster, recorder) = core_v1(&client);
    let map = config_maps(&client).create(&config_map("colors", "red")).await.unwrap();
    let factory = InformerFactory::new(client.clone());
    let cached = factory.informer::<ConfigMap>();
    factory.start();
    soon("the list", factory.wait_for_sync()).await.unwrap();
    let cached = cached.lister().get("default/colors").unwrap();
    let dynamic = client.dynamic(ConfigMap::INFO).namespace("default").get("colors").await.unwrap();
    let website = Unstructured::new("example.com/v1", "Website", "shop");
    let node = Node { metadata: ObjectMeta::named("n1"), ..Default::default() };
    let bad = Node { metadata: ObjectMeta::named("No_DNS"), ..Default::default() };

    recorder.event(&map, EventType::Normal, "Typed", "");
    recorder.event(&cached, EventType::Normal, "Cached", "");
    recorder.event(&dynamic, EventType::Normal, "Dynamic", "");
    recorder.event(&website, EventType::Normal, "Custom", "");
    recorder.event(&node, EventType::Normal, "Cluster", "");
    recorder.event(&bad, EventType::Normal, "NoName", "");
    let reference = ObjectReference { field_path: Some("data.color".into()), ..ObjectReference::of(&map) };
    recorder.event(reference, EventType::Normal, "Reference", "");
    recorder.record(
        &map,
        Event { annotations: [("by", "me")].into(), reason: "Noted".into(), ..Default::default() },
    );
    soon("the flush", broadcaster.flush()).await;

    let events = core_events(&client).await;
    let of = |reason: &str| events.iter().find(|event| event.reason.as_deref() == Some(reason)).unwrap();
    for reason in ["Typed", "Cached", "Dynamic", "Noted"] {
        assert_eq!(of(reason).involved_object, ObjectReference::of(&map), "{reason}");
    }
    assert_eq!(of("Custom").involved_object.api_version.as_deref(), Some("example.com/v1"));
    assert_eq!(of("Custom").involved_object.kind.as_deref(), Some("Website"));
    assert_eq!(of("Cluster").metadata.namespace.as_deref(), Some("default"));
    assert_eq!(of("NoName").metadata.name.as_ref().unwrap().len(), 36);
    assert_eq!(of("Reference").involved_object.field_path.as_deref(), Some("data.color"));
    assert_eq!(of("Noted").metadata.annotations["by"], "me");
    assert_eq!((events.len(), broadcaster.dropped().total()), (8, 0));
}

#[tokio::test]
async fn repeated_events_of_events_v1_are_a_series() {
    let (_server, client) = cluster().await;
    let broadcaster = broadcaster(12);
    broadcaster.start_recording_to_events_v1(client.clone(), Default::default());
    let recorder = broadcaster.recorder("example.com/shop");
    let map = config_maps(&client).create(&config_map("colors", "red")).await.unwrap();
    let event = Event {
        type_: EventType::Warning,
        reason: "Fading".into(),
        action: "Paint".into(),
        note: "too much sun".into(),
        related: Some(ObjectReference::of(&Node { metadata: ObjectMeta::named("n1"), ..Default::default() })),
        ..Default::default()
    };
    let mut counts = Vec::new();
    for _ in 0..4 {
        recorder.record(&map, event.clone());
        soon("the flush", broadcaster.flush()).await;
        let events = events_v1(&client).await;
        assert_eq!(events.len(), 1);
        counts.push(events[0].series.as_ref().map(|series| series.count));
    }
    assert_eq!(counts, [None, Some(2), Some(3), Some(4)]);
    let written = events_v1(&client).await.remove(0);
    assert_eq!(written.regarding.as_deref(), Some(&ObjectReference::of(&map)));
    assert_eq!(written.related.as_deref(), event.related.as_ref());
    assert_eq!(written.action.as_deref(), Some("Paint"));
    assert_eq!(written.reporting_controller.as_deref(), Some("example.com/shop"));
    assert!(written.series.unwrap().last_observed_time > written.event_time.unwrap());

    // A series goes on though the server has lost the event.
    let events = client.api::<EventsEvent>().namespace("default");
    events.delete(written.metadata.name.as_deref().unwrap(), &DeleteOptions::default()).await.unwrap();
    recorder.record(&map, event);
    soon("the flush", broadcaster.flush()).await;
    assert_eq!(events_v1(&client).await[0].series.as_ref().unwrap().count, 5);
    assert_eq!(broadcaster.dropped().total(), 0);
}

#[tokio::test]
async fn an_idle_series_is_written_and_ends() {
    let (_server, client) = cluster().await;
    let broadcaster = broadcaster(12);
    let options = SeriesOptions { finish: Duration::from_millis(50), ..Default::default() };
    broadcaster.start_recording_to_events_v1(client.clone(), options);
    let recorder = broadcaster.recorder("shop-controller");
    let map = config_maps(&client).create(&config_map("colors", "red")).await.unwrap();
    let mut watch = client.api::<EventsEvent>().watch(&Default::default()).await.unwrap();
    for _ in 0..3 {
        recorder.event(&map, EventType::Normal, "Painted", "");
    }
    // No flush: the count is written when the series ends.
    soon("the last count", async {
        loop {
            let event = watch.next().await.unwrap().unwrap();
            if let klient_apimachinery::WatchEvent::Modified(event) = event
                && event.series.as_ref().is_some_and(|series| series.count == 3)
            {
                break;
            }
        }
    })
    .await;
    recorder.event(&map, EventType::Normal, "Painted", "");
    soon("the flush", broadcaster.flush()).await;
    assert_eq!(events_v1(&client).await.len(), 2);
}

#[tokio::test]
async fn long_strings_are_cut_where_the_server_has_a_limit() {
    let (_server, client) = cluster().await;
    let broadcaster = broadcaster(12);
    broadcaster.start_recording_to_core_v1(client.clone(), Default::default());
    let event = Event {
        reason: "R".repeat(500).into(),
        action: "A".repeat(500).into(),
        note: "é".repeat(5000).into(),
        ..Default::default()
    };
    let map = config_maps(&client).create(&config_map("colors", "red")).await.unwrap();
    broadcaster.recorder("shop-controller").record(&map, event.clone());
    soon("the flush", broadcaster.flush()).await;
    assert_eq!(core_events(&client).await[0].message.as_ref(), Some(&event.note));
    broadcaster.shutdown().await;

    let broadcaster = self::broadcaster(12);
    broadcaster.start_recording_to_events_v1(client.clone(), Default::default());
    let long = format!("shop-{}", "c".repeat(40));
    broadcaster.recorder(long.as_str()).record(&map, event);
    soon("the flush", broadcaster.flush()).await;
    assert_eq!(broadcaster.dropped().total(), 0);
    let events = events_v1(&client).await;
    let cut = events.iter().find(|event| event.event_time.is_some()).unwrap();
    let lengths = [&cut.reason, &cut.action, &cut.note].map(|text| text.as_ref().unwrap().len());
    assert_eq!(lengths, [128, 128, 1023]);
}

#[tokio::test]
async fn a_namespace_that_is_going_takes_no_events() {
    let options = Options { controller_manager: false, ..Default::default() };
    let server = Server::start(options).await.unwrap();
    let client = client(&server);
    let namespaces = client.api::<Namespace>();
    let shop = Namespace { metadata: ObjectMeta::named("shop"), ..Default::default() };
    namespaces.create(&shop).await.unwrap();
    let map = config_map("colors", "red");
    let map = ConfigMap { metadata: map.metadata.in_namespace("shop"), ..map };
    let map = client.api::<ConfigMap>().namespace("shop").create(&map).await.unwrap();
    namespaces.delete("shop", &DeleteOptions::default()).await.unwrap();

    let broadcaster = broadcaster(12);
    broadcaster.start_recording_to_core_v1(client.clone(), Default::default());
    broadcaster.start_recording_to_events_v1(client.clone(), Default::default());
    broadcaster.recorder("shop-controller").event(&map, EventType::Normal, "Painted", "");
    soon("the flush", broadcaster.flush()).await;
    let dropped = broadcaster.dropped();
    assert_eq!((dropped.of(DropReason::NamespaceTerminating), dropped.total()), (2, 2));
}

#[tokio::test]
async fn a_server_that_comes_back_gets_the_events() {
    let (server, client) = cluster().await;
    let (old, new) = (broadcaster(u32::MAX), broadcaster(u32::MAX));
    old.start_recording_to_core_v1(client.clone(), Default::default());
    new.start_recording_to_events_v1(client.clone(), Default::default());
    let map = config_maps(&client).create(&config_map("colors", "red")).await.unwrap();
    server.stop().await;
    for number in 0..3 {
        for broadcaster in [&old, &new] {
            let recorder = broadcaster.recorder("shop-controller");
            recorder.event(&map, EventType::Normal, "Painted", format!("coat {number}"));
        }
    }
    // The flush waits for the server.
    let flush = async { tokio::join!(old.flush(), new.flush()) };
    tokio::pin!(flush);
    assert!(tokio::time::timeout(Duration::from_millis(100), &mut flush).await.is_err());
    server.restart().await.unwrap();
    soon("the flush", flush).await;
    let (by_core, series): (Vec<_>, Vec<_>) =
        events_v1(&client).await.into_iter().partition(|event| event.event_time.is_none());
    assert_eq!((by_core.len(), series.len()), (3, 1));
    assert_eq!(series[0].series.as_ref().unwrap().count, 3);
    assert_eq!((old.dropped().total(), new.dropped().total()), (0, 0));
}

#[tokio::test]
async fn a_server_that_stays_away_costs_the_events() {
    let (server, client) = cluster().await;
    let errors = Arc::new(Mutex::new(Vec::new()));
    let seen = errors.clone();
    let broadcaster = EventBroadcaster::new(EventBroadcasterOptions {
        max_tries: 3,
        sleep: Duration::from_millis(1),
        on_drop: Some(Arc::new(move |drop| {
            let error = drop.error.unwrap();
            seen.lock().unwrap().push((drop.reason, error.kind()));
        })),
        ..Default::default()
    });
    broadcaster.start_recording_to_core_v1(client.clone(), Default::default());
    server.stop().await;
    let node = Node { metadata: ObjectMeta::named("n1"), ..Default::default() };
    broadcaster.recorder("shop-controller").event(&node, EventType::Normal, "Painted", "");
    soon("the flush", broadcaster.flush()).await;
    let errors = errors.lock().unwrap();
    assert_eq!(*errors, [(DropReason::TriesExhausted, klient_client::ErrorKind::Connect)]);
}

#[tokio::test]
async fn a_full_queue_and_no_sink_are_told() {
    let options = EventBroadcasterOptions { queue_size: 2, ..Default::default() };
    let broadcaster = EventBroadcaster::new(options);
    let recorder = broadcaster.recorder("shop-controller");
    let node = Node { metadata: ObjectMeta::named("n1"), ..Default::default() };
    let record = |number: u32| recorder.event(&node, EventType::Normal, "Painted", number.to_string());
    record(0);
    assert_eq!(broadcaster.dropped().of(DropReason::NoSink), 1);

    let (mut first, mut second) = (broadcaster.watch(), broadcaster.watch());
    (1..3).for_each(record);
    assert_eq!(second.next().await.unwrap().event.note, "1");
    (3..5).for_each(record);
    assert_eq!(broadcaster.dropped().of(DropReason::QueueFull), 3);
    let rest = |watcher: &mut klient_controller::events::EventWatcher| {
        std::iter::from_fn(|| watcher.try_next())
            .map(|event| event.event.note.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (rest(&mut first), rest(&mut second)),
        (vec!["1".into(), "2".into()], vec!["2".into(), "3".into()])
    );

    // The names of events differ, even if they come at once.
    record(5);
    record(6);
    let names = [first.next().await.unwrap().name.clone(), first.next().await.unwrap().name.clone()];
    assert_ne!(names[0], names[1]);
    broadcaster.shutdown().await;
    assert!(first.next().await.is_none());
    record(7);
    assert_eq!(broadcaster.dropped().of(DropReason::Shutdown), 1);
}

#[tokio::test]
async fn a_shutdown_ends_the_tries_and_counts_what_was_queued() {
    let (server, client) = cluster().await;
    let broadcaster = EventBroadcaster::new(EventBroadcasterOptions::default());
    broadcaster.start_recording_to_core_v1(client.clone(), Default::default());
    broadcaster.start_logging();
    server.stop().await;
    let node = Node { metadata: ObjectMeta::named("n1"), ..Default::default() };
    let recorder = broadcaster.recorder("shop-controller");
    for number in 0..5 {
        recorder.event(&node, EventType::Normal, "Painted", number.to_string());
    }
    // The task is in the first try or the sleep after it.
    tokio::task::yield_now().await;
    soon("the shutdown", broadcaster.shutdown()).await;
    assert!(broadcaster.dropped().of(DropReason::Shutdown) >= 5, "{broadcaster:?}");
    assert_eq!(broadcaster.dropped().of(DropReason::TriesExhausted), 0);
}

#[tokio::test]
async fn a_broadcaster_that_is_dropped_writes_what_was_queued() {
    let (_server, client) = cluster().await;
    let mut watch = client.api::<CoreEvent>().watch(&Default::default()).await.unwrap();
    let (broadcaster, recorder) = core_v1(&client);
    let node = Node { metadata: ObjectMeta::named("n1"), ..Default::default() };
    recorder.event(&node, EventType::Normal, "Painted", "");
    drop((broadcaster, recorder));
    soon("the event", watch.next()).await.unwrap().unwrap();
}
