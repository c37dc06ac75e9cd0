//! Events of events.k8s.io/v1 and their series.

use super::*;

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
