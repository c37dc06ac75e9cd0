//! [`InformerHandle`], the state behind all handles of an informer, and its tasks.

use std::any::Any;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use klient_apimachinery::codec::Wire;
use klient_apimachinery::{BoxFuture, ListWatch, Map, Object, ObjectKey, ResourceInfo, Str};
use tokio::task::JoinHandle;

use super::handler_task::HandlerTask;
use super::options::InformerOptions;
use super::selection::Selection;
use super::shared::{Applied, Phase, Shared};
use crate::error::Error;
use crate::informer_set::{AnyInformer, InformerSet};
use crate::reflector::{ReflectorLoop, ReflectorOptions, report_undecodable, undecodable_versions};
use crate::store::{Partition, Store};

/// The state behind all handles of an informer. Dropping the last handle stops the informer.
pub(crate) struct InformerHandle<K: Wire + Object> {
    pub(super) shared: Arc<Shared<K>>,
    sources: Vec<Arc<dyn ListWatch<K>>>,
    reflector: ReflectorOptions,
    selection: Selection,
    running: Mutex<Vec<JoinHandle<()>>>,
    /// Handlers that live as long as the informer.
    detached: Mutex<Vec<HandlerTask<K>>>,
    /// The set of informers of the factory that made this one.
    factory: OnceLock<Weak<Mutex<InformerSet>>>,
}

impl<K: Wire + Object> InformerHandle<K> {
    /// The state of an informer that has not started. Panics if there is no source.
    pub(super) fn new(sources: Vec<Arc<dyn ListWatch<K>>>, options: InformerOptions<K>) -> Self {
        let resource = sources.first().expect("an informer needs a source").resource().clone();
        let InformerOptions { reflector, keep, transform, resync } = options;
        let store = Store::with_partitions(resource, keep, transform, sources.len());
        InformerHandle {
            shared: Arc::new(Shared::new(store, sources.len(), resync)),
            sources,
            selection: Selection::new(&reflector),
            reflector,
            running: Mutex::default(),
            detached: Mutex::default(),
            factory: OnceLock::new(),
        }
    }

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

    pub(super) async fn end(&self) {
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

    /// Returns false if neither sources nor selectors include an object.
    pub(super) fn may_receive(&self, key: &ObjectKey, labels: Option<&Map<Str>>) -> bool {
        (0..self.sources.len()).any(|index| self.lists(index, key.namespace()))
            && self.selection.may_include(key, labels)
    }

    /// Returns true if a source lists a namespace; `None` is that of cluster-scoped objects.
    pub(super) fn lists(&self, index: usize, namespace: Option<&str>) -> bool {
        self.sources
            .get(index)
            .is_some_and(|source| source.within().is_none_or(|within| namespace == Some(within)))
    }

    pub(super) fn servers(&self) -> impl Iterator<Item = Option<&str>> {
        self.sources.iter().map(|source| source.server())
    }

    pub(super) async fn stopped(&self) {
        let mut phase = self.shared.phase.subscribe();
        // The sender lives as long as `self`.
        let _ = phase.wait_for(|phase| *phase != Phase::Running).await;
    }

    /// Keeps a handler for as long as the informer exists.
    pub(super) fn detach(&self, task: HandlerTask<K>) {
        self.detached.lock().unwrap_or_else(PoisonError::into_inner).push(task);
    }

    pub(crate) fn set_factory(&self, factory: &Arc<Mutex<InformerSet>>) {
        // Set once, because one factory makes the informer.
        let _ = self.factory.set(Arc::downgrade(factory));
    }

    /// Calls `change` with the informers of the factory, if the informer belongs to a factory that still
    /// exists.
    pub(super) fn with_factory(&self, change: impl FnOnce(&mut InformerSet)) {
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
