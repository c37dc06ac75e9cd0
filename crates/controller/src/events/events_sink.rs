//! [`EventsSink`], events as objects of events.k8s.io/v1.

use std::sync::Arc;
use std::time::Duration;

use klient_api::events::v1::Event;
use klient_client::{Client, Patch};
use serde_json::json;

use super::delivery::Delivery;
use super::recorded_event::RecordedEvent;
use super::series::{SeriesCache, SeriesOptions, SeriesWrite};
use super::sink::Sink;

/// Writes events and their series.
pub(super) struct EventsSink {
    client: Client,
    series: SeriesCache,
}

impl EventsSink {
    pub(super) fn new(client: Client, options: SeriesOptions) -> Self {
        EventsSink { client, series: SeriesCache::new(options) }
    }

    async fn deliver(&self, writes: Vec<SeriesWrite>, delivery: &mut Delivery) {
        for SeriesWrite { recorded, events: number, object } in writes {
            let events = self.client.api::<Event>().namespace(&recorded.namespace);
            let patch = object.series.as_ref().map(|series| Patch::Strategic(json!({ "series": series })));
            delivery.deliver(&recorded, number, &events, &object, patch.as_ref()).await;
        }
    }
}

impl Sink for EventsSink {
    async fn write(&mut self, event: Arc<RecordedEvent>, now: Duration, delivery: &mut Delivery) {
        let writes = self.series.observe(event, now);
        self.deliver(writes, delivery).await;
    }

    async fn flush(&mut self, delivery: &mut Delivery) {
        let writes = self.series.flush();
        self.deliver(writes, delivery).await;
    }

    fn period(&self) -> Duration {
        self.series.period()
    }

    async fn tick(&mut self, now: Duration, delivery: &mut Delivery) {
        let writes = self.series.tick(now);
        self.deliver(writes, delivery).await;
    }
}
