//! [`EventRecorder`], the handle with which a program records events.

use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use klient_api::core::v1::ObjectReference;
use klient_apimachinery::validation::dns_subdomain;
use klient_apimachinery::{MicroTime, Str};

use super::event::{Event, EventType};
use super::recorded_event::RecordedEvent;
use super::reporter::Reporter;
use super::shared::Shared;

/// Records events of one component. Cheap to clone.
///
/// The object that an event is about is anything that gives an [`ObjectReference`]: a built-in or custom object, an
/// [`Unstructured`](klient_apimachinery::Unstructured), a [`Cached`](klient_cache::Cached) handle, which is not decoded for
/// it, or a reference that the program has made.
///
/// ```
/// use klient_api::core::v1::{ObjectReference, Pod};
/// use klient_apimachinery::{Unstructured, meta::v1::ObjectMeta};
/// use klient_controller::events::{Event, EventType, FakeRecorder};
///
/// let fake = FakeRecorder::new();
/// let recorder = fake.recorder();
/// let pod = Pod { metadata: ObjectMeta::named("web-0").in_namespace("shop"), ..Default::default() };
/// recorder.event(&pod, EventType::Normal, "Started", "started the container main");
///
/// let website = Unstructured::new("example.com/v1", "Website", "shop");
/// let cause = Event { reason: "Scaled".into(), related: Some(ObjectReference::of(&pod)), ..Default::default() };
/// recorder.record(&website, cause);
/// assert_eq!(fake.take().len(), 2);
/// ```
#[derive(Clone)]
pub struct EventRecorder {
    shared: Arc<Shared>,
    reporter: Reporter,
}

impl EventRecorder {
    pub(super) fn new(shared: Arc<Shared>, reporter: Reporter) -> Self {
        EventRecorder { shared, reporter }
    }

    /// Records that something happened (client-go's `Event`). It does not block, and has no result: an event that is not
    /// written is [counted](super::EventBroadcaster::dropped).
    #[doc(alias = "Eventf")]
    pub fn event(
        &self,
        regarding: impl Into<ObjectReference>,
        type_: EventType,
        reason: impl Into<Str>,
        note: impl Into<Str>,
    ) {
        self.record(
            regarding,
            Event { type_, reason: reason.into(), note: note.into(), ..Default::default() },
        );
    }

    /// Records an event with all its fields (client-go's `AnnotatedEventf`, and the `Eventf` of its package `events`). It
    /// does not block.
    pub fn record(&self, regarding: impl Into<ObjectReference>, event: Event) {
        let regarding = regarding.into();
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let now = u64::try_from(since_epoch).unwrap_or(u64::MAX);
        // The clock may have been set back: the name stays unique, and the time is that of the clock.
        let nanos = self.shared.unique_nanos(now);
        let time = MicroTime::from_unix_micros(i64::try_from(now / 1000).unwrap_or(i64::MAX));
        let namespace = regarding.namespace.clone().filter(|namespace| !namespace.is_empty());
        self.shared.distribute(RecordedEvent {
            name: name(regarding.name.as_deref().unwrap_or_default(), nanos),
            namespace: namespace.unwrap_or(Str::from_static("default")),
            event,
            regarding,
            reporter: self.reporter.clone(),
            time,
        });
    }

    /// The component whose events it records.
    pub fn reporter(&self) -> &Reporter {
        &self.reporter
    }
}

impl fmt::Debug for EventRecorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EventRecorder").field(&self.reporter.controller).finish()
    }
}

/// The name of an event's object.
fn name(regarding: &str, nanos: u64) -> Str {
    let name = format!("{regarding}.{nanos:x}");
    if dns_subdomain(&name).is_empty() { name.into() } else { random_name().into() }
}

/// A UUID of version 4.
fn random_name() -> String {
    let bits = fastrand::u128(..) & !(0xf << 76 | 0x3 << 62) | 0x4 << 76 | 0x2 << 62;
    let hex = format!("{bits:032x}");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_that_of_the_object_and_the_time_or_random() {
        assert_eq!(name("web-0", 0x1234), "web-0.1234");
        for invalid in ["", "Web_0", &"a".repeat(250)] {
            let name = name(invalid, 0x1234);
            assert!(dns_subdomain(&name).is_empty(), "{name}");
            assert_eq!((name.len(), &name[14..15]), (36, "4"), "{name}");
            assert!("89ab".contains(&name[19..20]), "{name}");
        }
    }
}
