//! [`CoreSink`], events as objects of core/v1.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use klient_api::core::v1::Event;
use klient_client::{Client, Patch};

use super::correlator::{Correlation, Correlator, CorrelatorOptions};
use super::delivery::Delivery;
use super::drops::DropReason;
use super::recorded_event::RecordedEvent;
use super::sink::Sink;

/// Writes correlated events.
pub(super) struct CoreSink {
    client: Client,
    correlator: Correlator,
}

impl CoreSink {
    pub(super) fn new(client: Client, options: CorrelatorOptions) -> Self {
        CoreSink { client, correlator: Correlator::new(options) }
    }
}

impl Sink for CoreSink {
    async fn write(&mut self, event: Arc<RecordedEvent>, now: Duration, delivery: &mut Delivery) {
        // The options have functions of the program.
        let correlation = AssertUnwindSafe(|| self.correlator.correlate(event.to_core_v1(), now));
        let Ok(correlation) = catch_unwind(correlation) else {
            tracing::error!("a function of the options of the correlation of events panicked");
            return delivery.drop_event(&event, DropReason::Rejected, None);
        };
        match correlation {
            Correlation::Skip => delivery.drop_event(&event, DropReason::SpamFilter, None),
            Correlation::Write { object, patch } => {
                let events = self.client.api::<Event>().namespace(&event.namespace);
                let patch = patch.map(Patch::Strategic);
                delivery.deliver(&event, 1, &events, &object, patch.as_ref()).await;
            }
        }
    }
}
