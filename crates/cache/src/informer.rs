//! [`Informer`], one watch for all who want to know of a resource.

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

/// How an informer works.
pub struct InformerOptions<K> {
    /// How the resource is followed.
    pub reflector: ReflectorOptions,
    /// How objects are kept.
    pub keep: Keep,
    /// Changes objects before they are stored.
    pub transform: Option<Transform<K>>,
    /// How often handlers are told all objects again, if they do not say themselves; by default never.
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

/// One watch for all who want to know of a resource: it fills a [`Store`] and tells handlers of every change.
///
/// Clones are the same informer. It works from [`start`](Self::start) on, for as long as somebody holds a clone, a
/// [`Lister`], a [`ResourceEventHandlerRegistration`] or [`Events`] of it; when the last is dropped it stops, and with it the handlers that
/// were [detached](ResourceEventHandlerRegistration::detach). A [factory](crate::InformerFactory) holds those that it makes.
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

/// An informer that is used. When nobody does any more, it stops.
pub(crate) struct InformerHandle<K: Wire + Object> {
    shared: Arc<Shared<K>>,
    sources: Vec<Arc<dyn ListWatch<K>>>,
    reflector: ReflectorOptions,
    running: Mutex<Vec<JoinHandle<()>>>,
    /// Handlers that stay for as long as the informer does.
    detached: Mutex<Vec<HandlerTask<K>>>,
    /// The informers of the factory that made it.
    factory: OnceLock<Weak<Mutex<InformerSet>>>,
}

/// What an informer's tasks share with those who use it.
struct Shared<K> {
    store: Store<K>,
    progress: Progress,
    resync: Option<Duration>,
    /// Held while the store changes, so that whoever joins misses nothing and is told nothing twice.
    handlers: Mutex<Vec<Arc<Listener<K>>>>,
    phase: tokio::sync::watch::Sender<Phase>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    New,
    Running,
    Stopped,
    /// The factory that made it was shut down before, so that it will not be started.
    ShutDown,
}

/// Changes that the store has taken, and the handlers that were told of them.
struct Applied<K> {
    changes: Arc<[Change<K>]>,
    handlers: Vec<Arc<Listener<K>>>,
}

/// A handler, as the informer knows it.
struct Listener<K> {
    buffer: Arc<Buffer<K>>,
    has_synced: tokio::sync::watch::Sender<bool>,
    /// The handler was told that the first list is complete, or will be.
    is_past_sync: AtomicBool,
}

impl<K: Wire + Object> Informer<K> {
    /// An informer of a source. It does nothing before it is started.
    #[must_use = "the informer stops when nobody holds it"]
    pub fn new(source: impl ListWatch<K>, options: InformerOptions<K>) -> Self {
        Self::from_sources(vec![Arc::new(source)], options)
    }

    /// An informer of several sources, such as the handles to several namespaces, in one store.
    ///
    /// # Panics
    ///
    /// If there is no source.
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

    /// The resource it follows.
    pub fn resource(&self) -> &ResourceInfo {
        self.0.shared.store.resource()
    }

    /// Starts to follow the resource, unless it does already. One that was stopped starts again, with what its store
    /// holds, and has synced when it has listed anew.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn start(&self) {
        self.0.run();
        self.0.with_factory(|informers| informers.hold(self.0.clone()));
    }

    /// Stops, and returns when all its tasks have ended. What the store holds stays. A factory that made the informer
    /// lets go of it.
    pub async fn stop(&self) {
        self.0.with_factory(|informers| informers.release(&*self.0));
        self.0.end().await;
    }

    /// The objects. The store does not keep the informer running; a [`Lister`] does.
    pub fn store(&self) -> &Store<K> {
        &self.0.shared.store
    }

    /// A way to read the objects that keeps the informer running.
    #[must_use]
    pub fn lister(&self) -> Lister<K> {
        Lister::new(self.0.clone())
    }

    /// Adds an indexer to the store: see [`Store::add_indexer`].
    ///
    /// # Errors
    ///
    /// If there is an index of that name.
    pub fn add_indexer(&self, name: &str, indexer: Indexer<K>) -> Result<(), Error> {
        self.store().add_indexer(name, indexer)
    }

    /// Adds a handler, now or at any time. It is first told of all objects that are there. It is removed when what is
    /// returned is dropped.
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

    /// Adds a handler that is told in a way of its own: see [`add_event_handler`](Self::add_event_handler).
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

    /// The events as a stream, for those who want to wait for something between them.
    pub fn events(&self) -> Events<K> {
        self.events_with(HandlerOptions::default())
    }

    /// The events as a stream, in a way of its own.
    pub fn events_with(&self, options: HandlerOptions) -> Events<K> {
        let resync = options.resync;
        Events::new(self.0.clone(), self.0.shared.add_listener(&options), resync)
    }

    /// Whether all objects that were there at first are in the store.
    pub fn has_synced(&self) -> bool {
        self.0.shared.progress.has_synced()
    }

    /// Waits until all objects that were there at first are in the store.
    ///
    /// # Errors
    ///
    /// As soon as a list fails for good ([`is_permanent`](Error::is_permanent)), such as for a resource that the server
    /// does not know or one may not list, a selector that makes no sense, or a certificate that is not trusted; the
    /// informer nevertheless tries again. An error that was there before says nothing: a wait asks for another attempt, which
    /// is made at once, though not more than once in a second, and tells what that comes to. And if the informer is not
    /// running. What may pass is waited for: limit the time with [`tokio::time::timeout`], and ask
    /// [`last_error`](Self::last_error).
    pub async fn wait_for_sync(&self) -> Result<(), Error> {
        self.0.wait_for_sync().await
    }

    /// What went wrong last, if nothing has gone right since; else why an object cannot be decoded, if there is such
    /// a one: [`Store::undecodables`] has all of them.
    pub fn last_error(&self) -> Option<Error> {
        AnyInformer::last_error(&*self.0)
    }

    /// What the informer has done so far.
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

/// What an informer has done so far.
#[derive(Clone, Debug)]
pub struct InformerMetrics {
    /// How many objects its store holds.
    pub objects: usize,
    /// How often all objects were listed.
    pub lists: u64,
    /// How often a watch was begun.
    pub watches: u64,
    /// Up to which version changes were taken.
    pub resource_version: Box<str>,
    /// How many events wait for each handler.
    pub pending_events: Vec<usize>,
    /// The versions of objects that the server holds and that cannot be decoded.
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
        // What is there is of another time; only the next list says what is there now.
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
            // It was aborted, or had ended before.
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
        // What earlier attempts came to is over.
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

    /// Lets a handler stay for as long as the informer does.
    fn detach(&self, task: HandlerTask<K>) {
        self.detached.lock().unwrap_or_else(PoisonError::into_inner).push(task);
    }

    pub(crate) fn set_factory(&self, factory: &Arc<Mutex<InformerSet>>) {
        // It is made by one factory, and once.
        let _ = self.factory.set(Arc::downgrade(factory));
    }

    /// Changes what the factory that made it holds, if one did and is still there.
    fn with_factory(&self, change: impl FnOnce(&mut InformerSet)) {
        if let Some(factory) = self.factory.get().and_then(Weak::upgrade) {
            change(&mut factory.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }

    /// Says that the factory that made it was shut down before.
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

    /// Lets one more be told, first of what is there.
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

    /// Tells one of all objects once more.
    fn resync(&self, listener: &Listener<K>) {
        // Held so that nothing older waits behind the snapshot.
        let _handlers = self.handlers();
        listener.buffer.push(Notification::Resync(self.store.snapshot()));
    }

    /// Takes changes, and tells the handlers what they came to.
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

/// Tells those who wait if a task ends by a panic, such as one of an error handler.
struct PanicGuard<K: Wire + Object>(Arc<Shared<K>>);

impl<K: Wire + Object> Drop for PanicGuard<K> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!("an informer's task panicked; the informer has stopped");
            self.0.set_phase(Phase::Stopped);
        }
    }
}

/// Follows a source for as long as it is polled.
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
