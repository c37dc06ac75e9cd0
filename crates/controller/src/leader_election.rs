//! Leader election by a Lease (client-go's `tools/leaderelection`): of several replicas one is at work.
//!
//! - [`LeaderElector`]: a candidate, which [acquires](LeaderElector::acquire) the Lease or [runs](LeaderElector::run) work
//!   while it leads;
//! - [`Leadership`]: the guard of one who leads, with the moment up to which it is safe to act and a fencing token;
//! - [`LeaderCallbacks`], [`ElectionEvent`]: functions that are called, for programs in the form of client-go's;
//! - [`LeaseCandidate`]: a candidate of coordinated leader election.
//!
//! # Rules
//!
//! They are those of client-go, so that its electors and klient's can be candidates for the same Lease: the times (15 s,
//! 10 s and 2 s), the first renewal without a read, the fields of the Lease. A Lease in other hands is taken when its
//! record has not changed for its own duration on the clock of the one who watches; times in the record, which come from
//! other clocks, are not compared with anything.
//!
//! The differences are on the safe side:
//!
//! | | client-go | klient |
//! |---|---|---|
//! | a leader that cannot renew stops | a retry period and the renew deadline after the *answer* to its last renewal | the renew deadline after that renewal was *sent* |
//! | time while the machine sleeps | does not count | counts (on Linux) |
//! | a leader that sees another holder | tries until the renew deadline | stops at once |
//! | `leaseTransitions` | is kept if the same identity is elected again | is greater for each term: a fencing token |
//! | a Lease that was deleted | is taken by the first candidate | is taken when the holder's time is up, counted from when that was noticed, and keeps its token |
//! | a fraction of a second in the lease duration | is cut off | is rounded up |
//! | renew times after the wall clock was set back | may repeat themselves, which others cannot see | are in another second than the one before |
//!
//! One hole cannot be closed by a candidate: when somebody deletes the Lease, or edits its holder, a candidate that has not
//! seen the Lease before takes it at once, and the leader learns of it at its next renewal.
//!
//! ```
//! # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use klient_client::{Client, Config};
//! use klient_controller::leader_election::{LeaderElectionConfig, LeaderElector, LeaseLock};
//!
//! let server = klient_apiserver::TestServer::start().await?;
//! let client = Client::new(Config::from_kubeconfig(&server.kubeconfig())?)?;
//! let lock = LeaseLock {
//!     namespace: "default".into(),
//!     name: "my-operator".into(),
//!     identity: "my-operator-0".into(),
//!     ..Default::default()
//! };
//! let elector = LeaderElector::new(client, lock, LeaderElectionConfig::default())?;
//! let token = elector
//!     .run(async |leadership| {
//!         // Here this process is the only one at work. The future is dropped if the leadership is lost.
//!         assert!(leadership.is_valid());
//!         leadership.fencing_token()
//!     })
//!     .await?;
//! assert_eq!(token, 0);
//! # Ok(()) }
//! ```

mod callbacks;
mod campaign;
mod candidate;
mod candidature;
mod config;
mod election;
mod leadership;
mod metrics;
mod observers;
mod record;
mod status;
mod tenure;
#[cfg(test)]
mod tests;

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use klient_apimachinery::Str;
use klient_client::Client;
use tokio::sync::Mutex;

pub use callbacks::LeaderCallbacks;
pub use candidate::LeaseCandidate;
pub use clock::Moment;
pub use config::{JITTER_FACTOR, LeaderElectionConfig, LeaseLock};
pub use leadership::Leadership;
#[cfg(feature = "metrics")]
pub use metrics::describe_metrics;
pub use observers::ElectionEvent;
pub use tenure::Loss;

use crate::clock;
use crate::error::{Error, ErrorKind};
use candidature::Candidature;
use election::Election;
use leadership::WeakLeadership;
use observers::Observers;
use status::Status;

/// A candidate for leadership by a Lease (client-go's `LeaderElector`).
///
/// Clones are the same candidate. The [module documentation](self) has the rules.
#[derive(Clone)]
pub struct LeaderElector(Arc<Shared>);

struct Shared {
    client: Client,
    lock: LeaseLock,
    config: LeaderElectionConfig,
    /// One campaign at a time has it.
    election: Arc<Mutex<Election>>,
    status: Arc<Status>,
    observers: Arc<Observers>,
    /// The leadership that controllers share. It is locked by the one who runs for office on behalf of all.
    shared: Mutex<Option<WeakLeadership>>,
}

impl LeaderElector {
    /// Creates a candidate. It does nothing until it is told to run for office.
    ///
    /// # Errors
    ///
    /// If the Lease's name or namespace is empty, or the times do not fulfil client-go's conditions:
    /// `lease_duration` > `renew_deadline` > `retry_period` × [`JITTER_FACTOR`], and none is zero.
    #[doc(alias = "NewLeaderElector")]
    pub fn new(client: Client, lock: LeaseLock, config: LeaderElectionConfig) -> Result<Self, Error> {
        lock.check()?;
        let lock = lock.with_identity();
        config.check()?;
        let election = Election::new(lock.clone(), config.clone(), fastrand::Rng::new());
        Ok(LeaderElector(Arc::new(Shared {
            client,
            lock,
            config,
            election: Arc::new(Mutex::new(election)),
            status: Arc::default(),
            observers: Arc::default(),
            shared: Mutex::default(),
        })))
    }

    /// Adds a function that is told of changes, such as to record Kubernetes Events as client-go does:
    /// [`ElectionEvent::note`] has their text. It is called by the task that renews the Lease, and must not block.
    pub fn observe(&self, observer: impl Fn(&ElectionEvent<'_>) + Send + Sync + 'static) {
        self.0.observers.add(Arc::new(observer));
    }

    /// Runs for office until this candidate is elected. A task of the runtime renews the Lease while there are handles to
    /// the returned guard.
    ///
    /// If this candidate leads already, it waits until that leadership has ended. Failing requests are made again after the
    /// retry period; failures of one kind in a row are logged once. Dropping the future ends the campaign. After
    /// [`release`](Self::release) has ended it the future is never ready: drop it, or use [`run`](Self::run), which has a
    /// result then.
    ///
    /// # Panics
    ///
    /// If it is not called on a tokio runtime.
    pub async fn acquire(&self) -> Leadership {
        match self.acquire_unless_released(self.0.status.releases()).await {
            Some(leadership) => leadership,
            None => std::future::pending().await,
        }
    }

    /// Runs for office until this candidate is elected; `None` if it is released before, or the runtime shuts down.
    async fn acquire_unless_released(&self, releases: u64) -> Option<Leadership> {
        Candidature::begin(&self.0, releases).await?.elected().await
    }

    /// Runs for office, then runs the work, which is dropped when the leadership is lost. When the work has ended the Lease
    /// is given up.
    ///
    /// Dropping the future drops the work, and gives the Lease up in the background; [`release`](Self::release) waits for
    /// it, at the end of a program:
    ///
    /// ```
    /// # async fn f(elector: klient_controller::leader_election::LeaderElector) {
    /// tokio::select! {
    ///     result = elector.run(async |_| { /* … */ }) => if let Err(loss) = result { eprintln!("{loss}") },
    ///     () = klient_controller::shutdown_signal() => elector.release().await,
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If the leadership was lost before the work had ended. [`Loss::Released`] also if this candidate was released before
    /// it was elected.
    pub async fn run<T, F: Future<Output = T>>(&self, work: impl FnOnce(Leadership) -> F) -> Result<T, Loss> {
        match self.acquire_unless_released(self.0.status.releases()).await {
            Some(leadership) => serve(leadership, work).await,
            None => Err(Loss::Released),
        }
    }

    /// Runs for office and runs the work like [`run`](Self::run), and again after each loss, until the work has ended by
    /// itself. Each loss is logged. Work that calls [`Leadership::release`] steps down: this candidate runs for office again
    /// when each other one has had the time to be elected.
    ///
    /// A [`Controller`](crate::Controller), whose run borrows it, has
    /// [`run_while_leading`](crate::Controller::run_while_leading).
    ///
    /// # Errors
    ///
    /// [`Loss::Released`] after [`release`](Self::release), from anywhere, has ended the campaign or the leadership.
    pub async fn run_with_reelection<T, F: Future<Output = T>>(
        &self,
        mut work: impl FnMut(Leadership) -> F,
    ) -> Result<T, Loss> {
        let releases = self.0.status.releases();
        while let Some(leadership) = self.acquire_unless_released(releases).await {
            match serve(leadership, &mut work).await {
                Ok(output) => return Ok(output),
                Err(Loss::Released) => self.let_others_win(releases).await,
                Err(_) => {}
            }
        }
        Err(Loss::Released)
    }

    /// Waits for longer than other candidates wait between their attempts, unless this one is released.
    async fn let_others_win(&self, releases: u64) {
        let periods = 1.0 + JITTER_FACTOR + fastrand::f64();
        let rest = tokio::time::sleep(self.0.config.retry_period.mul_f64(periods));
        tokio::select! {
            () = rest => {}
            () = self.0.status.released_since(releases) => {}
        }
    }

    /// The leaderships of one run after another, each when the one before has ended, until this candidate is released. Runs at
    /// the same time share them.
    pub(crate) fn terms(&self) -> Terms<'_> {
        Terms { elector: self, releases: self.0.status.releases() }
    }

    /// Runs for office with the callbacks of client-go, until the leadership is lost or `stop` is ready (client-go's
    /// `LeaderElector.Run`).
    ///
    /// If the future of `on_started_leading` ends, this candidate goes on leading. When it stops, the future is dropped,
    /// then `on_stopped_leading` is called, and then the Lease is given up.
    #[doc(alias = "RunOrDie")]
    pub async fn run_callbacks(&self, callbacks: LeaderCallbacks, stop: impl Future<Output = ()>) {
        let (on_started, on_stopped, on_new_leader) = callbacks.into_parts();
        let _observing = on_new_leader.map(|on_new_leader| {
            self.0.observers.add_scoped(Arc::new(move |event| {
                if let ElectionEvent::NewLeader { identity } = event {
                    on_new_leader(identity);
                }
            }))
        });
        let mut stop = pin!(stop);
        let mut candidature = tokio::select! {
            biased;
            () = &mut stop => None,
            candidature = Candidature::begin(&self.0, self.0.status.releases()) => candidature,
        };
        if let Some(candidature) = &mut candidature {
            let work = async {
                let Some(leadership) = candidature.elected().await else { return };
                let started = on_started(leadership.clone());
                let work = leadership.while_valid(async {
                    started.await;
                    std::future::pending::<()>().await;
                });
                let _ = work.await;
            };
            tokio::select! {
                biased;
                () = &mut stop => {}
                () = work => {}
            }
        }
        on_stopped();
        // This one, and not that of a clone.
        if let Some(candidature) = candidature {
            candidature.release().await;
        }
    }

    /// Ends the present campaign or leadership, if there is one, and the wait of clones for their turn; then waits until
    /// the Lease is given up or the attempt to do so has failed. After that, and not before, a program can end without
    /// making the others wait.
    ///
    /// Another candidate can lead at once, while tasks that the work has spawned may still run: end and join them before,
    /// as the work does that ends by itself.
    #[doc(alias = "ReleaseOnCancel")]
    pub async fn release(&self) {
        let Some((stop, mut ended)) = self.0.status.end_campaign() else { return };
        if let Some(stop) = stop.upgrade() {
            stop.send_replace(true);
        }
        while ended.changed().await.is_ok() {}
    }

    /// The identity of the leader that was last seen, which may have lost the Lease since; empty before one was seen
    /// (client-go's `GetLeader`).
    pub fn leader(&self) -> Str {
        self.0.status.leader()
    }

    /// The identity of this candidate.
    pub fn identity(&self) -> &str {
        &self.0.lock.identity
    }

    /// Returns `true` if this candidate has a valid [`Leadership`].
    pub fn is_leader(&self) -> bool {
        self.0.status.is_leader()
    }

    /// Checks the health of this candidate, for a `/healthz` endpoint (client-go's `HealthzAdaptor`).
    ///
    /// # Errors
    ///
    /// If there are handles to a [`Leadership`] whose last renewal is older than the lease duration and the tolerance: the
    /// work of a leader goes on although it is over, as when it blocks its thread.
    pub fn check(&self, tolerance: Duration) -> Result<(), Error> {
        match self.0.status.age_in_use() {
            Some(age) if age > self.0.config.lease_duration.saturating_add(tolerance) => {
                let lock = &self.0.lock;
                let lease = lock.quoted();
                Err(Error::new(
                    ErrorKind::LeaseExpired,
                    format!(
                        "leader election: the work of the leader goes on although lease {lease} was last renewed {} s ago; \
                     restart this process",
                        age.as_secs()
                    ),
                ))
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for LeaderElector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lock = &self.0.lock;
        write!(f, "LeaderElector({}/{} as {})", lock.namespace, lock.name, lock.identity)
    }
}

/// See [`LeaderElector::terms`].
pub(crate) struct Terms<'a> {
    elector: &'a LeaderElector,
    releases: u64,
}

impl Terms<'_> {
    /// Runs for office until this candidate is elected; `None` if it was released, or after `stop` is ready: then the Lease
    /// is given up that a write under way may have taken.
    pub(crate) async fn next(&self, stop: impl Future<Output = ()>) -> Option<Leadership> {
        let mut stop = pin!(stop);
        let mut shared = tokio::select! {
            biased;
            () = &mut stop => return None,
            shared = self.elector.0.shared.lock() => shared,
        };
        if let Some(leadership) = shared.as_ref().and_then(WeakLeadership::upgrade) {
            return Some(leadership);
        }
        let mut candidature = tokio::select! {
            biased;
            () = &mut stop => return None,
            candidature = Candidature::begin(&self.elector.0, self.releases) => candidature?,
        };
        let elected = tokio::select! {
            biased;
            () = &mut stop => None,
            elected = candidature.elected() => elected,
        };
        match &elected {
            Some(leadership) => *shared = Some(leadership.downgrade()),
            None => candidature.release().await,
        }
        elected
    }
}

/// Runs the work of a leader, and gives the Lease up when it has ended.
async fn serve<T, F: Future<Output = T>>(
    leadership: Leadership,
    work: impl FnOnce(Leadership) -> F,
) -> Result<T, Loss> {
    let result = leadership.while_valid(work(leadership.clone())).await;
    leadership.release().await;
    result
}
