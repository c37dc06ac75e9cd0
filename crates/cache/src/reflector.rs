//! [`Reflector`], which keeps a store equal to the server's list.

mod decode_batches;
mod list;
mod watch;
mod watch_list;

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use decode_batches::DecodedObject;
use klient_apimachinery::codec::{Encoded, ManagedFields, Wire};
use klient_apimachinery::labels::{self, InvalidSelector};
use klient_apimachinery::meta::Reason;
use klient_apimachinery::meta::v1::Status;
use klient_apimachinery::{ListOptions, ListWatch, Object, SourceError, Str, WatchOptions, fields};
use klient_workqueue::{Backoff, ResettingBackoff};
use tokio::time::Instant;

use crate::decode_result::DecodeResult;
use crate::delta::{Delta, DeltaQueue, MAX_BATCH_SIZE};
use crate::entry::Entry;
use crate::error::Error;
use crate::store::{Change, Partition, Store};
use crate::undecodable::Undecodable;

/// Called with every error of a list, a watch or a decoded object; the reflector continues all the same
/// (client-go's `WatchErrorHandler`).
pub type WatchErrorHandler = Arc<dyn Fn(&Error) + Send + Sync>;

/// Options of list and watch.
#[derive(Clone)]
pub struct ReflectorOptions {
    /// Restricts the store to objects with matching labels.
    pub label_selector: Option<Str>,
    /// Restricts the store to objects with matching fields.
    pub field_selector: Option<Str>,
    /// Keeps or drops the objects' `managedFields`, often a quarter of an object; dropped by default. An
    /// update of an object without them does not remove them on the server.
    pub managed_fields: ManagedFields,
    /// The page size of lists that are not streamed; by default 500 where the server can page from etcd, as
    /// in client-go.
    pub page_size: Option<u32>,
    /// Requests the first list as a stream of watch events (KEP-3157), which costs the server less memory;
    /// `true` by default. Falls back to a list where the server does not support that.
    pub watch_list: bool,
    /// The longest time without another object in a streamed list before the closing bookmark; 10 s by
    /// default. The reflector then falls back to a list. Changes after the initial objects do not extend it.
    pub bookmark_timeout: Duration,
    /// The shortest duration of a watch, up to doubled at random; 5 minutes by default, as in client-go.
    /// Shorter ones are meant for tests.
    pub min_watch_timeout: Duration,
    /// The time during which a watch that fails with an internal error of the server is retried before a new
    /// list; none by default (client-go's `MaxInternalErrorRetryDuration`).
    pub max_internal_error_retry: Duration,
    /// The delay between attempts; by default 0.8 s to 30 s, up to doubled at random, and reset after two
    /// minutes without a failure.
    pub backoff: ResettingBackoff,
    /// Receives all errors, which are logged by default.
    pub on_error: Option<WatchErrorHandler>,
}

/// The shortest interval between attempts that a waiting caller triggers after a permanent error.
const MIN_EARLY_ATTEMPT_INTERVAL: Duration = Duration::from_secs(1);

/// An upper bound for the server's `Retry-After`.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(3600);

/// The backoff of client-go's reflector.
fn default_backoff() -> ResettingBackoff {
    Backoff {
        duration: Duration::from_millis(800),
        factor: 2.0,
        jitter: 1.0,
        steps: u32::MAX,
        cap: Some(Duration::from_secs(30)),
    }
    .resetting(Duration::from_secs(120))
}

impl Default for ReflectorOptions {
    fn default() -> Self {
        ReflectorOptions {
            label_selector: None,
            field_selector: None,
            managed_fields: ManagedFields::Skip,
            page_size: None,
            watch_list: true,
            bookmark_timeout: Duration::from_secs(10),
            min_watch_timeout: Duration::from_secs(300),
            max_internal_error_retry: Duration::ZERO,
            backoff: default_backoff(),
            on_error: None,
        }
    }
}

impl ReflectorOptions {
    /// Checks the syntax of the selectors.
    fn check(&self) -> Result<(), SourceError> {
        let refuse = |what: &str, selector: &str, error: InvalidSelector| {
            let problem = format!("{what} {selector:?}: {error}");
            SourceError::status(Status::failure(Reason::BadRequest, problem.clone()), None, problem)
        };
        if let Some(labels) = &self.label_selector {
            let parsed = labels.parse::<labels::Selector>();
            parsed.map_err(|error| refuse("label selector", labels, error))?;
        }
        if let Some(fields) = &self.field_selector {
            let parsed = fields.parse::<fields::Selector>();
            parsed.map_err(|error| refuse("field selector", fields, error))?;
        }
        Ok(())
    }
}

impl fmt::Debug for ReflectorOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReflectorOptions")
            .field("label_selector", &self.label_selector)
            .field("field_selector", &self.field_selector)
            .field("managed_fields", &self.managed_fields)
            .field("page_size", &self.page_size)
            .field("watch_list", &self.watch_list)
            .field("min_watch_timeout", &self.min_watch_timeout)
            .field("backoff", &self.backoff)
            .finish_non_exhaustive()
    }
}

/// Keeps a store equal to the server's list: lists, watches, and lists again if the watch cannot continue
/// (client-go's `Reflector`).
///
/// It runs until dropped. Errors go to [`ReflectorOptions::on_error`], and are retried with backoff.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use klient_api::core::v1::Namespace;
/// use klient_apimachinery::Resource as _;
/// use klient_cache::{Keep, Reflector, Store};
/// use klient_client::{Client, Config};
///
/// let server = klient_apiserver::TestServer::start().await?;
/// let client = Client::new(Config::from_kubeconfig(&server.kubeconfig())?)?;
///
/// let store = Store::new(Namespace::INFO, Keep::Packed);
/// let reflector = Reflector::new(client.api::<Namespace>(), store.clone(), Default::default());
/// tokio::spawn(reflector.run());
/// store.wait_for_resource_version("1").await?;
/// assert!(store.contains("kube-system"));
/// # Ok(()) }
/// ```
pub struct Reflector<K> {
    core: ReflectorLoop<K>,
}

impl<K: Wire + Object> Reflector<K> {
    /// A reflector that fills a store from a source.
    pub fn new(source: impl ListWatch<K>, store: Store<K>, options: ReflectorOptions) -> Self {
        let (progress, partition) = (Progress::new(1), Partition::default());
        Reflector { core: ReflectorLoop::new(Arc::new(source), store, partition, progress, options) }
    }

    /// Lists and watches until the future is dropped.
    pub async fn run(self) -> Infallible {
        let mut core = self.core;
        let (queue, store) = (core.queue.clone(), core.store.clone());
        let on_error = core.options.on_error.clone();
        let _guard = FillGuard::start(store.clone());
        let taking = async {
            loop {
                let changes = store.apply(queue.pop_batch().await, &Partition::default());
                undecodable_versions(&changes)
                    .for_each(|version| report_undecodable(on_error.as_ref(), &version.error));
                queue.done();
            }
        };
        tokio::select! {
            never = core.run() => never,
            never = taking => never,
        }
    }
}

impl<K: Wire + Object> fmt::Debug for Reflector<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Reflector").field(&self.core.store).finish()
    }
}

/// Marks a store as being filled, until dropped.
struct FillGuard<K: Wire + Object>(Store<K>);

impl<K: Wire + Object> FillGuard<K> {
    fn start(store: Store<K>) -> Self {
        store.set_stopped(false);
        FillGuard(store)
    }
}

impl<K: Wire + Object> Drop for FillGuard<K> {
    fn drop(&mut self) {
        self.0.set_stopped(true);
    }
}

/// The progress of the partitions of a store.
#[derive(Clone, Debug)]
pub(crate) struct Progress(Arc<tokio::sync::watch::Sender<Vec<PartitionProgress>>>);

#[derive(Clone, Debug, Default)]
pub(crate) struct PartitionProgress {
    pub(crate) has_synced: bool,
    pub(crate) error: Option<Error>,
    /// The number of the attempt that failed with `error`.
    pub(crate) failed: u64,
    /// The number of the latest attempt to list, from 1.
    begun: u64,
    /// The number of the attempt that a caller waits for.
    wanted: u64,
    pub(crate) attempts: u32,
    pub(crate) lists: u64,
    pub(crate) watches: u64,
}

impl Progress {
    pub(crate) fn new(partitions: usize) -> Self {
        Progress(Arc::new(tokio::sync::watch::Sender::new(vec![PartitionProgress::default(); partitions])))
    }

    pub(crate) fn subscribe(&self) -> tokio::sync::watch::Receiver<Vec<PartitionProgress>> {
        self.0.subscribe()
    }

    pub(crate) fn change(&self, partition: &Partition, change: impl FnOnce(&mut PartitionProgress)) {
        self.0.send_modify(|partitions| {
            if let Some(partition) = partitions.get_mut(partition.index) {
                change(partition);
            }
        });
    }

    /// Requests an attempt of each partition that has not synced, and returns the numbers of the latest
    /// attempts.
    pub(crate) fn want_attempt(&self) -> Vec<u64> {
        let mut before = Vec::new();
        self.0.send_modify(|partitions| {
            for partition in partitions {
                before.push(partition.begun);
                if !partition.has_synced {
                    partition.wanted = partition.begun + 1;
                }
            }
        });
        before
    }

    /// Waits until a caller requests another attempt of a partition.
    async fn attempt_wanted(&self, partition: &Partition) {
        let is_wanted = |partition: &PartitionProgress| partition.wanted > partition.begun;
        let mut progress = self.subscribe();
        // The sender cannot be dropped while `self` exists.
        let _ = progress.wait_for(|partitions| partitions.get(partition.index).is_some_and(is_wanted)).await;
    }

    pub(crate) fn partitions(&self) -> Vec<PartitionProgress> {
        self.0.borrow().clone()
    }

    pub(crate) fn has_synced(&self) -> bool {
        self.0.borrow().iter().all(|partition| partition.has_synced)
    }
}

/// Lists and watches one source, and queues the changes.
pub(crate) struct ReflectorLoop<K> {
    source: Arc<dyn ListWatch<K>>,
    pub(crate) store: Store<K>,
    pub(crate) queue: Arc<DeltaQueue<DecodeResult<K>>>,
    pub(crate) partition: Partition,
    progress: Progress,
    options: ReflectorOptions,
    backoff: ResettingBackoff,
    /// The time of the last attempt that a waiting caller triggered.
    last_early_attempt: Option<Instant>,
    /// The resourceVersion of the last list, event or bookmark (client-go's `lastSyncResourceVersion`).
    last_sync_version: Box<str>,
    /// Set if the server answered that it cannot list at that version.
    is_last_version_unavailable: bool,
    /// Set if the server paged a list at version 0, which it does without a watch cache.
    is_paginated: bool,
    /// Cleared when the server refuses a streamed list.
    use_watch_list: bool,
    /// The last logged error; a repetition is logged at debug level.
    last_logged: String,
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
    async fn list_and_watch(&mut self) -> Result<(), SourceError> {
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
    async fn pause(&mut self, least: Option<Duration>) {
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
        let hastened = async {
            self.progress.attempt_wanted(&self.partition).await;
            tokio::time::sleep_until(earliest).await;
        };
        tokio::select! {
            () = pause => {}
            () = hastened => self.last_early_attempt = Some(Instant::now()),
        }
    }

    /// Counts an attempt to list.
    fn begin_attempt(&self) {
        self.progress.change(&self.partition, |partition| partition.begun += 1);
    }

    fn list_options(&self) -> ListOptions {
        ListOptions {
            label_selector: self.options.label_selector.clone(),
            field_selector: self.options.field_selector.clone(),
            managed_fields: self.options.managed_fields,
            ..ListOptions::default()
        }
    }

    fn watch_options(&self) -> WatchOptions {
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
    fn decode(&mut self, encoded: Encoded<K>) -> DecodeResult<K> {
        let made = self.store.decode(encoded);
        self.decode_result(made)
    }

    /// The delta of a decoded object. An object that cannot be decoded is reported after the store has taken
    /// it, which then knows whether it keeps an earlier state; one without a name is reported at once.
    fn decode_result(&mut self, made: Result<Arc<Entry<K>>, Error>) -> DecodeResult<K> {
        let error = match made {
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
    fn collect<T>(&mut self, made: Vec<DecodedObject<K, T>>, mut collect: impl FnMut(DecodeResult<K>, T)) {
        for (made, with) in made {
            collect(self.decode_result(made), with);
        }
    }

    /// Queues a complete list.
    async fn replace(&mut self, entries: Vec<DecodeResult<K>>, version: &str) {
        self.last_sync_version = version.into();
        self.is_last_version_unavailable = false;
        self.queue.push([Delta::Replaced(entries, version.into())]);
        self.queue.wait_for_capacity().await;
    }

    fn report(&mut self, error: &SourceError) {
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

    fn report_error(&mut self, error: &Error) {
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
