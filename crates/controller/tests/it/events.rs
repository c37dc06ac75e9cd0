//! Events, as the server has them in the end.

mod core_v1;
mod delivery;
mod events_v1;

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
    CorrelatorOptions, DropReason, Event, EventBroadcaster, EventBroadcasterOptions, EventRecorder,
    EventType, SeriesOptions,
};

use crate::cluster::{client, cluster, config_map, config_maps, soon};

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
