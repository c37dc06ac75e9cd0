//! [`Informer`], one watch of a resource that is shared by many consumers.

mod events;
mod lister;
mod registration;

use std::any::Any;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use klient_apimachinery::codec::Wire;
use klient_apimachinery::{BoxFuture, ListWatch, Object, ResourceInfo};
use tokio::task::JoinHandle;

pub use events::Events;
pub use lister::{Lister, NamespaceLister};
use registration::HandlerTask;
pub use registration::ResourceEventHandlerRegistration;

use crate::buffer::{Buffer, Notification};
use crate::decode_result::DecodeResult;
use crate::delta::Delta;
use crate::error::Error;
use crate::handler::{HandlerOptions, ResourceEventHandler};
use crate::index::Indexer;
use crate::informer_set::{AnyInformer, InformerSet};
use crate::reflector::{Progress, ReflectorLoop, ReflectorOptions, report_undecodable, undecodable_versions};
use crate::store::{Change, Keep, Partition, Store, Transform};
use crate::undecodable::Undecodable;

/// Options of an informer.
pub struct InformerOptions<K> {
    /// Selectors, timeouts and backoff of list and watch.
    pub reflector: ReflectorOptions,
    /// The form in which the store keeps objects.
    pub keep: Keep,
    /// A function that changes objects before they are stored.
    pub transform: Option<Transform<K>>,
    /// The period after which handlers receive all objects again as updates, unless they have a period of
    /// their own; none by default.
    pub resync: Option<Duration>,
}

impl<K> Default for InformerOptions<K> {
    fn default() -> Self {
        InformerOptions {
            reflector: ReflectorOptions::default(),
            keep: Keep::default(),
            transform: None,
            resync: None,
        }
    }
}

impl<K> Clone for InformerOptions<K> {
    fn clone(&self) -> Self {
        InformerOptions {
            reflector: self.reflector.clone(),
            keep: self.keep,
            transform: self.transform.clone(),
            resync: self.resync,
        }
    }
}

impl<K> fmt::Debug for InformerOptions<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InformerOptions")
            .field("reflector", &self.reflector)
            .field("keep", &self.keep)
            .field("transform", &self.transform.is_some())
            .field("resync", &self.resync)
            .finish()
    }
}

/// One watch of a resource that is shared by many consumers: it fills a [`Store`] and notifies event handlers
/// of every change (client-go's `SharedInformer`).
///
/// Clones are the same informer. It runs from [`start`](Self::start) for as long as a clone, a [`Lister`], a
/// [`ResourceEventHandlerRegistration`] or [`Events`] of it exists. When the last of them is dropped it
/// stops, together with [detached](ResourceEventHandlerRegistration::detach) handlers. A
/// [factory](crate::InformerFactory) owns the informers that it makes.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use klient_api::core::v1::Namespace;
/// use klient_cache::{Event, Informer};
/// use klient_client::{Client, Config};
///
/// let server = klient_apiserver::TestServer::start().await?;
/// let client = Client::new(Config::from_kubeconfig(&server.kubeconfig())?)?;
///
/// let informer = Informer::new(client.api::<Namespace>(), Default::default());
/// let handler = informer.add_event_handler(|event: Event<Namespace>| println!("{event:?}"));
/// informer.start();
/// informer.wait_for_sync().await?;
/// handler.wait_for_sync().await?;
/// assert!(informer.store().contains("kube-system"));
/// # Ok(()) }
/// ```
pub struct Informer<K: Wire + Object>(pub(crate) Arc<InformerHandle<K>>);

/// The state behind all handles of an informer. Dropping the last handle stops the informer.
pub(crate) struct InformerHandle<K: Wire + Object> {
    shared: Arc<Shared<K>>,
    sources: Vec<Arc<dyn ListWatch<K>>>,
    reflector: ReflectorOptions,
    running: Mutex<Vec<JoinHandle<()>>>,
    /// Handlers that live as long as the informer.
    detached: Mutex<Vec<HandlerTask<K>>>,
    /// The set of informers of the factory that made this one.
    factory: OnceLock<Weak<Mutex<InformerSet>>>,
}

/// State that is shared by the informer's handles and its tasks.
struct Shared<K> {
    store: Store<K>,
    progress: Progress,
    resync: Option<Duration>,
    /// Locked while the store changes, so that a handler that joins gets every change once.
    handlers: Mutex<Vec<Arc<Listener<K>>>>,
    phase: tokio::sync::watch::Sender<Phase>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    New,
    Running,
    Stopped,
    /// Made by a factory that had been shut down, and never started.
    ShutDown,
}

/// The result of applying deltas: the changes, and the listeners that were notified of them.
struct Applied<K> {
    changes: Arc<[Change<K>]>,
    handlers: Vec<Arc<Listener<K>>>,
}

/// An event handler as the informer sees it (client-go's `processorListener`).
struct Listener<K> {
    buffer: Arc<Buffer<K>>,
    has_synced: tokio::sync::watch::Sender<bool>,
    /// Set when `Synced` was pushed to the buffer.
    is_past_sync: AtomicBool,
}

impl<K: Wire + Object> Informer<K> {
    /// An informer of one source. It does nothing before [`start`](Self::start).
    #[must_use = "the informer stops when nobody holds it"]
    pub fn new(source: impl ListWatch<K>, options: InformerOptions<K>) -> Self {
        Self::from_sources(vec![Arc::new(source)], options)
    }

    /// An informer of several sources, such as handles to several namespaces, that fill one store.
    ///
    /// # Panics
    ///
    /// If `sources` is empty.
    #[must_use = "the informer stops when nobody holds it"]
    pub fn from_sources(sources: Vec<Arc<dyn ListWatch<K>>>, options: InformerOptions<K>) -> Self {
        let resource = sources.first().expect("an informer needs a source").resource().clone();
        let InformerOptions { reflector, keep, transform, resync } = options;
        let shared = Arc::new(Shared {
            store: Store::with_partitions(resource, keep, transform, sources.len()),
            progress: Progress::new(sources.len()),
            resync,
            handlers: Mutex::default(),
            phase: tokio::sync::watch::Sender::new(Phase::New),
        });
        Informer(Arc::new(InformerHandle {
            shared,
            sources,
            reflector,
            running: Mutex::default(),
            detached: Mutex::default(),
            factory: OnceLock::new(),
        }))
    }

    /// The resource that the informer watches.
    pub fn resource(&self) -> &ResourceInfo {
        self.0.shared.store.resource()
    }

    /// Starts to list and watch, unless the informer runs already. After [`stop`](Self::stop) it starts again
    /// with the contents of its store, and has synced once it has listed again.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn start(&self) {
        self.0.run();
        self.0.with_factory(|informers| informers.hold(self.0.clone()));
    }

    /// Stops the informer and returns when its tasks have ended. The contents of the store stay. The factory
    /// that made the informer releases it.
    pub async fn stop(&self) {
        self.0.with_factory(|informers| informers.release(&*self.0));
        self.0.end().await;
    }

    /// The store that the informer fills. It does not keep the informer running; a [`Lister`] does.
    pub fn store(&self) -> &Store<K> {
        &self.0.shared.store
    }

    /// Read access to the store that keeps the informer running.
    #[must_use]
    pub fn lister(&self) -> Lister<K> {
        Lister::new(self.0.clone())
    }

    /// Adds an indexer to the store: see [`Store::add_indexer`].
    ///
    /// # Errors
    ///
    /// If the store has an index of that name.
    pub fn add_indexer(&self, name: &str, indexer: Indexer<K>) -> Result<(), Error> {
        self.store().add_indexer(name, indexer)
    }

    /// Adds an event handler, before or after [`start`](Self::start). It first receives all objects of the
    /// store as added. Dropping the registration removes the handler.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn add_event_handler(
        &self,
        handler: impl ResourceEventHandler<K>,
    ) -> ResourceEventHandlerRegistration<K> {
        self.add_event_handler_with(HandlerOptions::default(), handler)
    }

    /// Adds an event handler with options: see [`add_event_handler`](Self::add_event_handler).
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn add_event_handler_with(
        &self,
        options: HandlerOptions,
        handler: impl ResourceEventHandler<K>,
    ) -> ResourceEventHandlerRegistration<K> {
        let resync = options.resync;
        ResourceEventHandlerRegistration::start(
            self.0.clone(),
            self.0.shared.add_listener(&options),
            resync,
            handler,
        )
    }

    /// The events as a stream, for consumers that await between events.
    pub fn events(&self) -> Events<K> {
        self.events_with(HandlerOptions::default())
    }

    /// The events as a stream, with options of its own.
    pub fn events_with(&self, options: HandlerOptions) -> Events<K> {
        let resync = options.resync;
        Events::new(self.0.clone(), self.0.shared.add_listener(&options), resync)
    }

    /// `true` once the first list of every source is in the store.
    pub fn has_synced(&self) -> bool {
        self.0.shared.progress.has_synced()
    }

    /// Waits until the first list of every source is in the store (client-go's `WaitForCacheSync`). Cancel
    /// safe.
    ///
    /// # Errors
    ///
    /// A permanent error of a list ([`is_permanent`](Error::is_permanent)), such as 403 or 404, an invalid
    /// selector, or a certificate that is not trusted, as soon as it occurs; the informer keeps retrying all
    /// the same. Errors of attempts before the call do not count: the call triggers another attempt, at most
    /// one a second, and returns its outcome. An error if the informer is not running.
    ///
    /// Other errors are retried without limit: use [`tokio::time::timeout`] and
    /// [`last_error`](Self::last_error).
    pub async fn wait_for_sync(&self) -> Result<(), Error> {
        self.0.wait_for_sync().await
    }

    /// The last error of list or watch, if nothing has succeeded since; otherwise the error of an object that
    /// cannot be decoded, if there is one. [`Store::undecodables`] has all such objects.
    pub fn last_error(&self) -> Option<Error> {
        AnyInformer::last_error(&*self.0)
    }

    /// Figures of the informer since it was made.
    pub fn metrics(&self) -> InformerMetrics {
        let partitions = self.0.shared.progress.partitions();
        let handlers = self.0.shared.handlers();
        InformerMetrics {
            objects: self.store().len(),
            lists: partitions.iter().map(|partition| partition.lists).sum(),
            watches: partitions.iter().map(|partition| partition.watches).sum(),
            resource_version: self.store().resource_version(),
            pending_events: handlers.iter().map(|listener| listener.buffer.depth()).collect(),
            undecodable: self.store().undecodables(),
        }
    }
}

/// Figures of an informer since it was made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct InformerMetrics {
    /// The number of objects in the store.
    pub objects: usize,
    /// The number of complete lists.
    pub lists: u64,
    /// The number of watches that were started.
    pub watches: u64,
    /// The resourceVersion that the store has reached; empty before the first list.
    pub resource_version: Box<str>,
    /// The number of events that are queued for each handler.
    pub pending_events: Vec<usize>,
    /// The object versions that cannot be decoded.
    pub undecodable: Vec<Arc<Undecodable>>,
}

impl<K: Wire + Object> Clone for Informer<K> {
    fn clone(&self) -> Self {
        Informer(self.0.clone())
    }
}

impl<K: Wire + Object> fmt::Debug for Informer<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Informer({:?}, {:?})", self.store(), self.0.shared.phase())
    }
}

impl<K: Wire + Object> InformerHandle<K> {
    pub(crate) fn run(&self) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if self.shared.phase() == Phase::ShutDown {
            return;
        }
        if running.iter().any(|task| !task.is_finished()) {
            return;
        }
        // The store's contents are outdated until the next list.
        for index in 0..self.sources.len() {
            let partition = Partition { index, namespace: None };
            self.shared
                .progress
                .change(&partition, |partition| (partition.has_synced, partition.error) = (false, None));
        }
        self.shared.set_phase(Phase::Running);
        *running = (self.sources.iter().enumerate())
            .map(|(index, source)| {
                let partition = Partition { index, namespace: source.within().map(Into::into) };
                let (source, shared) = (source.clone(), self.shared.clone());
                let options = self.reflector.clone();
                tokio::spawn(async move {
                    let _guard = PanicGuard(shared.clone());
                    run_partition(source, shared, partition, options).await;
                })
            })
            .collect();
    }

    async fn end(&self) {
        let tasks = std::mem::take(&mut *self.running.lock().unwrap_or_else(PoisonError::into_inner));
        self.shared.set_phase(Phase::Stopped);
        for task in tasks {
            task.abort();
            // Cancelled, or ended before.
            let _ = task.await;
        }
        let detached = std::mem::take(&mut *self.detached.lock().unwrap_or_else(PoisonError::into_inner));
        for task in detached {
            task.end().await;
        }
    }

    pub(crate) async fn wait_for_sync(&self) -> Result<(), Error> {
        let resource = self.shared.store.resource();
        let mut progress = self.shared.progress.subscribe();
        let mut phase = self.shared.phase.subscribe();
        // Errors of attempts before this call do not count.
        let before = self.shared.progress.want_attempt();
        loop {
            match *phase.borrow_and_update() {
                Phase::New => return Err(Error::not_started(resource)),
                Phase::Stopped => return Err(Error::stopped(resource)),
                Phase::ShutDown => return Err(Error::shut_down(resource)),
                Phase::Running => {}
            }
            {
                let partitions = progress.borrow_and_update();
                if partitions.iter().all(|partition| partition.has_synced) {
                    return Ok(());
                }
                let failed =
                    partitions.iter().zip(&before).filter(|(partition, before)| partition.failed > **before);
                let mut errors = failed
                    .filter(|(partition, _)| !partition.has_synced)
                    .filter_map(|(partition, _)| partition.error.as_ref());
                if let Some(error) = errors.find(|error| error.is_permanent()) {
                    return Err(error.clone());
                }
            }
            tokio::select! {
                _ = progress.changed() => {}
                _ = phase.changed() => {}
            }
        }
    }

    /// Keeps a handler for as long as the informer exists.
    fn detach(&self, task: HandlerTask<K>) {
        self.detached.lock().unwrap_or_else(PoisonError::into_inner).push(task);
    }

    pub(crate) fn set_factory(&self, factory: &Arc<Mutex<InformerSet>>) {
        // Set once, because one factory makes the informer.
        let _ = self.factory.set(Arc::downgrade(factory));
    }

    /// Calls `change` with the informers of the factory, if the informer belongs to a factory that still
    /// exists.
    fn with_factory(&self, change: impl FnOnce(&mut InformerSet)) {
        if let Some(factory) = self.factory.get().and_then(Weak::upgrade) {
            change(&mut factory.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }

    /// Marks an informer that a factory makes after its shutdown.
    pub(crate) fn set_shut_down(&self) {
        self.shared.set_phase(Phase::ShutDown);
    }
}

impl<K: Wire + Object> AnyInformer for InformerHandle<K> {
    fn run(&self) {
        InformerHandle::run(self);
    }

    fn end(&self) -> BoxFuture<'_, ()> {
        Box::pin(InformerHandle::end(self))
    }

    fn resource(&self) -> &ResourceInfo {
        self.shared.store.resource()
    }

    fn has_synced(&self) -> bool {
        self.shared.progress.has_synced()
    }

    fn last_error(&self) -> Option<Error> {
        let of_source = self.shared.progress.partitions().into_iter().find_map(|partition| partition.error);
        of_source.or_else(|| Some(self.shared.store.undecodables().first()?.error.clone()))
    }

    fn wait_for_sync(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(InformerHandle::wait_for_sync(self))
    }

    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}

impl<K: Wire + Object> Drop for InformerHandle<K> {
    fn drop(&mut self) {
        let running = self.running.get_mut().unwrap_or_else(PoisonError::into_inner);
        running.iter().for_each(JoinHandle::abort);
        self.shared.set_phase(Phase::Stopped);
    }
}

impl<K> Shared<K> {
    fn handlers(&self) -> MutexGuard<'_, Vec<Arc<Listener<K>>>> {
        self.handlers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn phase(&self) -> Phase {
        *self.phase.borrow()
    }
}

impl<K: Wire + Object> Shared<K> {
    fn set_phase(&self, phase: Phase) {
        self.store.set_stopped(matches!(phase, Phase::Stopped | Phase::ShutDown));
        self.phase.send_replace(phase);
    }

    /// Adds a listener whose buffer begins with the objects of the store.
    fn add_listener(&self, options: &HandlerOptions) -> Arc<Listener<K>> {
        let mut handlers = self.handlers();
        let listener = Arc::new(Listener {
            buffer: Arc::new(Buffer::new(options.buffer, options.overflow)),
            has_synced: tokio::sync::watch::Sender::new(false),
            is_past_sync: false.into(),
        });
        let (snapshot, undecodables) = self.store.snapshot_and_undecodables();
        if !snapshot.is_empty() {
            listener.buffer.push(Notification::Initial(snapshot));
        }
        if !undecodables.is_empty() {
            listener.buffer.push(Notification::Changes(undecodables.into(), true));
        }
        if self.progress.has_synced() {
            listener.is_past_sync.store(true, Ordering::Relaxed);
            listener.buffer.push(Notification::Synced);
        }
        handlers.push(listener.clone());
        listener
    }

    fn remove_listener(&self, listener: &Arc<Listener<K>>) {
        self.handlers().retain(|other| !Arc::ptr_eq(other, listener));
        listener.buffer.close();
    }

    /// Queues all objects of the store as updates for one listener.
    fn resync(&self, listener: &Listener<K>) {
        // Locked, so that no older change is queued behind the snapshot.
        let _handlers = self.handlers();
        listener.buffer.push(Notification::Resync(self.store.snapshot()));
    }

    /// Applies deltas to the store and queues the resulting changes for all listeners.
    fn apply(&self, deltas: Vec<Delta<DecodeResult<K>>>, partition: &Partition) -> Applied<K> {
        let brings_list = deltas.iter().any(|delta| matches!(delta, Delta::Replaced(..)));
        let handlers = self.handlers();
        let was_synced = self.progress.has_synced();
        let changes: Arc<[Change<K>]> = self.store.apply(deltas, partition).into();
        if !changes.is_empty() {
            for listener in handlers.iter() {
                let is_initial = !listener.is_past_sync.load(Ordering::Relaxed);
                listener.buffer.push(Notification::Changes(changes.clone(), is_initial));
            }
        }
        if brings_list {
            self.progress.change(partition, |partition| partition.has_synced = true);
        }
        if !was_synced && self.progress.has_synced() {
            for listener in handlers.iter() {
                if !listener.is_past_sync.swap(true, Ordering::Relaxed) {
                    listener.buffer.push(Notification::Synced);
                }
            }
        }
        Applied { changes, handlers: handlers.clone() }
    }
}

/// Marks the informer as stopped if its task panics, such as in an error handler, so that waiting callers
/// return.
struct PanicGuard<K: Wire + Object>(Arc<Shared<K>>);

impl<K: Wire + Object> Drop for PanicGuard<K> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!("an informer's task panicked; the informer has stopped");
            self.0.set_phase(Phase::Stopped);
        }
    }
}

/// Runs the reflector of one source, and applies its deltas, until dropped.
async fn run_partition<K: Wire + Object>(
    source: Arc<dyn ListWatch<K>>,
    shared: Arc<Shared<K>>,
    partition: Partition,
    options: ReflectorOptions,
) {
    let on_error = options.on_error.clone();
    let mut core =
        ReflectorLoop::new(source, shared.store.clone(), partition.clone(), shared.progress.clone(), options);
    let queue = core.queue.clone();
    let task = async {
        loop {
            let Applied { changes, handlers } = shared.apply(queue.pop_batch().await, &partition);
            undecodable_versions(&changes)
                .for_each(|version| report_undecodable(on_error.as_ref(), &version.error));
            drop(changes);
            for listener in handlers {
                listener.buffer.wait_for_capacity().await;
            }
            queue.done();
        }
    };
    tokio::select! {
        never = core.run() => match never {},
        () = task => {}
    }
}
