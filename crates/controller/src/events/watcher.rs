//! [`EventWatcher`], the events of a broadcaster as they are recorded.

use std::fmt;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::recorded_event::RecordedEvent;
use super::sink::Message;

/// The events of a broadcaster, each as it was recorded, before any correlation (client-go's `StartEventWatcher`). Dropping
/// it ends it.
///
/// It has a queue of its own, with the size that the broadcaster's options set. An event that comes while the queue is full
/// is dropped and counted.
pub struct EventWatcher(pub(super) mpsc::Receiver<Message>);

impl EventWatcher {
    /// The next event; `None` once the broadcaster is shut down, or it and its recorders are dropped, and all events were
    /// taken. It can be cancelled without losing an event.
    pub async fn next(&mut self) -> Option<Arc<RecordedEvent>> {
        loop {
            if let Message::Event(event) = self.0.recv().await? {
                return Some(event);
            }
        }
    }

    /// The next event, if there is one already.
    pub fn try_next(&mut self) -> Option<Arc<RecordedEvent>> {
        loop {
            if let Message::Event(event) = self.0.try_recv().ok()? {
                return Some(event);
            }
        }
    }
}

impl fmt::Debug for EventWatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EventWatcher")
    }
}
