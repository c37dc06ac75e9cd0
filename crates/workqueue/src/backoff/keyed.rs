//! [`KeyedBackoff`], one delay per key.

use std::fmt;
use std::hash::Hash;
use std::time::Duration;

use foldhash::HashMap;

use super::jitter;
use crate::clock::Instant;
use crate::sync::Mutex;

/// One delay per key, such as for each image that cannot be pulled (client-go's `flowcontrol.Backoff`).
///
/// A key's delay begins with `first` and doubles up to `max`. It starts again if the key was not delayed for
/// twice `max`. Keys are kept until [`reset`](Self::reset) or [`gc`](Self::gc).
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
    /// Delays from `first` to `max`, without jitter.
    pub fn new(first: Duration, max: Duration) -> Self {
        Self::with_jitter(first, max, 0.0)
    }

    /// Delays from `first` to `max`, with a random part of up to `jitter` times each delay added.
    pub fn with_jitter(first: Duration, max: Duration, jitter: f64) -> Self {
        Self { first, max, jitter, entries: Mutex::new(HashMap::default()) }
    }

    /// The present delay of a key; zero if it has none.
    pub fn get(&self, key: &K) -> Duration {
        self.entries.lock().get(key).map_or(Duration::ZERO, |entry| entry.wait)
    }

    /// Lengthens the delay of a key; it counts from now.
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

    /// Removes a key.
    pub fn reset(&self, key: &K) {
        self.entries.lock().remove(key);
    }

    /// Returns true while the key's delay has not passed since [`next`](Self::next) was called last.
    pub fn is_in_backoff(&self, key: &K) -> bool {
        let now = Instant::now();
        let waits = |entry: &Entry| now.saturating_duration_since(entry.updated) < entry.wait;
        self.entries.lock().get(key).is_some_and(|entry| !self.is_over(entry, now) && waits(entry))
    }

    /// Returns true while the key's delay has not passed since `event`, such as the end of a container that is to
    /// be restarted.
    pub fn is_in_backoff_since(&self, key: &K, event: std::time::Instant) -> bool {
        let event = Instant::from_std(event);
        let waits = |entry: &Entry| Instant::now().saturating_duration_since(event) < entry.wait;
        self.entries.lock().get(key).is_some_and(|entry| !self.is_over(entry, event) && waits(entry))
    }

    /// Removes keys that were not delayed for twice `max`. Call it from time to time if there are many keys.
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
