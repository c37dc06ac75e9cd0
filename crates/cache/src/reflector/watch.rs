//! Watching, from the last list on.

use std::time::Duration;

use klient_apimachinery::codec::{Encoded, Wire};
use klient_apimachinery::{Object, SourceError, WatchEvent};
use tokio::time::Instant;

use super::reflector_loop::ReflectorLoop;
use super::watch_list::StartedWatch;
use crate::delta::Delta;

/// A watch that ends sooner and without an event has failed (client-go's `VeryShortWatchError`).
const VERY_SHORT_WATCH: Duration = Duration::from_secs(1);

/// After this time without an internal error, the retry period begins anew.
const INTERNAL_ERROR_RESET: Duration = Duration::from_secs(60);

impl<K: Wire + Object> ReflectorLoop<K> {
    /// Watches until a new list is needed; restarts watches that end.
    pub(super) async fn watch(&mut self, mut started: Option<StartedWatch<K>>) -> Result<(), SourceError> {
        let mut internal_errors: Option<(Instant, Instant)> = None;
        loop {
            let error = match self.watch_once(started.take()).await {
                Ok(()) => continue,
                Err(error) => error,
            };
            let goes_on = if error.is_internal() {
                let now = Instant::now();
                let (since, last) = internal_errors.unwrap_or((now, now));
                let since = if now - last > INTERNAL_ERROR_RESET { now } else { since };
                internal_errors = Some((since, now));
                now - since < self.options.max_internal_error_retry
            } else {
                error.is_refused() || error.is_too_many_requests()
            };
            if !goes_on {
                return Err(error);
            }
            self.report(&error);
            self.pause(error.retry_after()).await;
        }
    }

    /// Watches until the watch ends, as all watches do.
    async fn watch_once(&mut self, started: Option<StartedWatch<K>>) -> Result<(), SourceError> {
        let StartedWatch { mut watching, mut arrived, mut next } = match started {
            Some(started) => started,
            None => {
                let (source, options) = (self.source.clone(), self.watch_options());
                StartedWatch::new(source.watch(&options).await?)
            }
        };
        self.progress.change(&self.partition, |partition| {
            (partition.error, partition.attempts) = (None, 0);
            partition.watches += 1;
        });
        let began = Instant::now();
        let mut events = 0;
        loop {
            events += arrived.len();
            if !arrived.is_empty() {
                self.take_events(std::mem::take(&mut arrived)).await?;
            }
            match next {
                Ok(true) => {}
                Ok(false) if events == 0 && began.elapsed() < VERY_SHORT_WATCH => {
                    return Err(SourceError::transient("the watch ended at once, and without an event"));
                }
                Ok(false) => return Ok(()),
                // A broken connection is an ordinary end of a watch.
                Err(error) if error.code().is_none() && !error.is_unreadable() && !error.is_refused() => {
                    let is_useless = events == 0 && began.elapsed() < VERY_SHORT_WATCH;
                    return if is_useless { Err(error) } else { Ok(()) };
                }
                Err(error) => return Err(error),
            }
            next = watching.next(&mut arrived).await;
        }
    }

    /// Queues the changes of watch events. The error is the one that the watch reported.
    async fn take_events(&mut self, events: Vec<WatchEvent<Encoded<K>>>) -> Result<(), SourceError> {
        let mut deltas = Vec::with_capacity(events.len());
        let mut failure = None;
        for event in events {
            let delta = match event {
                WatchEvent::Added(object) => Delta::Added(self.decode(object)),
                WatchEvent::Modified(object) => Delta::Updated(self.decode(object)),
                WatchEvent::Deleted(object) => {
                    let decoded = self.decode(object);
                    let Some(key) = decoded.key() else {
                        // The deleted object is unknown; the next list leaves it out.
                        failure = Some(SourceError::unreadable("an object that is gone cannot be read"));
                        break;
                    };
                    Delta::Deleted(key, Some(decoded))
                }
                WatchEvent::Bookmark(bookmark) => Delta::Bookmark(bookmark.resource_version.as_str().into()),
                WatchEvent::Error(status) => {
                    failure = Some((*status).into());
                    break;
                }
                // Events of a kind that is not known say nothing of objects.
                _ => continue,
            };
            match &delta {
                Delta::Added(decoded) | Delta::Updated(decoded) | Delta::Deleted(_, Some(decoded)) => {
                    self.advance(decoded.version());
                }
                Delta::Bookmark(version) => self.advance(version),
                _ => {}
            }
            deltas.push(delta);
        }
        self.queue.push(deltas);
        self.queue.wait_for_capacity().await;
        failure.map_or(Ok(()), Err)
    }

    fn advance(&mut self, version: &str) {
        // A watch without a version begins with all objects, and does not report deletions.
        if !version.is_empty() && *self.last_sync_version != *version {
            self.last_sync_version = version.into();
        }
    }
}
