//! Servers that are away, queues that are full, and the end.

use std::collections::HashSet;
use std::io;

use http::Method;
use klient_client::{Config, RequestBody, Transport};
use tower::ServiceExt as _;

use super::*;

/// A client that loses the answers to its first creation and its first patch.
fn losing_answers(server: &Server) -> Client {
    let seen = Arc::new(Mutex::new(HashSet::from([Method::GET])));
    let layer = tower::layer::layer_fn(move |transport: Transport| {
        let seen = seen.clone();
        tower::service_fn(move |request: http::Request<RequestBody>| {
            let is_lost = seen.lock().unwrap().insert(request.method().clone());
            let answer = transport.clone().oneshot(request);
            async move {
                match answer.await {
                    Ok(_) if is_lost => Err(io::Error::from(io::ErrorKind::ConnectionReset).into()),
                    answer => answer,
                }
            }
        })
    });
    Client::with_layer(Config::from_kubeconfig(&server.kubeconfig()).unwrap(), layer).unwrap()
}

#[tokio::test]
async fn an_event_whose_answer_is_lost_is_written_once() {
    let (server, client) = cluster().await;
    let map = config_maps(&client).create(&config_map("colors", "red")).await.unwrap();
    for (is_core, expected) in [(true, (1, Some(2), None)), (false, (2, None, Some(2)))] {
        let broadcaster = broadcaster(12);
        let losing = losing_answers(&server);
        if is_core {
            broadcaster.start_recording_to_core_v1(losing, Default::default());
        } else {
            broadcaster.start_recording_to_events_v1(losing, Default::default());
        }
        let recorder = broadcaster.recorder("shop-controller");
        for _ in 0..2 {
            recorder.event(&map, EventType::Normal, "Painted", "");
        }
        soon("the flush", broadcaster.flush()).await;
        let events = events_v1(&client).await;
        let last = events.iter().find(|event| event.event_time.is_none() == is_core).unwrap();
        let series = last.series.as_ref().map(|series| series.count);
        assert_eq!((events.len(), last.deprecated_count, series), expected);
        assert_eq!(broadcaster.dropped().total(), 0);
    }
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
async fn all_events_of_a_series_are_counted_when_its_write_is_dropped() {
    let (server, client) = cluster().await;
    let broadcaster = EventBroadcaster::new(EventBroadcasterOptions::default());
    broadcaster.start_recording_to_events_v1(client.clone(), SeriesOptions::default());
    let recorder = broadcaster.recorder("shop-controller");
    let node = Node { metadata: ObjectMeta::named("n1"), ..Default::default() };
    let record = || recorder.event(&node, EventType::Normal, "Painted", "");
    (0..2).for_each(|_| record());
    soon("the flush", broadcaster.flush()).await;
    server.stop().await;
    (0..100).for_each(|_| record());
    soon("the shutdown", broadcaster.shutdown()).await;
    assert_eq!(broadcaster.dropped().total(), 100, "{broadcaster:?}");
}

#[tokio::test]
async fn functions_that_panic_or_record_events_do_not_end_a_sink() {
    let (_server, client) = cluster().await;
    let recorder: Arc<Mutex<Option<EventRecorder>>> = Arc::default();
    let again = recorder.clone();
    let calls = Arc::new(Mutex::new(Vec::new()));
    let told = calls.clone();
    let node = Node { metadata: ObjectMeta::named("n1"), ..Default::default() };
    let about = node.clone();
    let broadcaster = EventBroadcaster::new(EventBroadcasterOptions {
        queue_size: 1,
        on_drop: Some(Arc::new(move |dropped| {
            told.lock().unwrap().push(dropped.event.event.note.to_string());
            let recorder = again.lock().unwrap().clone().unwrap();
            // The queue is full, or there is no sink yet: this is dropped as well.
            recorder.event(&about, EventType::Warning, "Dropped", "again");
            panic!("a callback that panics");
        })),
        ..Default::default()
    });
    let shop = broadcaster.recorder("shop-controller");
    *recorder.lock().unwrap() = Some(shop.clone());
    shop.event(&node, EventType::Normal, "Painted", "without a sink");
    assert_eq!(*calls.lock().unwrap(), ["without a sink"]);
    assert_eq!(broadcaster.dropped().of(DropReason::NoSink), 2);

    let options = CorrelatorOptions {
        spam_key: Arc::new(|event| {
            assert_ne!(event.message.as_deref(), Some("bad"), "a key that panics");
            CorrelatorOptions::spam_key_by_object(event)
        }),
        ..Default::default()
    };
    broadcaster.start_recording_to_core_v1(client.clone(), options);
    for note in ["bad", "good"] {
        shop.event(&node, EventType::Normal, "Painted", note);
        soon("the flush", broadcaster.flush()).await;
    }
    assert_eq!(broadcaster.dropped().of(DropReason::Rejected), 1);
    let lines = core_lines(&client).await;
    assert!(lines.contains(&"1 Normal Painted good".to_owned()), "{lines:?}");
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
