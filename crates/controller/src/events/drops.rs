//! [`DropReason`] and the counts of events that were not written.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use klient_apimachinery::go::quoted;
use klient_client::Error;

use super::recorded_event::RecordedEvent;

/// The shortest time between two warnings.
const BETWEEN_WARNINGS: Duration = Duration::from_secs(60);

/// A callback for events that are dropped: see [`EventBroadcasterOptions::on_drop`](super::EventBroadcasterOptions).
pub type OnDrop = Arc<dyn Fn(&DroppedEvent<'_>) + Send + Sync>;

/// The reason for which an event was not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DropReason {
    /// The broadcaster had no sink and no watcher.
    NoSink,
    /// The queue of a sink or a watcher was full.
    QueueFull,
    /// The component recorded too many events about the object: see [`CorrelatorOptions`](super::CorrelatorOptions).
    SpamFilter,
    /// The server refused the event, or it cannot be sent.
    Rejected,
    /// The namespace is being deleted. It is not told by a warning.
    NamespaceTerminating,
    /// The server could not be reached in any of the tries.
    TriesExhausted,
    /// The broadcaster was shut down before the event was written.
    Shutdown,
}

impl DropReason {
    const ALL: [DropReason; 7] = [
        DropReason::NoSink,
        DropReason::QueueFull,
        DropReason::SpamFilter,
        DropReason::Rejected,
        DropReason::NamespaceTerminating,
        DropReason::TriesExhausted,
        DropReason::Shutdown,
    ];

    /// A name for a metric's label, such as `queue_full`.
    pub fn as_str(self) -> &'static str {
        match self {
            DropReason::NoSink => "no_sink",
            DropReason::QueueFull => "queue_full",
            DropReason::SpamFilter => "spam_filter",
            DropReason::Rejected => "rejected",
            DropReason::NamespaceTerminating => "namespace_terminating",
            DropReason::TriesExhausted => "tries_exhausted",
            DropReason::Shutdown => "shutdown",
        }
    }
}

impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// An event that is dropped, for [`OnDrop`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct DroppedEvent<'a> {
    /// The event.
    pub event: &'a RecordedEvent,
    /// The reason.
    pub reason: DropReason,
    /// The last error of the server or the connection, if there was one.
    pub error: Option<&'a Error>,
}

/// The number of dropped events by reason. An event that several sinks drop is counted once for each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DropCounts([u64; DropReason::ALL.len()]);

impl DropCounts {
    /// The number of events that were dropped for a reason.
    pub fn of(&self, reason: DropReason) -> u64 {
        self.0[reason as usize]
    }

    /// The number of all dropped events.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// The counts of all reasons.
    pub fn iter(&self) -> impl Iterator<Item = (DropReason, u64)> {
        DropReason::ALL.into_iter().zip(self.0)
    }
}

/// The counts of one broadcaster.
pub(super) struct Drops {
    counts: [AtomicU64; DropReason::ALL.len()],
    on_drop: Option<OnDrop>,
    warned: Mutex<Warned>,
}

/// The last warning, and the number of events dropped since.
#[derive(Default)]
struct Warned {
    at: Option<Instant>,
    since: u64,
}

impl Drops {
    pub(super) fn new(on_drop: Option<OnDrop>) -> Self {
        Drops { counts: Default::default(), on_drop, warned: Mutex::default() }
    }

    pub(super) fn counts(&self) -> DropCounts {
        DropCounts(self.counts.each_ref().map(|count| count.load(Ordering::Relaxed)))
    }

    /// Counts and reports a dropped event.
    pub(super) fn add(&self, event: &RecordedEvent, reason: DropReason, error: Option<&Error>) {
        self.counts[reason as usize].fetch_add(1, Ordering::Relaxed);
        if let Some(on_drop) = &self.on_drop {
            on_drop(&DroppedEvent { event, reason, error });
        }
        if reason == DropReason::NamespaceTerminating {
            tracing::debug!(event = %event.name, namespace = %event.namespace, "event dropped: the namespace is going");
        } else if let Some(count) = self.to_warn(Instant::now()) {
            let error = error.map(|error| format!(": {error}")).unwrap_or_default();
            tracing::warn!(
                count,
                "{count} events dropped, the last in namespace {} for the reason {reason}, {}{error}",
                quoted(&event.namespace),
                quoted(event.to_string()),
            );
        }
    }

    /// The number of drops that a warning is due for.
    fn to_warn(&self, now: Instant) -> Option<u64> {
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        warned.since += 1;
        if warned.at.is_some_and(|at| now.saturating_duration_since(at) < BETWEEN_WARNINGS) {
            return None;
        }
        warned.at = Some(now);
        Some(std::mem::take(&mut warned.since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_comes_once_a_minute_and_has_the_number_since() {
        let drops = Drops::new(None);
        let start = Instant::now();
        let at = |seconds| drops.to_warn(start + Duration::from_secs(seconds));
        assert_eq!([at(0), at(1), at(59), at(60), at(61)], [Some(1), None, None, Some(3), None]);
    }
}
