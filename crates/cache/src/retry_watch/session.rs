//! [`Session`], the watch that a [`RetryWatch`](super::RetryWatch) has at one time, and when the next may start.

use std::sync::Arc;
use std::time::Duration;

use klient_apimachinery::codec::Encoded;
use klient_apimachinery::{ListWatch, SourceError, WatchEvent, WatchOptions, Watching};
use tokio::time::Instant;

/// The watch there is at one time, and when the next may start.
pub(super) struct Session<K> {
    watching: Option<Box<dyn Watching<K>>>,
    /// What came behind the events that were given last: the end, or a failure.
    pending: Option<SessionEvent<K>>,
    /// When the watch there is, or was last, was started.
    began: Option<Instant>,
    /// When the next may start.
    next_start: Option<Instant>,
}

/// What came of reading.
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

    /// Ends the watch. The next starts so long after this one did, and not before the server's time.
    pub(super) fn restart(&mut self, delay: Duration, retry_after: Duration) {
        let now = Instant::now();
        (self.watching, self.pending) = (None, None);
        self.next_start = Some((self.began.unwrap_or(now) + delay).max(now + retry_after));
    }

    /// Starts a watch if there is none, or else waits for what it tells.
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
