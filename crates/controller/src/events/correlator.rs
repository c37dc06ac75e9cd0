//! [`Correlator`], the rules by which events of core/v1 are combined, counted and limited (client-go's
//! `EventCorrelator`). It has no clock: each call takes the time.

mod key;
mod spam_filter;

use std::collections::HashSet;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use klient_api::core::v1::Event;
use klient_apimachinery::meta::v1::ObjectMeta;
use klient_apimachinery::{Str, Time};
use lru::LruCache;
use serde_json::{Value, json};

use spam_filter::SpamFilter;

/// A function of an event of core/v1 that gives a key or a message.
pub type EventKey<T> = Arc<dyn Fn(&Event) -> T + Send + Sync>;

/// Options of the correlation of core/v1: see
/// [`EventBroadcaster::start_recording_to_core_v1`](super::EventBroadcaster::start_recording_to_core_v1).
///
/// ```
/// use std::sync::Arc;
/// use klient_controller::events::CorrelatorOptions;
///
/// // Lets each reason of an object have 25 events at once, so that a noisy one does not suppress the others.
/// let options = CorrelatorOptions { spam_key: Arc::new(CorrelatorOptions::spam_key_by_reason), ..Default::default() };
/// ```
#[derive(Clone)]
pub struct CorrelatorOptions {
    /// The number of objects with a reason, events and spam keys that are remembered, of each; 4,096 by default.
    pub lru_cache_size: NonZeroUsize,
    /// The number of events with one spam key that may occur at once; 25 by default.
    pub burst_size: u32,
    /// The number of events per second that a spam key may have in the long run; 1/300 by default.
    pub qps: f64,
    /// The number of distinct messages from which similar events are combined; 10 by default.
    pub max_events: usize,
    /// The time without a similar event after which messages are counted anew; 600 s by default.
    pub max_interval: Duration,
    /// The key of similar events, and the part in which they differ. By default the reporter, the object, the type and
    /// the reason, and the message.
    pub key: EventKey<(String, String)>,
    /// The message of combined events. By default that of the last, after `(combined from similar events): `.
    pub message: EventKey<String>,
    /// The key of the events that share a burst. By default the reporter, the object and the type.
    pub spam_key: EventKey<String>,
}

impl CorrelatorOptions {
    /// The default key of similar events (client-go's `EventAggregatorByReasonFunc`).
    pub fn key_by_reason(event: &Event) -> (String, String) {
        (key::by_reason(event), event.message.as_deref().unwrap_or_default().to_owned())
    }

    /// The default spam key: the reporter, the object and the type.
    pub fn spam_key_by_object(event: &Event) -> String {
        key::by_object_and_type(event)
    }

    /// A spam key with the reason, so that a noisy reason does not suppress events of other reasons.
    pub fn spam_key_by_reason(event: &Event) -> String {
        key::by_reason(event)
    }
}

impl Default for CorrelatorOptions {
    fn default() -> Self {
        let message = |event: &Event| {
            format!("(combined from similar events): {}", event.message.as_deref().unwrap_or_default())
        };
        CorrelatorOptions {
            lru_cache_size: NonZeroUsize::new(4096).expect("4,096 is not 0"),
            burst_size: 25,
            qps: 1.0 / 300.0,
            max_events: 10,
            max_interval: Duration::from_secs(600),
            key: Arc::new(Self::key_by_reason),
            message: Arc::new(message),
            spam_key: Arc::new(Self::spam_key_by_object),
        }
    }
}

impl fmt::Debug for CorrelatorOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CorrelatorOptions")
            .field("lru_cache_size", &self.lru_cache_size)
            .field("burst_size", &self.burst_size)
            .field("qps", &self.qps)
            .field("max_events", &self.max_events)
            .field("max_interval", &self.max_interval)
            .finish_non_exhaustive()
    }
}

/// The result of correlation.
pub(super) enum Correlation {
    /// The event is spam.
    Skip,
    /// The object is patched, and created if it does not exist or there is no patch.
    Write { object: Box<Event>, patch: Option<Value> },
}

/// The memory of past events.
pub(super) struct Correlator {
    options: CorrelatorOptions,
    similar: LruCache<String, Similar>,
    observed: LruCache<String, Observed>,
    spam: SpamFilter,
}

/// The distinct messages of similar events.
struct Similar {
    messages: HashSet<String>,
    last: Duration,
}

/// The object that identical events are counted in.
struct Observed {
    name: Str,
    count: i32,
    first: Option<Time>,
}

impl Correlator {
    pub(super) fn new(options: CorrelatorOptions) -> Self {
        let size = options.lru_cache_size;
        Correlator {
            similar: LruCache::new(size),
            observed: LruCache::new(size),
            spam: SpamFilter::new(size, options.burst_size, options.qps),
            options,
        }
    }

    /// Correlates an event that occurred once. `now` is the time on any monotonic clock.
    pub(super) fn correlate(&mut self, event: Event, now: Duration) -> Correlation {
        let (event, key) = self.combine(event, now);
        let (event, patch) = self.count(event, key);
        if !self.spam.accepts((self.options.spam_key)(&event), now) {
            return Correlation::Skip;
        }
        Correlation::Write { object: Box::new(event), patch }
    }

    /// The event, or one that stands for all similar ones; and the key under which it is counted.
    fn combine(&mut self, event: Event, now: Duration) -> (Event, String) {
        let (key, message) = (self.options.key)(&event);
        let new = || Similar { messages: HashSet::new(), last: now };
        let similar = self.similar.get_or_insert_mut_ref(key.as_str(), new);
        if now.saturating_sub(similar.last) > self.options.max_interval {
            similar.messages.clear();
        }
        similar.last = now;
        // The set need not grow beyond the number that decides. client-go takes out a random message instead, so that
        // those which were seen before are combined or not by chance.
        if similar.messages.len() < self.options.max_events {
            similar.messages.insert(message);
        }
        if similar.messages.len() < self.options.max_events {
            let key = key::identity(&event);
            return (event, key);
        }
        let message = (self.options.message)(&event);
        let metadata = ObjectMeta {
            name: event.metadata.name,
            namespace: event.metadata.namespace,
            ..Default::default()
        };
        (Event { metadata, message: Some(message.into()), ..event }, key)
    }

    /// The event with the count and name of the object that has the same key, and the patch of that.
    fn count(&mut self, mut event: Event, key: String) -> (Event, Option<Value>) {
        let mut patch = None;
        if let Some(observed) = self.observed.get(&key) {
            event.metadata.name = Some(observed.name.clone());
            event.first_timestamp = observed.first;
            event.count = Some(observed.count.saturating_add(1));
            patch = Some(json!({
                "count": event.count,
                "lastTimestamp": event.last_timestamp.map(|time| time.to_string()),
                "message": event.message,
            }));
        }
        let observed = Observed {
            name: event.metadata.name.clone().unwrap_or_default(),
            count: event.count.unwrap_or(1),
            first: event.first_timestamp,
        };
        self.observed.put(key, observed);
        (event, patch)
    }
}

#[cfg(test)]
mod tests;
