//! [`KeyedBackoff`], a backoff for each key.

use std::fmt;
use std::hash::Hash;
use std::time::Duration;

use foldhash::HashMap;

use super::jitter;
use crate::clock::Instant;
use crate::sync::Mutex;

/// A backoff for each key, such as for each image that cannot be pulled: `flowcontrol.Backoff` of client-go.
///
/// A key's time starts with the first duration, and doubles up to the longest. It starts again when the key had peace
/// for twice the longest. Keys are kept until [`reset`](Self::reset) or [`gc`](Self::gc).
///
/// ```
/// use std::time::Duration;
/// use klient_workqueue::KeyedBackoff;
///
/// let backoff = KeyedBackoff::new(Duration::from_secs(10), Duration::from_secs(300));
/// backoff.next("nginx:latest");
/// assert!(backoff.is_in_backoff(&"nginx:latest"));
/// assert!(!backoff.is_in_backoff(&"nginx:1.29"));
/// ```
pub struct KeyedBackoff<K> {
    first: Duration,
    max: Duration,
    jitter: f64,
    entries: Mutex<HashMap<K, Entry>>,
}

#[derive(Clone, Copy)]
struct Entry {
    wait: Duration,
    updated: Instant,
}

impl<K: Eq + Hash> KeyedBackoff<K> {
    /// From `first` to `max`, without jitter.
    pub fn new(first: Duration, max: Duration) -> Self {
        Self::with_jitter(first, max, 0.0)
    }

    /// The same, with a random part of each time added to it, up to `jitter`.
    pub fn with_jitter(first: Duration, max: Duration, jitter: f64) -> Self {
        Self { first, max, jitter, entries: Mutex::new(HashMap::default()) }
    }

    /// The time of a key, as it is now; zero if it has none.
    pub fn get(&self, key: &K) -> Duration {
        self.entries.lock().get(key).map_or(Duration::ZERO, |entry| entry.wait)
    }

    /// Lengthens the time of a key, which begins now.
    pub fn next(&self, key: K) {
        let now = Instant::now();
        let mut entries = self.entries.lock();
        let before = entries.get(&key).filter(|entry| !self.is_over(entry, now));
        let wait = match before {
            None => self.first.saturating_add(jitter(self.first, self.jitter)),
            Some(Entry { wait, .. }) => {
                wait.saturating_mul(2).saturating_add(jitter(*wait, self.jitter)).min(self.max)
            }
        };
        entries.insert(key, Entry { wait, updated: now });
    }

    /// Forgets a key.
    pub fn reset(&self, key: &K) {
        self.entries.lock().remove(key);
    }

    /// Returns true if less than the key's back-off has passed since it was last [lengthened](Self::next).
    pub fn is_in_backoff(&self, key: &K) -> bool {
        let now = Instant::now();
        let waits = |entry: &Entry| now.saturating_duration_since(entry.updated) < entry.wait;
        self.entries.lock().get(key).is_some_and(|entry| !self.is_over(entry, now) && waits(entry))
    }

    /// Returns true if less than the key's back-off has passed since `event`, such as the end of a container that is to
    /// be restarted.
    pub fn is_in_backoff_since(&self, key: &K, event: std::time::Instant) -> bool {
        let event = Instant::from_std(event);
        let waits = |entry: &Entry| Instant::now().saturating_duration_since(event) < entry.wait;
        self.entries.lock().get(key).is_some_and(|entry| !self.is_over(entry, event) && waits(entry))
    }

    /// Forgets the keys that have had peace for twice the longest time. Whoever has many keys calls it now and then.
    pub fn gc(&self) {
        let now = Instant::now();
        self.entries.lock().retain(|_, entry| !self.is_over(entry, now));
    }

    fn is_over(&self, entry: &Entry, event: Instant) -> bool {
        event.saturating_duration_since(entry.updated) > self.max.saturating_mul(2)
    }
}

impl<K> fmt::Debug for KeyedBackoff<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyedBackoff")
            .field("first", &self.first)
            .field("max", &self.max)
            .field("jitter", &self.jitter)
            .finish_non_exhaustive()
    }
}
