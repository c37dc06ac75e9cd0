//! [`ReflectorLoop`], which lists and watches one source, and queues the changes.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use klient_apimachinery::codec::{Encoded, Wire};
use klient_apimachinery::{ListOptions, ListWatch, Object, SourceError, WatchOptions};
use klient_workqueue::ResettingBackoff;
use tokio::time::Instant;

use super::decode_batches::DecodedObject;
use super::options::{ReflectorOptions, WatchErrorHandler};
use super::progress::Progress;
use crate::decode_result::DecodeResult;
use crate::delta::{Delta, DeltaQueue, MAX_BATCH_SIZE};
use crate::entry::Entry;
use crate::error::Error;
use crate::store::{Change, Partition, Store};
use crate::undecodable::Undecodable;

/// The shortest interval between attempts that a waiting caller triggers after a permanent error.
const MIN_EARLY_ATTEMPT_INTERVAL: Duration = Duration::from_secs(1);

/// An upper bound for the server's `Retry-After`.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(3600);

/// Lists and watches one source, and queues the changes.
pub(crate) struct ReflectorLoop<K> {
    pub(super) source: Arc<dyn ListWatch<K>>,
    pub(crate) store: Store<K>,
    pub(crate) queue: Arc<DeltaQueue<DecodeResult<K>>>,
    pub(crate) partition: Partition,
    pub(super) progress: Progress,
    pub(super) options: ReflectorOptions,
    pub(super) backoff: ResettingBackoff,
    /// The time of the last attempt that a waiting caller triggered.
    pub(super) last_early_attempt: Option<Instant>,
    /// The resourceVersion of the last list, event or bookmark (client-go's `lastSyncResourceVersion`).
    pub(super) last_sync_version: Box<str>,
    /// Set if the server answered that it cannot list at that version.
    pub(super) is_last_version_unavailable: bool,
    /// Set if the server paged a list at version 0, which it does without a watch cache.
    pub(super) is_paginated: bool,
    /// Cleared when the server refuses a streamed list.
    pub(super) use_watch_list: bool,
    /// The last logged error; a repetition is logged at debug level.
    pub(super) last_logged: String,
}

impl<K: Wire + Object> ReflectorLoop<K> {
    pub(crate) fn new(
        source: Arc<dyn ListWatch<K>>,
        store: Store<K>,
        partition: Partition,
        progress: Progress,
        options: ReflectorOptions,
    ) -> Self {
        // The store must not go back to a state before its own.
        let version = store.partition_version(&partition);
        ReflectorLoop {
            source,
            store,
            queue: Arc::new(DeltaQueue::new(2 * MAX_BATCH_SIZE)),
            partition,
            progress,
            backoff: options.backoff.clone(),
            last_early_attempt: None,
            last_sync_version: version,
            is_last_version_unavailable: false,
            is_paginated: false,
            use_watch_list: options.watch_list,
            last_logged: String::new(),
            options,
        }
    }

    /// Lists and watches until dropped.
    pub(crate) async fn run(&mut self) -> Infallible {
        if let Err(error) = self.options.check() {
            // No server can accept an invalid selector.
            self.report(&error);
            // No other attempt follows.
            self.progress.change(&self.partition, |partition| partition.failed = u64::MAX);
            std::future::pending().await
        }
        loop {
            let wait = match self.list_and_watch().await {
                Ok(()) => None,
                Err(error) => {
                    self.report(&error);
                    error.retry_after()
                }
            };
            self.pause(wait).await;
        }
    }

    /// Lists, and then watches until a new list is needed.
    pub(super) async fn list_and_watch(&mut self) -> Result<(), SourceError> {
        let streamed = if self.use_watch_list { self.watch_list().await? } else { None };
        if streamed.is_none() {
            self.list().await?;
        }
        self.last_logged.clear();
        self.progress.change(&self.partition, |partition| {
            (partition.error, partition.attempts) = (None, 0);
            partition.lists += 1;
        });
        self.watch(streamed).await
    }

    /// Waits before the next attempt: the backoff, or `least`, the server's `Retry-After`, if that is longer.
    /// After a permanent error, a caller that waits for another attempt ends the pause early.
    pub(super) async fn pause(&mut self, least: Option<Duration>) {
        let now = Instant::now();
        let least = least.unwrap_or_default().min(MAX_RETRY_AFTER);
        let pause = tokio::time::sleep_until(now + self.backoff.step().max(least));
        let partitions = self.progress.partitions();
        let error = partitions.get(self.partition.index).and_then(|partition| partition.error.as_ref());
        if !error.is_some_and(Error::is_permanent) {
            return pause.await;
        }
        let earliest =
            self.last_early_attempt.map_or(now, |last| last + MIN_EARLY_ATTEMPT_INTERVAL).max(now + least);
        let early_attempt = async {
            self.progress.attempt_wanted(&self.partition).await;
            tokio::time::sleep_until(earliest).await;
        };
        tokio::select! {
            () = pause => {}
            () = early_attempt => self.last_early_attempt = Some(Instant::now()),
        }
    }

    /// Counts an attempt to list.
    pub(super) fn begin_attempt(&self) {
        self.progress.change(&self.partition, |partition| partition.begun += 1);
    }

    pub(super) fn list_options(&self) -> ListOptions {
        ListOptions {
            label_selector: self.options.label_selector.clone(),
            field_selector: self.options.field_selector.clone(),
            managed_fields: self.options.managed_fields,
            ..ListOptions::default()
        }
    }

    pub(super) fn watch_options(&self) -> WatchOptions {
        let timeout = self.options.min_watch_timeout.mul_f64(1.0 + fastrand::f64());
        WatchOptions {
            label_selector: self.options.label_selector.clone(),
            field_selector: self.options.field_selector.clone(),
            managed_fields: self.options.managed_fields,
            resource_version: Some(self.last_sync_version.as_ref())
                .filter(|version| !version.is_empty())
                .map(Into::into),
            allow_bookmarks: true,
            // A server takes zero for no limit.
            timeout_seconds: Some((timeout.as_secs() as u32).max(1)),
            ..WatchOptions::default()
        }
    }

    /// Decodes an object for the store.
    pub(super) fn decode(&mut self, encoded: Encoded<K>) -> DecodeResult<K> {
        let decoded = self.store.decode(encoded);
        self.decode_result(decoded)
    }

    /// The delta of a decoded object. An object that cannot be decoded is reported after the store has taken
    /// it, which then knows whether it keeps an earlier state; one without a name is reported at once.
    pub(super) fn decode_result(&mut self, decoded: Result<Arc<Entry<K>>, Error>) -> DecodeResult<K> {
        let error = match decoded {
            Ok(entry) => return DecodeResult::Entry(entry),
            Err(error) => error,
        };
        let identity = error.undecodable_object().cloned().unwrap_or_default();
        if identity.name.is_empty() {
            report_undecodable(self.options.on_error.as_ref(), &error);
            return DecodeResult::Unnamed;
        }
        DecodeResult::Undecodable(Arc::new(Undecodable::new(&identity, error)))
    }

    /// Passes decoded objects to `collect`, in order.
    pub(super) fn collect<T>(
        &mut self,
        decoded: Vec<DecodedObject<K, T>>,
        mut collect: impl FnMut(DecodeResult<K>, T),
    ) {
        for (decoded, with) in decoded {
            collect(self.decode_result(decoded), with);
        }
    }

    /// Queues a complete list.
    pub(super) async fn replace(&mut self, entries: Vec<DecodeResult<K>>, version: &str) {
        self.last_sync_version = version.into();
        self.is_last_version_unavailable = false;
        self.queue.push([Delta::Replaced(entries, version.into())]);
        self.queue.wait_for_capacity().await;
    }

    pub(super) fn report(&mut self, error: &SourceError) {
        let mut attempts = 0;
        self.progress.change(&self.partition, |partition| {
            partition.attempts += 1;
            attempts = partition.attempts;
        });
        let namespace = self.partition.namespace.as_deref();
        let error = Error::source_failed(self.source.resource(), namespace, attempts, error.clone());
        self.progress.change(&self.partition, |partition| {
            (partition.error, partition.failed) = (Some(error.clone()), partition.begun)
        });
        self.report_error(&error);
    }

    pub(super) fn report_error(&mut self, error: &Error) {
        if let Some(on_error) = &self.options.on_error {
            return on_error(error);
        }
        let text = format!("{error:?}");
        let is_usual = error.as_source().is_some_and(SourceError::is_expired);
        if is_usual || text == self.last_logged {
            tracing::debug!("{text}");
        } else {
            tracing::warn!("{text}");
            self.last_logged = text;
        }
    }
}

/// The versions that cannot be decoded among changes.
pub(crate) fn undecodable_versions<K>(changes: &[Change<K>]) -> impl Iterator<Item = &Undecodable> {
    changes.iter().filter_map(|change| match change {
        Change::Undecodable { version, .. } => Some(&**version),
        _ => None,
    })
}

/// Reports an object that cannot be decoded to the handler, or logs it.
pub(crate) fn report_undecodable(on_error: Option<&WatchErrorHandler>, error: &Error) {
    match on_error {
        Some(on_error) => on_error(error),
        None => {
            let object = error.undecodable_object().map(ToString::to_string).unwrap_or_default();
            tracing::warn!(object, field = error.field(), "{error}");
        }
    }
}
