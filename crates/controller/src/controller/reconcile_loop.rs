//! [`ReconcileLoop`], a controller without its types.

mod sharded;
mod worker;

use std::pin::pin;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use klient_apimachinery::{BoxFuture, ObjectKey, ResourceInfo};
use klient_client::BoxError;
use klient_workqueue::{AddOptions, Queue, RateLimiter};
use tokio::sync::{RwLock, watch};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use super::action::Action;
use super::attempt::{BLOCKS_AFTER, Worker};
use super::errors;
use super::metrics::{ControllerMetrics, Meters, observed, queue_ended, queue_in_progress};
use super::own_writes::OwnWrites;
use super::running_name::RunningName;
use super::watch::{LOW_PRIORITY, Registration, Watch};
use crate::error::Error;
use crate::leader_election::Leadership;
use crate::sharding::Sharding;
use worker::work;

/// The time that reconciles have to end after they were cancelled, before the run ends without them.
const CANCELLED_WITHIN: Duration = Duration::from_secs(1);

/// A reconciler of keys.
pub(super) type Reconcile =
    Arc<dyn Fn(ObjectKey) -> BoxFuture<'static, Result<Action, BoxError>> + Send + Sync>;

/// The keys, of those that a function selects, of the objects of the controller's kind that its predicate passes.
type PassingKeys = Box<dyn Fn(&dyn Fn(&ObjectKey) -> bool, &Meters) -> Vec<ObjectKey> + Send + Sync>;

/// The options of a controller.
pub(super) struct Options {
    pub(super) name: Arc<str>,
    pub(super) workers: usize,
    pub(super) limiter: Arc<dyn RateLimiter<ObjectKey>>,
    pub(super) reconcile_timeout: Option<Duration>,
    pub(super) sync_timeout: Duration,
    pub(super) shutdown_timeout: Duration,
    pub(super) own_writes_timeout: Duration,
    pub(super) sharding: Option<Sharding>,
}

/// A controller without its types.
pub(super) struct ReconcileLoop {
    pub(super) options: Options,
    pub(super) reconcile: Reconcile,
    pub(super) own_writes: Arc<OwnWrites>,
    pub(super) meters: Arc<Meters>,
    watches: Arc<[Box<dyn Watch>]>,
    /// The keys of all objects of the controller's kind.
    keys: Box<dyn Fn() -> Vec<ObjectKey> + Send + Sync>,
    passing_keys: PassingKeys,
    /// The queue of the present run.
    queue: Mutex<Option<Queue<ObjectKey>>>,
    /// Read-locked by each worker: those of a run that was dropped may still be about to end.
    exclusive: Arc<RwLock<()>>,
    /// The last assignment of keys that the caches have caught up with.
    caught_up: AtomicU64,
    /// Held by the one who waits for that.
    catching_up: tokio::sync::Mutex<()>,
    /// The workers of the last run, which may still be about to end.
    workers: Mutex<Vec<Arc<Worker>>>,
}

impl ReconcileLoop {
    pub(super) fn new(
        options: Options,
        watches: Vec<Box<dyn Watch>>,
        reconcile: Reconcile,
        keys: impl Fn() -> Vec<ObjectKey> + Send + Sync + 'static,
        passing_keys: impl Fn(&dyn Fn(&ObjectKey) -> bool, &Meters) -> Vec<ObjectKey> + Send + Sync + 'static,
    ) -> Arc<Self> {
        let watches: Arc<[Box<dyn Watch>]> = watches.into();
        let own_writes =
            OwnWrites::new(watches.clone(), options.own_writes_timeout, options.sharding.clone());
        Arc::new(ReconcileLoop {
            reconcile,
            own_writes: Arc::new(own_writes),
            meters: Arc::new(Meters::new(options.name.clone(), options.workers)),
            watches,
            keys: Box::new(keys),
            passing_keys: Box::new(passing_keys),
            queue: Mutex::default(),
            exclusive: Arc::default(),
            caught_up: AtomicU64::new(0),
            catching_up: tokio::sync::Mutex::default(),
            workers: Mutex::default(),
            options,
        })
    }

    /// Reconciles until the shutdown, and until running reconciles have ended. Those of a leader end with its leadership.
    pub(super) async fn run(
        self: &Arc<Self>,
        leadership: Option<&Leadership>,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), Error> {
        let mut shutdown = pin!(shutdown);
        let run = Run::begin(self);
        let queue = &run.queue;
        let controller = &*self.options.name;
        let register = |watch: &dyn Watch| {
            tracing::info!(controller, source = %watch.resource().group_resource(), "starting event source");
            watch.register(queue, &self.meters)
        };
        let registrations: Vec<_> = self.watches.iter().map(|watch| register(&**watch)).collect();
        tracing::info!(controller, "starting controller");
        tokio::select! {
            biased;
            () = &mut shutdown => return Ok(()),
            synced = self.wait_for_sync(&registrations) => synced?,
        }

        // Before a worker can pass a key over.
        let assignments = self.options.sharding.as_ref().map(Sharding::assignments);
        let workers: Vec<_> = (0..self.options.workers).map(|_| self.worker()).collect();
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        tokio::select! {
            biased;
            () = &mut shutdown => return Ok(()),
            ended = self.wait_for_last_run() => ended?,
        }
        *self.last_workers() = workers.clone();
        tracing::info!(controller, worker_count = workers.len(), "starting workers");
        for worker in &workers {
            let alive = self.exclusive.clone().read_owned().await;
            let (leadership, stopped) = (leadership.cloned(), stopped.clone());
            let work = work(self.clone(), queue.clone(), worker.clone(), leadership, stopped);
            tasks.spawn(async move {
                let _alive = alive;
                work.await;
            });
        }
        let mut ticks = tokio::time::interval(BLOCKS_AFTER);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut watch_workers = async || loop {
            ticks.tick().await;
            workers.iter().for_each(|worker| worker.check());
            queue_in_progress(|| queue.metrics());
        };
        let stopped_informer = tokio::select! {
            biased;
            () = &mut shutdown => None,
            () = join(&mut tasks) => None,
            resource = self.stopped_informer() => Some(resource),
            () = watch_workers() => None,
            () = self.look_for_keys(queue, assignments) => None,
        };

        if stopped_informer.is_none() {
            tracing::info!(controller, "shutdown signal received, waiting for all workers to finish");
        }
        drop(registrations);
        stop.send_replace(true);
        queue.shut_down();
        let ended = async {
            tokio::select! {
                () = join(&mut tasks) => {}
                () = watch_workers() => {}
            }
        };
        if tokio::time::timeout(self.options.shutdown_timeout, ended).await.is_err() {
            let keys = || workers.iter().filter_map(|worker| worker.key()).collect::<Vec<_>>();
            let running = keys();
            tasks.abort_all();
            // One that blocks its thread cannot be cancelled, and may never end.
            let cancelled = async { while tasks.join_next().await.is_some() {} };
            let blocked = match tokio::time::timeout(CANCELLED_WITHIN, cancelled).await {
                Ok(()) => Vec::new(),
                Err(_) => keys(),
            };
            let limit = self.options.shutdown_timeout;
            return Err(errors::shutdown_timeout(&self.options.name, limit, &running, &blocked));
        }
        tracing::info!(controller, "all workers finished");
        stopped_informer
            .map_or(Ok(()), |resource| Err(errors::informer_stopped(&self.options.name, resource)))
    }

    /// Waits until no reconcile of the last run goes on, within the limit of a shutdown.
    async fn wait_for_last_run(&self) -> Result<(), Error> {
        let keys = || self.last_workers().iter().filter_map(|worker| worker.key()).collect::<Vec<_>>();
        let limit = self.options.shutdown_timeout;
        let ended = async {
            let mut ended = pin!(self.exclusive.write());
            while tokio::time::timeout(CANCELLED_WITHIN, &mut ended).await.is_err() {
                tracing::warn!(
                    controller = %self.options.name,
                    keys = ?keys(),
                    "waiting for reconciles of the last run, which block their threads",
                );
            }
        };
        let ended = tokio::time::timeout(limit.max(CANCELLED_WITHIN), ended).await;
        ended.map_err(|_| errors::last_run(&self.options.name, limit, &keys()))
    }

    fn last_workers(&self) -> MutexGuard<'_, Vec<Arc<Worker>>> {
        self.workers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until one of the informers does not run, and returns its resource.
    async fn stopped_informer(&self) -> &ResourceInfo {
        let mut waits: Vec<_> =
            self.watches.iter().map(|watch| (watch.stopped(), watch.resource())).collect();
        std::future::poll_fn(|cx| {
            let stopped = waits
                .iter_mut()
                .find_map(|(stopped, resource)| stopped.as_mut().poll(cx).is_ready().then_some(*resource));
            stopped.map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }

    async fn wait_for_sync(&self, registrations: &[Box<dyn Registration>]) -> Result<(), Error> {
        let mut waits: Vec<_> =
            registrations.iter().map(|registration| registration.wait_for_sync()).collect();
        // Together, so that an error of one is not told behind the wait for another.
        let synced = std::future::poll_fn(|cx| {
            let mut result = Ok(());
            waits.retain_mut(|wait| match wait.as_mut().poll(cx) {
                Poll::Ready(synced) => {
                    if result.is_ok() {
                        result = synced;
                    }
                    false
                }
                Poll::Pending => true,
            });
            if result.is_ok() && !waits.is_empty() { Poll::Pending } else { Poll::Ready(result) }
        });
        let limit = self.options.sync_timeout;
        match tokio::time::timeout(limit, synced).await {
            Ok(synced) => synced.map_err(|error| errors::sync(&self.options.name, error)),
            Err(_) => {
                let unsynced = registrations.iter().zip(&*self.watches);
                let unsynced = unsynced.filter(|(registration, _)| !registration.has_synced());
                let unsynced = unsynced.map(|(_, watch)| (watch.resource().clone(), watch.last_error()));
                Err(errors::sync_timeout(&self.options.name, limit, unsynced))
            }
        }
    }

    fn worker(&self) -> Arc<Worker> {
        let (name, meters) = (self.options.name.clone(), self.meters.clone());
        Worker::new(move |key, took| {
            meters.blocked();
            tracing::warn!(
                controller = %name,
                object = %key,
                seconds = took.as_secs_f64(),
                "a reconcile blocks its thread: use tokio::task::spawn_blocking",
            );
        })
    }

    /// Adds a key; `false` if the controller does not run.
    pub(super) fn add(&self, key: ObjectKey) -> bool {
        let queue = self.queue().filter(|queue| !queue.is_shutting_down());
        if let Some(queue) = &queue {
            queue.add(key);
        }
        queue.is_some()
    }

    pub(super) fn add_all(&self) {
        let Some(queue) = self.queue() else { return };
        for key in (self.keys)() {
            queue.add_with(key, &AddOptions { priority: LOW_PRIORITY, ..Default::default() });
        }
    }

    pub(super) fn metrics(&self) -> ControllerMetrics {
        self.meters.snapshot(self.queue().and_then(|queue| queue.metrics()))
    }

    fn queue(&self) -> Option<Queue<ObjectKey>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A run, from begin to end or until it is dropped.
struct Run<'a> {
    of: &'a ReconcileLoop,
    _name: RunningName,
    queue: Queue<ObjectKey>,
}

impl<'a> Run<'a> {
    fn begin(of: &'a ReconcileLoop) -> Self {
        let limiter = SharedLimiter(of.options.limiter.clone());
        let queue = Queue::builder().name(of.options.name.clone()).rate_limiter(limiter);
        let queue = observed(queue).build();
        *of.queue.lock().unwrap_or_else(PoisonError::into_inner) = Some(queue.clone());
        Run { of, _name: RunningName::take(&of.options.name), queue }
    }
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        self.of.queue.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.queue.shut_down();
        queue_ended(&self.of.options.name);
    }
}

/// A limiter that outlives the queue of one run.
struct SharedLimiter(Arc<dyn RateLimiter<ObjectKey>>);

impl RateLimiter<ObjectKey> for SharedLimiter {
    fn when(&self, key: &ObjectKey) -> Duration {
        self.0.when(key)
    }

    fn forget(&self, key: &ObjectKey) {
        self.0.forget(key);
    }

    fn requeues(&self, key: &ObjectKey) -> u32 {
        self.0.requeues(key)
    }
}

/// Waits for the workers. A panic outside a reconcile, such as in a rate limiter, is passed on.
async fn join(tasks: &mut JoinSet<()>) {
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended
            && error.is_panic()
        {
            std::panic::resume_unwind(error.into_panic());
        }
    }
}
