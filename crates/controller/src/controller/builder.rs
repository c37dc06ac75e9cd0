//! [`ControllerBuilder`], the kinds and the options of a controller.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use klient_apimachinery::codec::Wire;
use klient_apimachinery::{BoxFuture, Object, ObjectKey, Resource};
use klient_cache::Cached;
use klient_client::BoxError;
use klient_workqueue::{ItemExponentialFailureRateLimiter, RateLimiter};

use super::Controller;
use super::action::Action;
use super::owner::{OwnerScope, map_to_owner};
use super::reconcile_loop::{Options, Reconcile, ReconcileLoop};
use super::source::Source;
use super::watch::{Mapped, Primary, Watch, passing_keys};
use crate::sharding::Sharding;

/// The kinds and the options of a controller, set one by one. It becomes a [`Controller`] with a reconciler:
/// [`reconcile`](Self::reconcile) or [`reconcile_keys`](Self::reconcile_keys).
#[must_use = "a controller is built with `reconcile` or `reconcile_keys`"]
pub struct ControllerBuilder<K: Wire + Object> {
    primary: Source<K>,
    watches: Vec<Box<dyn Watch>>,
    options: Options,
}

impl<K: Wire + Object> ControllerBuilder<K> {
    pub(super) fn new(primary: Source<K>) -> Self {
        let limiter =
            ItemExponentialFailureRateLimiter::new(Duration::from_millis(5), Duration::from_secs(1000));
        ControllerBuilder {
            watches: vec![Box::new(Primary(primary.clone()))],
            options: Options {
                name: primary.informer.resource().kind.to_lowercase().into(),
                workers: 1,
                limiter: Arc::new(limiter),
                reconcile_timeout: None,
                sync_timeout: Duration::from_secs(120),
                shutdown_timeout: Duration::from_secs(30),
                own_writes_timeout: Duration::from_secs(10),
                sharding: None,
            },
            primary,
        }
    }

    /// Reconciles the controller of each object of another kind, the owner with `controller: true`, if that is of the
    /// controller's kind; after an owner has changed, both.
    ///
    /// It does not compile for a cluster-scoped kind that is owned by a namespaced one: see [`OwnerScope`].
    ///
    /// ```compile_fail,E0277
    /// # use klient_api::core::v1::{ConfigMap, PersistentVolume};
    /// # use klient_cache::Informer;
    /// # use klient_controller::Controller;
    /// # fn f(config_maps: Informer<ConfigMap>, volumes: Informer<PersistentVolume>) {
    /// let builder = Controller::builder(&config_maps).owns(&volumes);
    /// # }
    /// ```
    #[doc(alias = "Owns")]
    #[doc(alias = "EnqueueRequestForOwner")]
    pub fn owns<O>(self, source: impl Into<Source<O>>) -> Self
    where
        K: Resource,
        O: Resource + Wire,
        K::Scope: OwnerScope<O::Scope>,
    {
        let owner = map_to_owner(self.primary.informer.resource());
        self.watches(source, owner)
    }

    /// Reconciles the keys that a function returns for each object of another kind. For an update it is called with
    /// the state before and the state after. It runs in the task of the informer's handler: it should look into caches
    /// only, such as by a [`Lister`](klient_cache::Lister) with an index.
    ///
    /// A panic is logged and counted, and loses no keys but its own: for an update, those of the other state are added.
    ///
    /// If one event is mapped to more than a thousand keys, they have [`LOW_PRIORITY`](super::LOW_PRIORITY), so that
    /// other changes do not wait for them.
    ///
    /// ```
    /// # use klient_api::{apps::v1::Deployment, core::v1::ConfigMap};
    /// # use klient_cache::{Cached, Informer};
    /// # use klient_controller::Controller;
    /// # fn f(deployments: Informer<Deployment>, config_maps: Informer<ConfigMap>) {
    /// let lister = deployments.lister();
    /// let builder = Controller::builder(&deployments).watches(&config_maps, move |config_map: &Cached<ConfigMap>| {
    ///     let of_namespace = lister.list_in(config_map.namespace().unwrap_or_default());
    ///     of_namespace.iter().map(Cached::key).collect::<Vec<_>>()
    /// });
    /// # let _ = builder; }
    /// ```
    #[doc(alias = "Watches")]
    #[doc(alias = "EnqueueRequestsFromMapFunc")]
    pub fn watches<W: Wire + Object, I>(
        mut self,
        source: impl Into<Source<W>>,
        map: impl Fn(&Cached<W>) -> I + Send + Sync + 'static,
    ) -> Self
    where
        I: IntoIterator<Item = ObjectKey>,
    {
        self.watches.push(Box::new(Mapped::new(source.into(), map)));
        self
    }

    /// The name of the controller in logs and metrics; by default its kind in lower case. Controllers with the same
    /// name share their metrics; one that runs while another of its name does begins with a warning.
    pub fn name(mut self, name: impl Into<Arc<str>>) -> Self {
        self.options.name = name.into();
        self
    }

    /// The number of reconciles that run at the same time, never two of one key; 1 by default
    /// (`MaxConcurrentReconciles`). Each worker is a task. Zero counts as one.
    #[doc(alias = "MaxConcurrentReconciles")]
    #[doc(alias = "concurrency")]
    pub fn workers(mut self, workers: usize) -> Self {
        self.options.workers = workers.max(1);
        self
    }

    /// The delay before a key is reconciled again after an error; by default 5 ms after the first error in a row,
    /// doubled with each up to 1000 s.
    #[doc(alias = "error_policy")]
    pub fn rate_limiter(mut self, limiter: impl RateLimiter<ObjectKey> + 'static) -> Self {
        self.options.limiter = Arc::new(limiter);
        self
    }

    /// The time after which a reconcile is cancelled, at the point where it awaits, which counts as an error; none by
    /// default. Requests that were sent may have taken effect.
    #[doc(alias = "ReconciliationTimeout")]
    pub fn reconcile_timeout(mut self, limit: Duration) -> Self {
        self.options.reconcile_timeout = Some(limit);
        self
    }

    /// The time within which all caches must have their first list; 2 minutes by default.
    #[doc(alias = "CacheSyncTimeout")]
    pub fn cache_sync_timeout(mut self, limit: Duration) -> Self {
        self.options.sync_timeout = limit;
        self
    }

    /// The time that running reconciles have to end after the shutdown, before they are cancelled; 30 s by default. The
    /// run ends at the latest a second later: a reconcile that blocks its thread cannot be cancelled, and is left behind.
    #[doc(alias = "GracefulShutdownTimeout")]
    pub fn graceful_shutdown_timeout(mut self, limit: Duration) -> Self {
        self.options.shutdown_timeout = limit;
        self
    }

    /// The longest wait for the caches to see the writes of a key's reconcile before the next one; 10 s by default.
    /// Zero turns the wait off.
    ///
    /// The wait is as long as the watch lags, mostly some milliseconds, and keeps no worker from other keys. Not waited
    /// for are objects that the informer of their resource excludes by its namespaces, its label selector, or its field
    /// selector of `metadata.name` and `metadata.namespace`; those that were written through a client of another
    /// [`url`](klient_client::Config::url) than that of the informer; and versions that cannot be compared, as aggregated
    /// servers may have them. An object that another field excludes is waited for until something else of its resource
    /// changes.
    pub fn own_writes_timeout(mut self, limit: Duration) -> Self {
        self.options.own_writes_timeout = limit;
        self
    }

    /// Shares the keys with the other replicas of a group: see [`sharding`](crate::sharding). Several controllers of a
    /// program can share theirs in one group.
    ///
    /// - A reconcile begins only if this replica may take its key in hand, and holds a guard until it ends. Keys of others
    ///   are passed over.
    /// - It is cancelled, at the point where it awaits, when the guard is lost, which counts as an error. One that blocks its
    ///   thread cannot be cancelled, and runs beside that of the next owner.
    /// - Keys of objects that this replica has got are reconciled at [`LOW_PRIORITY`](super::LOW_PRIORITY), after the caches
    ///   have reached what their owners before have written, within
    ///   [`own_writes_timeout`](Self::own_writes_timeout). So nothing is missed that was passed over, but for the deletion
    ///   of an object whose key changes hands at that moment: it is told as little as one that happens while the controller
    ///   does not run.
    /// - All replicas have caches of all objects.
    ///
    /// The replica stays in the group when the run ends: [`Sharding::leave`] gives its keys up.
    ///
    /// ```
    /// # use klient_api::core::v1::ConfigMap;
    /// # use klient_cache::Informer;
    /// # use klient_client::Client;
    /// # use klient_controller::{Action, Controller, Error};
    /// # use klient_controller::sharding::{Sharding, ShardingConfig};
    /// # use std::sync::Arc;
    /// # async fn f(client: Client, config_maps: Informer<ConfigMap>) -> Result<(), Error> {
    /// let config =
    ///     ShardingConfig { namespace: "default".into(), name: "my-operator".into(), ..Default::default() };
    /// let sharding = Sharding::join(&client, config)?;
    /// let mut controller = Controller::builder(&config_maps)
    ///     .sharded(&sharding)
    ///     .reconcile(Arc::new(()), async |_, _| Ok::<_, Error>(Action::done()));
    /// controller.run(async { let _ = tokio::signal::ctrl_c().await; }).await?;
    /// sharding.leave().await;
    /// # Ok(()) }
    /// ```
    pub fn sharded(mut self, sharding: &Sharding) -> Self {
        self.options.sharding = Some(sharding.clone());
        self
    }

    /// Builds the controller with a reconciler of objects, and a context that its calls share.
    ///
    /// The reconciler is called with the object as the cache has it, and brings the cluster, or the world, into the
    /// state that the object desires. It returns the next [`Action`], or an error, after which the key is reconciled
    /// again with back-off. It is not called for an object that is gone: children with an owner reference are collected
    /// by the garbage collector, and other things need a finalizer, since a controller that does not run misses the
    /// deletion. A reconciler to which that does not apply is one of [keys](Self::reconcile_keys).
    ///
    /// A change after which an object cannot be decoded leads to no reconcile, since the cache has the state before it.
    /// Events of its children, and other keys that are mapped or requeued, still do, with that state.
    ///
    /// The future must not block its thread; use [`tokio::task::spawn_blocking`]. One that does for more than a second
    /// is logged and counted.
    #[doc(alias = "Reconciler")]
    #[doc(alias = "RecoverPanic")]
    pub fn reconcile<C, F, R, E>(self, context: Arc<C>, reconcile: F) -> Controller
    where
        C: Send + Sync + 'static,
        F: Fn(Cached<K>, Arc<C>) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Action, E>> + Send + 'static,
        E: Into<BoxError>,
    {
        let lister = self.primary.informer.lister();
        self.build(move |key| {
            let Some(object) = lister.get(&key) else { return Box::pin(async { Ok(Action::done()) }) };
            let reconciled = reconcile(object, context.clone());
            Box::pin(async { reconciled.await.map_err(Into::into) })
        })
    }

    /// Builds the controller with a reconciler of keys: it is called with `None` for an object that is gone, or never
    /// was, such as one that a mapping names. For the rest see [`reconcile`](Self::reconcile).
    ///
    /// A deletion while the controller does not run is not told. It is for things that are found without the object,
    /// such as entries of a cache in memory.
    pub fn reconcile_keys<C, F, R, E>(self, context: Arc<C>, reconcile: F) -> Controller
    where
        C: Send + Sync + 'static,
        F: Fn(ObjectKey, Option<Cached<K>>, Arc<C>) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Action, E>> + Send + 'static,
        E: Into<BoxError>,
    {
        let lister = self.primary.informer.lister();
        self.build(move |key| {
            let object = lister.get(&key);
            let reconciled = reconcile(key, object, context.clone());
            Box::pin(async { reconciled.await.map_err(Into::into) })
        })
    }

    fn build(
        self,
        reconcile: impl Fn(ObjectKey) -> BoxFuture<'static, Result<Action, BoxError>> + Send + Sync + 'static,
    ) -> Controller {
        let lister = self.primary.informer.lister();
        let reconcile: Reconcile = Arc::new(reconcile);
        let primary = self.primary;
        Controller::new(ReconcileLoop::new(
            self.options,
            self.watches,
            reconcile,
            move || lister.keys(),
            move |selects, meters| passing_keys(&primary, selects, meters),
        ))
    }
}

impl<K: Wire + Object> fmt::Debug for ControllerBuilder<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ControllerBuilder")
            .field("name", &self.options.name)
            .field("primary", &self.primary)
            .finish_non_exhaustive()
    }
}
