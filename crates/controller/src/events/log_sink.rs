//! [`LogSink`], events in the log.

use std::sync::Arc;
use std::time::Duration;

use super::delivery::Delivery;
use super::recorded_event::RecordedEvent;
use super::sink::Sink;

/// Logs events.
pub(super) struct LogSink;

impl Sink for LogSink {
    async fn write(&mut self, event: Arc<RecordedEvent>, _: Duration, _: &mut Delivery) {
        let regarding = &event.regarding;
        tracing::info!(
            namespace = regarding.namespace.as_deref(),
            name = regarding.name.as_deref(),
            kind = regarding.kind.as_deref(),
            api_version = regarding.api_version.as_deref(),
            field_path = regarding.field_path.as_deref(),
            type_ = event.event.type_.as_str(),
            reason = event.event.reason.as_str(),
            action = event.event.action.as_str(),
            note = event.event.note.as_str(),
            "Event occurred"
        );
    }
}
