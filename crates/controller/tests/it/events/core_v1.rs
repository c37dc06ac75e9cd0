//! Events of core/v1, correlated.

use super::*;

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
