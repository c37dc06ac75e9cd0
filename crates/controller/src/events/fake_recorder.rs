//! [`FakeRecorder`], a recorder for tests.

use std::sync::{Arc, Mutex, PoisonError};

use super::broadcaster::{EventBroadcaster, EventBroadcasterOptions};
use super::recorded_event::RecordedEvent;
use super::recorder::EventRecorder;
use super::reporter::Reporter;
use super::watcher::EventWatcher;

/// Recorders whose events a test takes (client-go's `record.FakeRecorder`). It needs no server and no runtime.
///
/// ```
/// use klient_api::core::v1::Node;
/// use klient_apimachinery::meta::v1::ObjectMeta;
/// use klient_controller::events::{EventType, FakeRecorder};
///
/// let fake = FakeRecorder::new();
/// let node = Node { metadata: ObjectMeta::named("n1"), ..Default::default() };
/// fake.recorder().event(&node, EventType::Warning, "Rebooted", "the boot ID changed");
///
/// let events = fake.take();
/// assert_eq!(events[0].to_string(), "Warning Rebooted the boot ID changed");
/// assert_eq!(events[0].regarding.name.as_deref(), Some("n1"));
/// assert!(fake.take().is_empty());
/// ```
#[derive(Debug)]
pub struct FakeRecorder {
    broadcaster: EventBroadcaster,
    watcher: Mutex<EventWatcher>,
}

impl FakeRecorder {
    /// The number of events that it keeps until they are taken; those that come after are dropped.
    const CAPACITY: usize = 10_000;

    /// A fake without events.
    pub fn new() -> Self {
        let options = EventBroadcasterOptions { queue_size: Self::CAPACITY, ..Default::default() };
        let broadcaster = EventBroadcaster::new(options);
        let watcher = Mutex::new(broadcaster.watch());
        FakeRecorder { broadcaster, watcher }
    }

    /// A recorder of the reporter `fake`, for the code under test.
    pub fn recorder(&self) -> EventRecorder {
        let name = klient_apimachinery::Str::from_static("fake");
        let reporter = Reporter { controller: name.clone(), instance: name, ..Default::default() };
        self.broadcaster.recorder(reporter)
    }

    /// Takes the events that were recorded since it was called last, in order.
    pub fn take(&self) -> Vec<Arc<RecordedEvent>> {
        let mut watcher = self.watcher.lock().unwrap_or_else(PoisonError::into_inner);
        std::iter::from_fn(|| watcher.try_next()).collect()
    }
}

impl Default for FakeRecorder {
    fn default() -> Self {
        FakeRecorder::new()
    }
}
