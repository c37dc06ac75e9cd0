//! [`SeriesCache`], the rules by which events of events.k8s.io/v1 become series (KEP-383). It has no clock: each call takes
//! the time.

mod key;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use klient_api::events::v1::{Event, EventSeries};
use lru::LruCache;

use super::recorded_event::RecordedEvent;
use key::SeriesKey;

/// Options of series: see
/// [`EventBroadcaster::start_recording_to_events_v1`](super::EventBroadcaster::start_recording_to_events_v1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeriesOptions {
    /// The longest time until a count is written while a series goes on; 30 minutes by default, and at least a second.
    pub refresh: Duration,
    /// The time without an event after which a series ends; 6 minutes by default, and at least a second.
    pub finish: Duration,
    /// The number of events that are remembered, of which the least recent ends first; 4,096 by default.
    pub lru_cache_size: NonZeroUsize,
}

impl Default for SeriesOptions {
    fn default() -> Self {
        SeriesOptions {
            refresh: Duration::from_secs(30 * 60),
            finish: Duration::from_secs(6 * 60),
            lru_cache_size: NonZeroUsize::new(4096).expect("4,096 is not 0"),
        }
    }
}

/// An event to be written: a new one, or the series of one.
#[derive(Clone)]
pub(super) struct SeriesWrite {
    pub(super) recorded: Arc<RecordedEvent>,
    /// The number of events that it writes.
    pub(super) events: u64,
    pub(super) object: Event,
}

/// The memory of past events.
pub(super) struct SeriesCache {
    options: SeriesOptions,
    entries: LruCache<SeriesKey, Entry>,
}

struct Entry {
    write: SeriesWrite,
    /// The time of the last event.
    last: Duration,
    /// The time of the last write.
    written: Duration,
    /// The number of events that were counted since then.
    unwritten: u64,
}

impl SeriesCache {
    pub(super) fn new(options: SeriesOptions) -> Self {
        // A shorter time would keep the sink busy with nothing else.
        let at_least = |time: Duration| time.max(Duration::from_secs(1));
        let (refresh, finish) = (at_least(options.refresh), at_least(options.finish));
        let options = SeriesOptions { refresh, finish, ..options };
        SeriesCache { entries: LruCache::new(options.lru_cache_size), options }
    }

    /// The time between two calls of [`tick`](Self::tick).
    pub(super) fn period(&self) -> Duration {
        self.options.finish.min(self.options.refresh).min(Duration::from_secs(60))
    }

    /// Takes an event. `now` is the time on any monotonic clock.
    pub(super) fn observe(&mut self, recorded: Arc<RecordedEvent>, now: Duration) -> Vec<SeriesWrite> {
        let key = SeriesKey::of(&recorded);
        let Some(entry) = self.entries.get_mut(&key) else {
            let write = SeriesWrite { object: recorded.to_events_v1(), events: 1, recorded };
            let entry = Entry { write: write.clone(), last: now, written: now, unwritten: 0 };
            let evicted = self.entries.push(key, entry).and_then(|(_, mut entry)| entry.take());
            return evicted.into_iter().chain([write]).collect();
        };
        entry.last = now;
        let last_observed_time = recorded.time;
        match &mut entry.write.object.series {
            Some(series) => {
                series.count = series.count.saturating_add(1);
                series.last_observed_time = last_observed_time;
                entry.unwritten += 1;
                Vec::new()
            }
            none => {
                *none = Some(Box::new(EventSeries { count: 2, last_observed_time, ..Default::default() }));
                entry.written = now;
                vec![entry.write.clone()]
            }
        }
    }

    /// Ends idle series, and takes what is to be written of the others.
    pub(super) fn tick(&mut self, now: Duration) -> Vec<SeriesWrite> {
        let (finish, refresh) = (self.options.finish, self.options.refresh);
        let is_idle = |entry: &Entry| now.saturating_sub(entry.last) >= finish;
        let ended: Vec<_> =
            self.entries.iter().filter(|(_, entry)| is_idle(entry)).map(|(key, _)| key.clone()).collect();
        let ended = ended.iter().filter_map(|key| self.entries.pop(key)?.take());
        let mut writes: Vec<_> = ended.collect();
        writes.extend(self.take(now, |entry| now.saturating_sub(entry.written) >= refresh));
        writes
    }

    /// Takes all that was not written.
    pub(super) fn flush(&mut self) -> Vec<SeriesWrite> {
        self.take(Duration::ZERO, |_| true)
    }

    fn take(&mut self, now: Duration, is_due: impl Fn(&Entry) -> bool) -> Vec<SeriesWrite> {
        let due = self.entries.iter_mut().map(|(_, entry)| entry).filter(|entry| is_due(entry));
        due.filter_map(|entry| {
            let write = entry.take()?;
            entry.written = entry.written.max(now);
            Some(write)
        })
        .collect()
    }
}

impl Entry {
    /// The write of the events that were counted since the last one; `None` if there are none.
    fn take(&mut self) -> Option<SeriesWrite> {
        let events = std::mem::take(&mut self.unwritten);
        (events > 0).then(|| SeriesWrite { events, ..self.write.clone() })
    }
}

#[cfg(test)]
mod tests;
