//! [`Session`], the current watch of a [`RetryWatch`](super::RetryWatch), and the time of the next.

use std::sync::Arc;
use std::time::Duration;

use klient_apimachinery::codec::Encoded;
use klient_apimachinery::{ListWatch, SourceError, WatchEvent, WatchOptions, Watching};
use tokio::time::Instant;

/// The current watch, and the earliest time of the next.
pub(super) struct Session<K> {
    watching: Option<Box<dyn Watching<K>>>,
    /// The end or failure that follows the events returned last.
    pending: Option<SessionEvent<K>>,
    /// The start of the current watch, or of the last one.
    began: Option<Instant>,
    /// The earliest start of the next watch.
    next_start: Option<Instant>,
}

/// The outcome of [`Session::read`].
pub(super) enum SessionEvent<K> {
    Started,
    NotStarted(SourceError),
    Arrived(Vec<WatchEvent<Encoded<K>>>),
    Broken(SourceError),
    Ended,
}

impl<K: 'static> Session<K> {
    pub(super) fn new() -> Self {
        Session { watching: None, pending: None, began: None, next_start: None }
    }

    /// Ends the watch. The next starts `delay` after this one did, and not before the server's `Retry-After`.
    pub(super) fn restart(&mut self, delay: Duration, retry_after: Duration) {
        let now = Instant::now();
        (self.watching, self.pending) = (None, None);
        self.next_start = Some((self.began.unwrap_or(now) + delay).max(now + retry_after));
    }

    /// Starts a watch if there is none; otherwise waits for its events.
    pub(super) async fn read(
        mut self,
        source: Arc<dyn ListWatch<K>>,
        options: WatchOptions,
    ) -> (Self, SessionEvent<K>) {
        if let Some(event) = self.pending.take() {
            return (self, event);
        }
        let Some(watching) = &mut self.watching else {
            if let Some(next) = self.next_start {
                tokio::time::sleep_until(next).await;
            }
            self.began = Some(Instant::now());
            let event = match source.watch(&options).await {
                Ok(watching) => {
                    self.watching = Some(watching);
                    SessionEvent::Started
                }
                Err(error) => SessionEvent::NotStarted(error),
            };
            return (self, event);
        };
        let mut arrived = Vec::new();
        let pending = match watching.next(&mut arrived).await {
            Ok(true) => None,
            Ok(false) => Some(SessionEvent::Ended),
            Err(error) => Some(SessionEvent::Broken(error)),
        };
        match pending {
            Some(event) if arrived.is_empty() => (self, event),
            pending => {
                self.pending = pending;
                (self, SessionEvent::Arrived(arrived))
            }
        }
    }
}
