//! Records events about an object: a broadcaster with a recorder, a sink that counts and combines them, and a watcher.

#![allow(clippy::print_stdout)]

mod cluster;

use klient::api::core::v1::{ConfigMap, Event as CoreEvent};
use klient::controller::events::{Event, EventBroadcaster, EventType};
use klient::{ListOptions, ObjectMeta};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (client, _server) = cluster::connect().await?;
    let config_maps = client.api::<ConfigMap>().namespace("default");
    let metadata = ObjectMeta::generate_name("colors-");
    let colors = config_maps.create(&ConfigMap { metadata, ..Default::default() }).await?;

    let broadcaster = EventBroadcaster::new(Default::default());
    broadcaster.start_recording_to_core_v1(client.clone(), Default::default());
    let mut watcher = broadcaster.watch();

    // Recording never blocks and never fails.
    let recorder = broadcaster.recorder("painter");
    for coat in 1..=12 {
        recorder.event(&colors, EventType::Normal, "Painted", format!("coat {coat}"));
    }
    for _ in 0..3 {
        let event = Event {
            type_: EventType::Warning,
            reason: "OutOfPaint".into(),
            action: "Paint".into(),
            note: "no blue is left".into(),
            ..Default::default()
        };
        recorder.record(&colors, event);
    }
    // All that was recorded is written now, or counted as dropped.
    broadcaster.flush().await;
    while let Some(event) = watcher.try_next() {
        println!("recorded {event}");
    }

    // The twelve coats are nine events and a combined one; the three warnings are one.
    let about =
        ListOptions::fields(format!("involvedObject.uid={}", colors.metadata.uid.unwrap_or_default()));
    let events = client.api::<CoreEvent>().namespace("default").list(&about).await?;
    for event in &events {
        println!("written {:?} x{:?}: {:?}", event.reason, event.count, event.message);
    }
    assert_eq!(events.items.len(), 11);
    let counts: i32 = events.items.iter().filter_map(|event| event.count).sum();
    assert_eq!((counts, broadcaster.dropped().total()), (15, 0));
    broadcaster.shutdown().await;
    Ok(())
}

#[test]
fn runs() -> Result<(), Box<dyn std::error::Error>> {
    main()
}
