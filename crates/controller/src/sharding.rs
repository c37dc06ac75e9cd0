//! Sharding of keys over replicas: each key of work is in the hands of one replica at a time, and all replicas work.
//!
//! It is for those who outgrow one leader. Each replica has a Lease of its own; rendezvous hashing of the key and the
//! identities of the live replicas names the owner of a key, so that only the keys of one who goes, or that one who comes
//! gets, change hands.
//!
//! - [`Sharding`]: a member of the group, until it leaves;
//! - [`ShardGuard`]: a key in hand, with the moment up to which it is safe to act and a fencing token;
//! - [`Assignments`]: the changes, for those who look for work that they have got;
//! - [`ControllerBuilder::sharded`](crate::ControllerBuilder::sharded): a controller whose replicas share its objects.
//!
//! ```
//! # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use klient_client::{Client, Config};
//! use klient_controller::sharding::{Sharding, ShardingConfig};
//!
//! let server = klient_apiserver::TestServer::start().await?;
//! let client = Client::new(Config::from_kubeconfig(&server.kubeconfig())?)?;
//! let config =
//!     ShardingConfig { namespace: "default".into(), name: "my-operator".into(), ..Default::default() };
//! let sharding = Sharding::join(&client, config)?;
//!
//! let mut assignments = sharding.assignments();
//! while let Some(assignment) = assignments.next().await {
//!     // A replica that is alone has all keys.
//!     if assignment.owns("web-0") {
//!         break;
//!     }
//! }
//! let guard = sharding.begin("web-0").ok_or("the key has another owner by now")?;
//! // Here no other replica has the key. The future would be dropped if the guard were lost.
//! guard.while_valid(async { /* … */ }).await?;
//! drop(guard);
//! sharding.leave().await;
//! # Ok(()) }
//! ```
//!
//! # Rules
//!
//! A replica publishes, in an annotation of its Lease, its *claim*: the members that it believes in, of whose keys it claims
//! its share, and the *retained* keys, which it has in hand and which are not in its share any more. Every
//! [retry period](ShardingConfig::retry_period) it renews the Lease, then lists those of the group. It may take a key in
//! hand if
//!
//! 1. its published claim has the key by its share, as has each claim that it has sent since it got the key;
//! 2. a list of the group that was sent after the claim was published shows no other replica that claims the key, unless
//!    that is known to be dead;
//! 3. the last renewal of its Lease was *sent* less than the [renew deadline](ShardingConfig::renew_deadline) ago.
//!
//! A replica is dead to another one that has seen its Lease unchanged for the duration of that Lease, when it sends a list
//! that still shows it so. Times are those of the clock of the one who watches, which goes on while the machine sleeps
//! (on Linux); times in Leases are not compared with anything. When the members change, a replica publishes its claim by the
//! new ones, which it can at once: the keys in hand that it loses are retained until their guards are dropped. Others take
//! the rest when they see the claim.
//!
//! # Safety
//!
//! No two replicas have valid guards of a key at the same time. Assume that X and Y had: both have claimed the key without
//! a gap since they published it, at p(X) and p(Y), and have got it by lists that the server read at q(X) > p(X) and
//! q(Y) > p(Y), before both acted. Then p(Y) < q(X) or p(X) < q(Y), or else q(X) < p(Y) < q(Y) < p(X) < q(X). Say that
//! p(Y) < q(X): X saw the claim of Y, so that Y was dead to X: X had seen, at o, the Lease as it was at q(X), and sent its
//! list a lease duration after o or later. All renewals of Y that were stored before q(X) were stored before o, and sent
//! before that. So by q(X), a lease duration after o, the renew deadline after each of them had passed, and Y had lost its
//! keys before X got one: a contradiction. A term that is over is not prolonged by an answer that comes late; the next one
//! begins with another publication, and another list.
//!
//! That a claim has no gap is due to the resourceVersion in each write: a write that takes effect late, after it was given up,
//! does so before the next one that is answered, and until that keys are in hand only if both claims have them. A replica
//! whose Lease was deleted or changed by somebody else loses its keys as soon as it sees that.
//!
//! It is assumed that
//!
//! - the clocks of two replicas differ in speed by less than the lease duration from the renew deadline, a third by default;
//! - the API server is linearizable: a list without a resourceVersion is no older than the request, as kube-apiserver's;
//! - the clock of a replica goes on: that of a virtual machine which its hypervisor stops does not, and then only the
//!   [fencing token](ShardGuard::fencing_token) protects;
//! - nobody else deletes the Leases of live replicas, takes their label away or edits their claims. One who does can bring a
//!   key into two hands until the replica sees it, within a retry period.
//!
//! Two replicas that are in each other's views never claim the same key, since both compare the same two weights. So with
//! equal views a look at a key costs at most one hash per member.
//!
//! # Time
//!
//! | event | keys are in hands again after |
//! |---|---|
//! | a replica comes, or leaves in order | a retry period and three requests |
//! | a replica dies | its lease duration, two retry periods and the same requests |
//! | reconciles that run at a handover | they stay with their replica until they end; no other key waits for them |
//!
//! A replica that leaves takes no more keys: if the last other one dies meanwhile, its keys wait for one that comes.
//!
//! A guard that is never dropped holds its key as long as the Lease is renewed; work that may hang needs a time limit, such
//! as [`reconcile_timeout`](crate::ControllerBuilder::reconcile_timeout). The replica to whose share the name of a dead one's
//! Lease belongs removes the claim from it, so that those who come later need not wait; Leases without a claim are deleted
//! after two lease durations. A replica that cannot list the group for a lease duration loses its keys, and takes none before
//! a list is answered.
//!
//! # Cost
//!
//! At rest each replica sends two requests per retry period: a write of its Lease, and a list; a handover takes some more. N replicas write N Leases, and read
//! N² of them with N names each: some tens of replicas are no load for a server, hundreds are. Keys cost no request: to find
//! the owner of one takes 22 ns with 8 members, and 26 ns with 100, on an AMD EPYC, most of which is the hash of the key.
//! Keys that are retained at a handover are in an annotation, and a server takes 256 KiB of annotations: some 13,000 keys.
//!
//! # Permissions
//!
//! The verbs `create`, `delete`, `list` and `update` of `leases` in `coordination.k8s.io`, in the namespace of the group.
//!
//! # Caches at a handover
//!
//! The cache of the new owner of a key may be behind the last write of the one before. So a claim has the greatest
//! resourceVersion that the reconciles of its replica have written, per resource; and a controller that has got keys waits,
//! before the first reconcile of any of them, until its caches have reached the versions of the list by which it got them,
//! within [`own_writes_timeout`](crate::ControllerBuilder::own_writes_timeout). For keys that were given up this is exact,
//! but for deletes that the server answered without a version. Of a replica that died it covers what was written up to its
//! last renewal: for the writes after that the cache has the difference of lease duration and renew deadline, 5 s by default,
//! to catch up. The limits of own writes apply: an object that the informers do not select, or a client of another cluster,
//! costs a wait in vain per handover. Versions are of the resources that the controller which wrote them watches.
//!
//! # Keys without an object
//!
//! A key that is refused, since another replica owns it, is forgotten, and looked for when the assignment changes among the
//! objects in the cache that pass the predicates of the controller's kind. So work on a key without an object ends at a
//! handover: the retry of a clean-up by [`reconcile_keys`](crate::ControllerBuilder::reconcile_keys) after a deletion, or a
//! repeated [`Action::requeue`](crate::Action::requeue) of a mapped key. What must be done after a deletion needs a finalizer.

mod assignment;
mod claim;
mod config;
mod driver;
mod guard;
mod hands;
mod key;
mod member;
mod metrics;
mod record;
mod share;
mod term;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use klient_apimachinery::Str;
use klient_client::Client;
use tokio::sync::watch;

pub use assignment::{Assignment, Assignments};
pub use config::ShardingConfig;
pub use guard::ShardGuard;
pub use key::ShardKey;
#[cfg(feature = "metrics")]
pub use metrics::describe_metrics;
pub use record::{CLAIM_ANNOTATION, GROUP_LABEL};
pub use term::ShardLoss;

pub use crate::clock::Moment;
use crate::error::Error;
use driver::Driver;
use hands::Hands;

/// A replica that shares keys with the others of its group: see the [module documentation](self).
///
/// Clones are the same replica. When the last of them is dropped, it leaves in the background.
#[derive(Clone)]
pub struct Sharding(Arc<Fields>);

struct Fields {
    group: String,
    identity: Str,
    hands: Arc<Hands>,
    stop: watch::Sender<bool>,
    ended: watch::Receiver<()>,
}

impl Sharding {
    /// Joins a group. A task of the runtime renews the Lease and looks at the others; failing requests are made again, and
    /// each failure is logged once. The replica has no keys before it has seen the group.
    ///
    /// # Errors
    ///
    /// If the namespace or the name of the group is empty, the name or that of the Lease is invalid or too long, or the times
    /// do not fulfil the conditions of [`LeaderElector::new`](crate::leader_election::LeaderElector::new).
    ///
    /// # Panics
    ///
    /// If it is not called on a tokio runtime.
    pub fn join(client: &Client, config: ShardingConfig) -> Result<Self, Error> {
        let mut random = fastrand::Rng::new();
        let identity = config.identity(&mut random)?;
        let hands = Arc::new(Hands::new());
        let (stop, stopped) = watch::channel(false);
        let (ending, ended) = watch::channel(());
        let driver = Driver::new(client, &config, identity.clone(), hands.clone(), random);
        tokio::spawn(async move {
            driver.run(stopped).await;
            drop(ending);
        });
        let group = format!("{}/{}", config.namespace, config.name);
        Ok(Sharding(Arc::new(Fields { group, identity, hands, stop, ended })))
    }

    /// The identity of this replica: the configured one with a random suffix.
    pub fn identity(&self) -> &str {
        &self.0.identity
    }

    /// Returns `true` if this replica may take a key in hand at present.
    pub fn owns(&self, key: impl Into<ShardKey>) -> bool {
        self.0.hands.owns(key.into(), Moment::now())
    }

    /// Takes a key in hand; `None` if it is another's, or nobody's at present. It stays in hand until the guard is dropped or
    /// lost.
    pub fn begin(&self, key: impl Into<ShardKey>) -> Option<ShardGuard> {
        ShardGuard::begin(&self.0.hands, key.into())
    }

    /// The present assignment.
    pub fn assignment(&self) -> Assignment {
        self.0.hands.assignment()
    }

    /// The present assignment and all that follow. Work on a key that comes between, and was refused, is to be looked for
    /// when an assignment has the key.
    pub fn assignments(&self) -> Assignments {
        self.0.hands.subscribe()
    }

    /// Leaves the group: takes no more keys in hand, and waits until those in hand are given back and the others can take
    /// them, or the attempt to tell them has failed. After that, and not before, a program can end without making the others
    /// wait.
    ///
    /// Guards are valid until they are dropped, as long as the Lease can be renewed: end the work on them before, or within a
    /// limit to the wait.
    pub async fn leave(&self) {
        self.0.stop.send_replace(true);
        let mut ended = self.0.ended.clone();
        // The task holds the sender, and drops it at its end.
        while ended.changed().await.is_ok() {}
    }

    /// Takes note of a write to a resource, perhaps of a namespace, by the work on a key.
    pub(crate) fn wrote(&self, resource: &str, version: &str) {
        self.0.hands.wrote(resource, version);
    }
}

impl fmt::Debug for Sharding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sharding({} as {})", self.0.group, self.0.identity)
    }
}
