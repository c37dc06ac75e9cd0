//! [`work`], the task that reconciles one key at a time.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use klient_apimachinery::ObjectKey;
use klient_client::BoxError;
use klient_workqueue::{AddOptions, Queue, Work};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tracing::Instrument as _;

use super::ReconcileLoop;
use crate::controller::action::{Action, Next};
use crate::controller::attempt::{Attempt, Worker, caught};
use crate::controller::metrics::Outcome;
use crate::leader_election::Leadership;
use crate::sharding::{Assignment, ShardGuard};
use crate::terminal_error::TerminalError;

/// Reconciles keys of the queue until it is stopped. A reconcile that runs is not interrupted.
pub(super) async fn work(
    of: Arc<ReconcileLoop>,
    queue: Queue<ObjectKey>,
    worker: Arc<Worker>,
    leadership: Option<Leadership>,
    mut stopped: watch::Receiver<bool>,
) {
    let mut waits = JoinSet::new();
    loop {
        let key = tokio::select! {
            biased;
            _ = stopped.wait_for(|stopped| *stopped) => return,
            key = queue.get() => key,
        };
        let Some(key) = key else { return };
        while waits.try_join_next().is_some() {}
        // The run that would stop this may be late, as after a sleep of the machine.
        if leadership.as_ref().is_some_and(|leadership| !leadership.is_valid()) {
            return;
        }
        // Until the reconcile has ended, and its writes are noted.
        let guard = match &of.options.sharding {
            None => None,
            Some(sharding) => match sharding.begin(&*key) {
                None => {
                    queue.forget(&key);
                    continue;
                }
                guard => guard,
            },
        };
        if let Some(guard) = &guard
            && !of.has_caught_up(guard)
        {
            waits.spawn(of.clone().wait_to_catch_up(queue.clone(), key, guard.assignment().clone()));
        } else if of.own_writes.are_seen(&key) {
            of.process(
                &queue,
                &key,
                &worker,
                Guards { shard: guard.as_ref(), leadership: leadership.as_ref() },
            )
            .await;
        } else {
            waits.spawn(of.clone().wait_for_own_writes(queue.clone(), key));
        }
    }
}

impl ReconcileLoop {
    /// Adds a key again when the caches have seen its writes. Until then no worker has it, and it is not handed out.
    async fn wait_for_own_writes(self: Arc<Self>, queue: Queue<ObjectKey>, key: Work<ObjectKey>) {
        self.own_writes.wait(&key, &self.meters).await;
        add_again(&queue, &key);
    }

    /// Adds a key again when the caches have seen what its owners before have written, as with own writes.
    async fn wait_to_catch_up(
        self: Arc<Self>,
        queue: Queue<ObjectKey>,
        key: Work<ObjectKey>,
        assignment: Assignment,
    ) {
        self.catch_up(&assignment).await;
        add_again(&queue, &key);
    }

    async fn process(
        &self,
        queue: &Queue<ObjectKey>,
        key: &Work<ObjectKey>,
        worker: &Worker,
        guards: Guards<'_>,
    ) {
        let _active = self.meters.active();
        let _held = Held::new(worker, key);
        let began = Instant::now();
        let name = &*self.options.name;
        // At the level of errors, so that they have its fields wherever they are shown.
        let span = tracing::error_span!("reconcile", controller = name, object = %key, reconcile_id = %ReconcileId::new());
        let reconciled = async {
            let reconciled =
                self.own_writes.record(key, &self.meters, self.attempt(key, worker, guards)).await;
            self.finish(queue, key, reconciled)
        };
        let outcome = reconciled.instrument(span).await;
        self.meters.reconciled(outcome, began.elapsed());
    }

    async fn attempt(&self, key: &ObjectKey, worker: &Worker, guards: Guards<'_>) -> Result<Action, Failure> {
        guards.check()?;
        let attempt = Attempt::new(|| (self.reconcile)(key.clone()), worker).map_err(Failure::Panic)?;
        let attempt = async {
            match self.options.reconcile_timeout {
                None => Ok(attempt.await),
                Some(limit) => {
                    tokio::time::timeout(limit, attempt).await.map_err(|_| Failure::Timeout(limit))
                }
            }
        };
        let ended = guards.while_valid(attempt).await??;
        ended.map_err(Failure::Panic)?.map_err(Failure::of)
    }

    /// Adds the key again, if it is to be.
    fn finish(
        &self,
        queue: &Queue<ObjectKey>,
        key: &Work<ObjectKey>,
        reconciled: Result<Action, Failure>,
    ) -> Outcome {
        let priority = key.priority();
        let again = || {
            let options = AddOptions { priority, rate_limited: true, ..Default::default() };
            queue.add_with((**key).clone(), &options);
        };
        match reconciled {
            Ok(Action(Next::Done)) => {
                queue.forget(key);
                Outcome::Success
            }
            Ok(Action(Next::After(after))) => {
                queue.forget(key);
                queue.add_with((**key).clone(), &AddOptions { priority, after, ..Default::default() });
                Outcome::RequeueAfter
            }
            Ok(Action(Next::Again)) => {
                again();
                Outcome::Requeue
            }
            Err(error @ Failure::Terminal(_)) => {
                queue.forget(key);
                tracing::error!(%error, "reconciler error, which is not retried");
                Outcome::TerminalError
            }
            // Its next owner reconciles it, which may be this replica.
            Err(error @ Failure::Lost(_)) => {
                queue.forget(key);
                tracing::error!(%error, "reconcile cancelled");
                Outcome::Error
            }
            Err(error) => {
                again();
                tracing::error!(%error, failures = queue.requeues(key), "reconciler error");
                match error {
                    Failure::Error(_) | Failure::Terminal(_) | Failure::Lost(_) => Outcome::Error,
                    Failure::Panic(_) => Outcome::Panic,
                    Failure::Timeout(_) => Outcome::Timeout,
                }
            }
        }
    }
}

/// Adds a key again, with the priority that it has.
fn add_again(queue: &Queue<ObjectKey>, key: &Work<ObjectKey>) {
    let options = AddOptions { priority: key.priority(), ..Default::default() };
    queue.add_with((**key).clone(), &options);
}

/// The guards by which no other replica reconciles the key.
#[derive(Clone, Copy)]
struct Guards<'a> {
    shard: Option<&'a ShardGuard>,
    leadership: Option<&'a Leadership>,
}

impl Guards<'_> {
    fn check(&self) -> Result<(), Failure> {
        if let Some(shard) = self.shard {
            shard.check().map_err(Failure::lost)?;
        }
        self.leadership.map_or(Ok(()), Leadership::check).map_err(Failure::lost)
    }

    /// Runs a future while the guards are valid, and drops it when one is lost.
    async fn while_valid<F: Future>(&self, work: F) -> Result<F::Output, Failure> {
        let work = async {
            match self.shard {
                None => Ok(work.await),
                Some(shard) => shard.while_valid(work).await.map_err(Failure::lost),
            }
        };
        match self.leadership {
            None => work.await,
            Some(leadership) => leadership.while_valid(work).await.map_err(Failure::lost)?,
        }
    }
}

/// The failure of a reconcile.
enum Failure {
    Error(String),
    /// A [`TerminalError`].
    Terminal(String),
    Panic(String),
    Timeout(Duration),
    /// Another replica may reconcile the key.
    Lost(String),
}

impl Failure {
    fn lost(loss: impl fmt::Display) -> Self {
        Failure::Lost(loss.to_string())
    }

    /// An error of the reconciler, whose methods are the reconciler's code and may panic.
    fn of(error: BoxError) -> Self {
        let failure = caught(|| {
            let text = error.to_string();
            if TerminalError::is_in(&*error) { Failure::Terminal(text) } else { Failure::Error(text) }
        });
        let dropped = caught(|| drop(error));
        failure.and_then(|failure| dropped.map(|()| failure)).unwrap_or_else(Failure::Panic)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Error(error) | Failure::Terminal(error) | Failure::Lost(error) => f.write_str(error),
            Failure::Panic(message) => write!(f, "the reconciler panicked: {message}"),
            Failure::Timeout(limit) => {
                write!(f, "cancelled after the time limit of {} s", limit.as_secs_f64())
            }
        }
    }
}

/// The key that a worker has, for those who watch it.
struct Held<'a>(&'a Worker);

impl<'a> Held<'a> {
    fn new(worker: &'a Worker, key: &ObjectKey) -> Self {
        worker.set_key(Some(key.clone()));
        Held(worker)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.set_key(None);
    }
}

/// The identity of a reconcile in logs, as a random UUID.
struct ReconcileId(u128);

impl ReconcileId {
    fn new() -> Self {
        let (version, variant) = (0x4 << 76, 0x8 << 60);
        ReconcileId(fastrand::u128(..) & !(0xf << 76) & !(0xc << 60) | version | variant)
    }
}

impl fmt::Display for ReconcileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{:032x}", self.0);
        let (a, b, c, d, e) = (&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]);
        write!(f, "{a}-{b}-{c}-{d}-{e}")
    }
}
