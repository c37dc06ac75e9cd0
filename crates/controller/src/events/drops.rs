//! [`DropReason`] and the counts of events that were not written.

use std::cell::Cell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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
    /// The server refused the event, or it cannot be sent, as when a function of the options panics.
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
#[derive(Clone, Copy, Default, PartialEq, Eq)]
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

/// The counts by their reasons, without those that are zero.
impl fmt::Debug for DropCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().filter(|(_, count)| *count > 0)).finish()
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
        self.add_all(1, event, reason, error);
    }

    /// Counts and reports a number of dropped events, of which one is the last.
    pub(super) fn add_all(
        &self,
        number: u64,
        event: &RecordedEvent,
        reason: DropReason,
        error: Option<&Error>,
    ) {
        self.counts[reason as usize].fetch_add(number, Ordering::Relaxed);
        if let Some(on_drop) = &self.on_drop {
            call(on_drop, &DroppedEvent { event, reason, error });
        }
        if reason == DropReason::NamespaceTerminating {
            tracing::debug!(event = %event.name, namespace = %event.namespace, "event dropped: the namespace is going");
        } else if let Some(count) = self.to_warn(number, Instant::now()) {
            let error = error.map(|error| format!(": {error}")).unwrap_or_default();
            tracing::warn!(
                count,
                "{count} events dropped, the last in namespace {} for the reason {reason}, {}{error}",
                quoted(&event.namespace),
                quoted(event.to_string()),
            );
        }
    }

    /// Warns of the drops since the last warning, if there are any and another warning is due.
    pub(super) fn warn_if_due(&self) {
        warn_of(self.to_warn(0, Instant::now()));
    }

    /// Warns of the drops since the last warning, if there are any.
    pub(super) fn warn_of_rest(&self) {
        warn_of(self.warned().take(Instant::now()));
    }

    /// Takes note of drops. Returns the number that a warning is due for.
    fn to_warn(&self, number: u64, now: Instant) -> Option<u64> {
        let mut warned = self.warned();
        warned.since += number;
        if warned.at.is_some_and(|at| now.saturating_duration_since(at) < BETWEEN_WARNINGS) {
            return None;
        }
        warned.take(now)
    }

    fn warned(&self) -> MutexGuard<'_, Warned> {
        self.warned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Drops {
    fn drop(&mut self) {
        self.warn_of_rest();
    }
}

impl Warned {
    /// The number of drops for a warning now; `None` if there are none.
    fn take(&mut self, now: Instant) -> Option<u64> {
        let count = std::mem::take(&mut self.since);
        (count > 0).then(|| {
            self.at = Some(now);
            count
        })
    }
}

fn warn_of(count: Option<u64>) {
    if let Some(count) = count {
        tracing::warn!(count, "{count} more events dropped");
    }
}

thread_local! {
    static IS_IN_CALLBACK: Cell<bool> = const { Cell::new(false) };
}

/// Calls the callback, unless it is called within itself: an event that it records may be dropped, too.
fn call(on_drop: &OnDrop, dropped: &DroppedEvent<'_>) {
    if IS_IN_CALLBACK.replace(true) {
        return;
    }
    if catch_unwind(AssertUnwindSafe(|| on_drop(dropped))).is_err() {
        tracing::error!("the callback for dropped events panicked");
    }
    IS_IN_CALLBACK.set(false);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_print_their_reasons() {
        let mut counts = DropCounts::default();
        assert_eq!(format!("{counts:?}"), "{}");
        counts.0[DropReason::QueueFull as usize] = 2;
        counts.0[DropReason::Shutdown as usize] = 1;
        assert_eq!(format!("{counts:?}"), "{QueueFull: 2, Shutdown: 1}");
    }

    #[test]
    fn a_warning_comes_once_a_minute_and_has_the_number_since() {
        let drops = Drops::new(None);
        let start = Instant::now();
        let at = |number, seconds| drops.to_warn(number, start + Duration::from_secs(seconds));
        assert_eq!(
            [at(1, 0), at(1, 1), at(5, 59), at(1, 60), at(2, 61)],
            [Some(1), None, None, Some(7), None]
        );
        // The rest is told without another drop, and once.
        assert_eq!([at(0, 119), at(0, 120), at(0, 180)], [None, Some(2), None]);
        assert_eq!([at(1, 181), at(1, 182)], [Some(1), None]);
        let rest = || drops.warned().take(start + Duration::from_secs(183));
        assert_eq!([rest(), rest()], [Some(1), None]);
    }
}
