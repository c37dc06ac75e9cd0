//! [`Controller`], a loop that reconciles the objects of a kind.

mod action;
mod attempt;
mod builder;
mod errors;
mod metrics;
mod own_writes;
mod owner;
mod predicate;
mod reconcile_loop;
mod running_name;
mod source;
mod watch;

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use klient_apimachinery::codec::Wire;
use klient_apimachinery::{Object, ObjectKey};

pub use action::Action;
pub use builder::ControllerBuilder;
pub use metrics::ControllerMetrics;
#[cfg(feature = "metrics")]
pub use metrics::describe_metrics;
pub use own_writes::wait_for_own_writes;
pub use owner::{OwnerScope, map_to_owner};
pub use predicate::Predicate;
use reconcile_loop::ReconcileLoop;
pub use source::Source;
pub use watch::LOW_PRIORITY;

use crate::error::Error;
use crate::leader_election::LeaderElector;

/// A loop that reconciles the objects of a kind (the controller of controller-runtime, kube-rs' `Controller`).
///
/// - *level-triggered*: a reconciler gets the present state of an object, not the change that it was called for; many
///   changes may lead to one call, and a call may come without a change;
/// - *exclusive*: a key is reconciled by one worker at a time; changed meanwhile, it is reconciled again afterwards;
/// - *own writes are read*: a reconcile waits, within a limit, until the caches have seen what the reconcile of the same
///   key before has written, through whichever client;
/// - *nothing is lost*: an error, a panic or a time-out leads to another reconcile, with back-off; no worker dies;
/// - *changes first*: the objects of the first list, and of resyncs, come after changes;
/// - *complete*: reconciles begin when all caches of the controller have their first list;
/// - *orderly*: after the shutdown no reconcile begins, and [`Controller::run`] returns when those that run have ended,
///   after which a lease can be handed over.
///
/// ```
/// use std::sync::Arc;
///
/// use klient_api::core::v1::{ConfigMap, Namespace};
/// use klient_apimachinery::meta::v1::{ObjectMeta, OwnerReference};
/// use klient_cache::{Cached, InformerFactory, Lister};
/// use klient_client::{Client, Config, Error};
/// use klient_controller::{Action, Controller};
///
/// struct Context {
///     client: Client,
///     config_maps: Lister<ConfigMap>,
/// }
///
/// /// Gives each namespace a config map with its name.
/// async fn reconcile(namespace: Cached<Namespace>, context: Arc<Context>) -> Result<Action, Error> {
///     if context.config_maps.get_in(namespace.name(), "about").is_none() {
///         let mut about = ConfigMap { metadata: ObjectMeta::named("about"), ..Default::default() };
///         about.metadata.owner_references = vec![OwnerReference::controller_of(&*namespace)];
///         about.data.insert("name", namespace.name().into());
///         context.client.api::<ConfigMap>().namespace(namespace.name()).create(&about).await?;
///     }
///     Ok(Action::done())
/// }
///
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = klient_apiserver::TestServer::start().await?;
/// let client = Client::new(Config::from_kubeconfig(&server.kubeconfig())?)?;
/// let factory = InformerFactory::new(client.clone());
/// let (namespaces, config_maps) = (factory.informer::<Namespace>(), factory.informer::<ConfigMap>());
/// let context = Arc::new(Context { client, config_maps: config_maps.lister() });
/// let mut controller =
///     Controller::builder(&namespaces).owns(&config_maps).workers(2).reconcile(context, reconcile);
/// // A program would wait for `shutdown_signal()`.
/// let done = async {
///     let _ = config_maps.store().wait_until(|store| store.contains("kube-public/about")).await;
/// };
/// controller.run(done).await?;
/// # Ok(()) }
/// ```
///
/// # Several kinds, several controllers
///
/// The informers of a factory are shared: each controller adds handlers of its own, and one watch serves all of them.
/// [`owns`](ControllerBuilder::owns) leads from children to their controller, in the scope of the owner;
/// [`watches`](ControllerBuilder::watches) from any object to any keys. A [`Source`] has [`Predicate`]s. The informers
/// need not be started before: [`Controller::run`] starts its own.
///
/// # Leader election
///
/// A controller registers no handler and queues nothing before it runs, and can run again. The future that
/// [`Controller::run`] takes ends it in order; dropping the future of the run, as `tokio::select!` does with the branch
/// that comes late, cancels reconciles at the next point where they await: that is for a lease that was lost.
/// [`Controller::run_while_leading`] does both.
///
/// # Sharding
///
/// With [`sharded`](ControllerBuilder::sharded) all replicas run, and each reconciles its own keys: see
/// [`sharding`](crate::sharding).
///
/// # Misuse that does not compile
///
/// A builder without a reconciler cannot run:
///
/// ```compile_fail,E0599
/// # use klient_api::core::v1::ConfigMap;
/// # async fn f(config_maps: klient_cache::Informer<ConfigMap>) {
/// klient_controller::Controller::builder(&config_maps).run(std::future::pending()).await;
/// # }
/// ```
///
/// A controller does not run twice at the same time, since a run borrows it:
///
/// ```compile_fail,E0499
/// # async fn f(mut controller: klient_controller::Controller) {
/// let (one, other) = (controller.run(std::future::pending()), controller.run(std::future::pending()));
/// let _ = tokio::join!(one, other);
/// # }
/// ```
pub struct Controller(Arc<ReconcileLoop>);

impl Controller {
    /// A builder of a controller of the kind of an informer (controller-runtime's `For`).
    #[doc(alias = "For")]
    #[doc(alias = "NewControllerManagedBy")]
    pub fn builder<K: Wire + Object>(source: impl Into<Source<K>>) -> ControllerBuilder<K> {
        ControllerBuilder::new(source.into())
    }

    fn new(reconcile_loop: Arc<ReconcileLoop>) -> Self {
        Controller(reconcile_loop)
    }

    /// Reconciles until `shutdown` is ready, and returns when running reconciles have ended. It can run again.
    ///
    /// Informers are started if they do not run. Dropping the future cancels running reconciles where they await.
    ///
    /// # Errors
    ///
    /// If a cache cannot be filled, with the permanent error of its list at once, and otherwise after
    /// [`cache_sync_timeout`](ControllerBuilder::cache_sync_timeout). If an informer is stopped or its factory shut down
    /// before `shutdown`, when running reconciles have ended. If reconciles did not end within
    /// [`graceful_shutdown_timeout`](ControllerBuilder::graceful_shutdown_timeout) after the shutdown, with their keys;
    /// they were cancelled. Those that block their threads run on, and are named: another run waits for them, for the same
    /// time, before it fails.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with a timer. If the rate limiter panics.
    pub async fn run(&mut self, shutdown: impl Future<Output = ()>) -> Result<(), Error> {
        self.0.run(None, shutdown).await
    }

    /// Reconciles like [`run`](Self::run) while this process leads, and again in each later term, until `shutdown` is
    /// ready or the candidate is [released](LeaderElector::release). When the leadership is lost reconciles are cancelled
    /// where they await, none begins, and the controller waits for its next term. After the shutdown the Lease is given up
    /// when reconciles have ended, or at once if it was about to be taken, so that the next leader need not wait for its
    /// expiry (controller-runtime's `LeaderElectionReleaseOnCancel`).
    ///
    /// Several controllers of a program may run by one elector at the same time, as with
    /// `tokio::join!(a.run_while_leading(&elector, …), b.run_while_leading(&elector, …))`: they lead in the same terms, and
    /// the Lease is given up when the last of them has ended.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::sync::Arc;
    ///
    /// use klient_api::core::v1::ConfigMap;
    /// use klient_cache::{Cached, InformerFactory};
    /// use klient_client::{Client, Config, Error};
    /// use klient_controller::leader_election::{LeaderElector, LeaseLock};
    /// use klient_controller::{Action, Controller};
    /// use tokio::sync::Notify;
    ///
    /// let server = klient_apiserver::TestServer::start().await?;
    /// let client = Client::new(Config::from_kubeconfig(&server.kubeconfig())?)?;
    /// let config_maps = InformerFactory::new(client.clone()).informer::<ConfigMap>();
    /// let reconciled = Arc::new(Notify::new());
    /// let reconcile = async |_: Cached<ConfigMap>, reconciled: Arc<Notify>| {
    ///     reconciled.notify_one();
    ///     Ok::<_, Error>(Action::done())
    /// };
    /// let mut controller = Controller::builder(&config_maps).reconcile(reconciled.clone(), reconcile);
    /// let lock = LeaseLock {
    ///     namespace: "default".into(),
    ///     name: "my-operator".into(),
    ///     identity: "my-operator-0".into(),
    ///     ..Default::default()
    /// };
    /// let elector = LeaderElector::new(client, lock, Default::default())?;
    /// // A program would wait for `shutdown_signal()`.
    /// controller.run_while_leading(&elector, reconciled.notified()).await?;
    /// assert!(!elector.is_leader());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run). The Lease is given up; if reconciles block their threads, when these have ended, and until
    /// then it is renewed, for as long as the process lives.
    ///
    /// # Panics
    ///
    /// As [`run`](Self::run).
    #[doc(alias = "LeaderElection")]
    #[doc(alias = "NeedLeaderElection")]
    #[doc(alias = "LeaderElectionReleaseOnCancel")]
    pub async fn run_while_leading(
        &mut self,
        elector: &LeaderElector,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), Error> {
        let mut shutdown = pin!(shutdown);
        let mut is_shut_down = false;
        // It may be asked again after it was ready: the leadership may be lost before reconciles have ended.
        let mut shutdown = std::future::poll_fn(|cx| {
            is_shut_down = is_shut_down || shutdown.as_mut().poll(cx).is_ready();
            if is_shut_down { Poll::Ready(()) } else { Poll::Pending }
        });
        let terms = elector.terms();
        loop {
            let Some(leadership) = terms.next(&mut shutdown).await else { return Ok(()) };
            let ended = leadership.while_valid(self.0.run(Some(&leadership), &mut shutdown)).await;
            leadership.release_if_last().await;
            if let Ok(result) = ended {
                return result;
            }
        }
    }

    /// A handle to the controller, for use while it runs.
    pub fn handle(&self) -> ControllerHandle {
        ControllerHandle(self.0.clone())
    }
}

impl fmt::Debug for Controller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Controller").field("name", &self.0.options.name).finish_non_exhaustive()
    }
}

/// A handle to a controller, for use while it runs. Clones are the same.
#[derive(Clone)]
pub struct ControllerHandle(Arc<ReconcileLoop>);

impl ControllerHandle {
    /// Reconciles a key, such as after a change outside the cluster. Returns `false`, and does nothing, if the
    /// controller does not run: it reconciles all objects when it begins to. A controller that is
    /// [sharded](ControllerBuilder::sharded) does nothing with a key that another replica owns.
    #[doc(alias = "reconcile_on")]
    #[doc(alias = "GenericEvent")]
    pub fn reconcile(&self, key: ObjectKey) -> bool {
        self.0.add(key)
    }

    /// Reconciles all objects of the controller's kind, at [`LOW_PRIORITY`].
    #[doc(alias = "reconcile_all_on")]
    pub fn reconcile_all(&self) {
        self.0.add_all();
    }

    /// The figures of the controller since it was built.
    pub fn metrics(&self) -> ControllerMetrics {
        self.0.metrics()
    }
}

impl fmt::Debug for ControllerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ControllerHandle").field("name", &self.0.options.name).finish_non_exhaustive()
    }
}
