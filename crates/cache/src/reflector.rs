//! [`Reflector`], which keeps a store as the server's list is.

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

/// What is told of everything that goes wrong while a resource is followed. It goes on all the same.
pub type WatchErrorHandler = Arc<dyn Fn(&Error) + Send + Sync>;

/// How a resource is followed.
#[derive(Clone)]
pub struct ReflectorOptions {
    /// Only objects with these labels.
    pub label_selector: Option<Str>,
    /// Only objects with these field values.
    pub field_selector: Option<Str>,
    /// Whether the objects' `managedFields` are kept. They are a quarter of many objects, and few programs look at
    /// them; by default they are dropped. An update of an object without them leaves them as they are on the server.
    pub managed_fields: ManagedFields,
    /// How many objects are asked for at once, where lists are not streamed.
    pub page_size: Option<u32>,
    /// Whether the first objects come through a watch (KEP-3157), which is easier for the server, and in lists only
    /// where it does not offer that.
    pub watch_list: bool,
    /// How long a streamed list may bring no more objects before its end; then it is asked for in one piece. What
    /// changes meanwhile does not count.
    pub bookmark_timeout: Duration,
    /// How long watches last at least; at random up to twice as long. Less than five minutes is for tests.
    pub min_watch_timeout: Duration,
    /// For how long watches that fail inside the server are tried again before everything is listed anew.
    pub max_internal_error_retry: Duration,
    /// How long to wait before trying again; by default 0.8 s to 30 s, with as much again by chance, and from the
    /// beginning after two minutes of peace.
    pub backoff: ResettingBackoff,
    /// Is told of everything that goes wrong; by default it is logged.
    pub on_error: Option<WatchErrorHandler>,
}

/// Attempts that somebody waits for, after an error that lasts, are made at most so often.
const MIN_EARLY_ATTEMPT_INTERVAL: Duration = Duration::from_secs(1);

/// However long a server asks to be left alone.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(3600);

/// As client-go's reflector.
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
    /// Whether the selectors make sense.
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

/// Keeps a store as the server's list is: lists, watches, and lists anew where a watch cannot go on.
///
/// It never gives up. What goes wrong is told to [`ReflectorOptions::on_error`], and tried again after a pause.
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
    /// A reflector that will fill a store from a source.
    pub fn new(source: impl ListWatch<K>, store: Store<K>, options: ReflectorOptions) -> Self {
        let (progress, partition) = (Progress::new(1), Partition::default());
        Reflector { core: ReflectorLoop::new(Arc::new(source), store, partition, progress, options) }
    }

    /// Fills the store for as long as it is polled.
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

/// Says of a store that something fills it, for as long as it is there.
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

/// How far the parts of a store are.
#[derive(Clone, Debug)]
pub(crate) struct Progress(Arc<tokio::sync::watch::Sender<Vec<PartitionProgress>>>);

#[derive(Clone, Debug, Default)]
pub(crate) struct PartitionProgress {
    pub(crate) has_synced: bool,
    pub(crate) error: Option<Error>,
    /// The number of the attempt that the error is of.
    pub(crate) failed: u64,
    /// The number of the last attempt to list that was begun, from 1.
    begun: u64,
    /// The number of the attempt whose outcome somebody waits for.
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

    /// Asks for an attempt of each part that has not synced, and gives the numbers of the attempts begun before.
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

    /// Waits until somebody asks for another attempt of a part.
    async fn attempt_wanted(&self, partition: &Partition) {
        let is_wanted = |partition: &PartitionProgress| partition.wanted > partition.begun;
        let mut progress = self.subscribe();
        // The sender is held by this.
        let _ = progress.wait_for(|partitions| partitions.get(partition.index).is_some_and(is_wanted)).await;
    }

    pub(crate) fn partitions(&self) -> Vec<PartitionProgress> {
        self.0.borrow().clone()
    }

    pub(crate) fn has_synced(&self) -> bool {
        self.0.borrow().iter().all(|partition| partition.has_synced)
    }
}

/// Follows one source into a queue.
pub(crate) struct ReflectorLoop<K> {
    source: Arc<dyn ListWatch<K>>,
    pub(crate) store: Store<K>,
    pub(crate) queue: Arc<DeltaQueue<DecodeResult<K>>>,
    pub(crate) partition: Partition,
    progress: Progress,
    options: ReflectorOptions,
    backoff: ResettingBackoff,
    /// The time of the last attempt that was made early, for a waiting caller.
    last_early_attempt: Option<Instant>,
    /// The last version that was seen.
    last_sync_version: Box<str>,
    /// The last version cannot be listed from.
    is_last_version_unavailable: bool,
    /// The server gave a list in pages although it was asked for what it has at hand.
    is_paginated: bool,
    /// The server streams lists, as far as is known.
    use_watch_list: bool,
    /// What was last logged, so that the same is not logged again and again.
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
        // What the store holds already must not go back to an earlier state.
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

    /// Follows the source, for as long as it is polled.
    pub(crate) async fn run(&mut self) -> Infallible {
        if let Err(error) = self.options.check() {
            // It makes no sense to any server.
            self.report(&error);
            // There is no next attempt.
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

    /// Lists, and watches until all must be listed anew.
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

    /// Waits before the next try, and at least as long as the server asks, but for what no server means. After an error
    /// that lasts, one who waits for the outcome of another try cuts it short.
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

    /// Begins an attempt to list.
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

    /// Makes of an object what is stored; one that cannot be decoded is reported.
    fn decode(&mut self, encoded: Encoded<K>) -> DecodeResult<K> {
        let made = self.store.decode(encoded);
        self.decode_result(made)
    }

    /// The delta of a decoded object. An object that cannot be decoded is reported after the store has taken it, which then
    /// knows whether it keeps an earlier state; one without a name is reported at once.
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

    /// Keeps what has been made of objects, in their order.
    fn collect<T>(&mut self, made: Vec<DecodedObject<K, T>>, mut collect: impl FnMut(DecodeResult<K>, T)) {
        for (made, with) in made {
            collect(self.decode_result(made), with);
        }
    }

    /// Says that all objects are these.
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

/// Reports an object that cannot be decoded.
pub(crate) fn report_undecodable(on_error: Option<&WatchErrorHandler>, error: &Error) {
    match on_error {
        Some(on_error) => on_error(error),
        None => {
            let object = error.undecodable_object().map(ToString::to_string).unwrap_or_default();
            tracing::warn!(object, field = error.field(), "{error}");
        }
    }
}
