//! The task of a candidate: sends the requests of an [`Election`] and tells others of its changes.

use std::sync::Arc;
use std::time::Duration;

use klient_api::coordination::v1::Lease;
use klient_apimachinery::go::quoted;
use klient_client::{Api, Client, Error, ErrorKind, InNamespace};
use tokio::sync::{OwnedMutexGuard, oneshot, watch};

use super::clock::{Moment, Now, sleep_until};
use super::config::{LeaderElectionConfig, LeaseLock};
use super::election::{Action, Answer, Election, Input, Notice, Request};
use super::metrics;
use super::observers::{ElectionEvent, Observers};
use super::status::Status;
use super::tenure::{Loss, Tenure};

/// One candidature: from its first request to the end of its term.
pub(super) struct Campaign {
    requests: Requests,
    election: OwnedMutexGuard<Election>,
    status: Arc<Status>,
    observers: Arc<Observers>,
    /// The name of the election in metrics.
    name: Arc<str>,
}

impl Campaign {
    pub(super) fn new(
        client: &Client,
        lock: &LeaseLock,
        config: &LeaderElectionConfig,
        election: OwnedMutexGuard<Election>,
        status: Arc<Status>,
        observers: Arc<Observers>,
    ) -> Self {
        let requests = Requests {
            leases: client.api::<Lease>().namespace(&lock.namespace),
            lock: lock.clone(),
            failure: None,
        };
        let name = if config.name.is_empty() { lock.name.as_str() } else { config.name.as_str() };
        Campaign { requests, election, status, observers, name: name.into() }
    }

    /// Runs until the term ends, or until there is `stop`: a value or no sender any more.
    pub(super) async fn run(
        mut self,
        mut stop: watch::Receiver<bool>,
        elected: oneshot::Sender<Arc<Tenure>>,
    ) {
        let mut elected = Some(elected);
        let mut is_stopping = false;
        let mut input = Input::Due;
        metrics::leader_off(&self.name);
        tracing::info!("attempting to acquire leader lease {}", self.requests.lease());
        loop {
            let action = self.election.step(Now::read(), input);
            self.publish(&mut elected);
            let next = async {
                match action {
                    Action::Send(request, end) => Some(Input::Answer(self.requests.send(request, end).await)),
                    Action::Wait(end) => {
                        sleep_until(end).await;
                        Some(Input::Due)
                    }
                    Action::Done => None,
                }
            };
            let next = tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop), if !is_stopping => {
                    is_stopping = true;
                    Some(Input::Stop)
                }
                next = next => next,
            };
            match next {
                Some(next) => input = next,
                None => return,
            }
        }
    }

    /// Tells others of the changes of the last step.
    fn publish(&mut self, elected: &mut Option<oneshot::Sender<Arc<Tenure>>>) {
        let notices = self.election.take_notices();
        self.status.set_term(self.election.term());
        let identity = self.requests.lock.identity.as_str();
        let lease_name = self.requests.lease();
        for notice in notices {
            match notice {
                Notice::Elected(tenure) => {
                    metrics::leader_on(&self.name);
                    tracing::info!("successfully acquired lease {lease_name} as {}", quoted(identity));
                    if let Some(elected) = elected.take() {
                        // Nobody waits any more if the receiver is gone, and the campaign stops.
                        let _ = elected.send(tenure);
                    }
                    if let Some(lease) = self.election.lease() {
                        self.observers.tell(&ElectionEvent::BecameLeader { identity, lease });
                    }
                }
                Notice::Lost(loss) => {
                    metrics::leader_off(&self.name);
                    match &loss {
                        Loss::Released => tracing::info!("stopped leading by lease {lease_name}"),
                        loss => tracing::error!("lease {lease_name}: {loss}"),
                    }
                    if let Some(lease) = self.election.lease() {
                        let loss = &loss;
                        self.observers.tell(&ElectionEvent::StoppedLeading { identity, lease, loss });
                    }
                }
                Notice::NewLeader(leader) => {
                    self.status.set_leader(leader.clone());
                    self.observers.tell(&ElectionEvent::NewLeader { identity: &leader });
                }
                Notice::SlowPath => metrics::slowpath_exercised(&self.name),
                Notice::Unchanged { holder, duration } => tracing::warn!(
                    "lease {lease_name} is held by {}, which does not renew it, and has a duration of {} s; if the holder \
                     is gone, delete the Lease",
                    quoted(&holder),
                    duration.as_secs(),
                ),
            }
        }
    }
}

/// The requests for one Lease, and the log of those that fail.
struct Requests {
    leases: Api<Lease, InNamespace>,
    lock: LeaseLock,
    /// The failure that was logged last, which is logged once. Its text is not compared: the URL has the time-out, which
    /// is that of each request.
    failure: Option<(ErrorKind, Option<u16>)>,
}

impl Requests {
    /// The Lease in messages.
    fn lease(&self) -> String {
        quoted(format!("{}/{}", self.lock.namespace, self.lock.name))
    }

    /// Sends a request. There is an answer by `end`.
    async fn send(&mut self, request: Request, end: Moment) -> Answer {
        let time = end.duration_since(Moment::now()).max(Duration::from_millis(1));
        let leases = self.leases.clone().timeout(time);
        let is_create = matches!(request, Request::Create(_));
        let written = |lease| Answer::Written(Box::new(lease));
        let answer = async {
            match request {
                Request::Get => leases.get(&self.lock.name).await.map(|lease| Answer::Found(Box::new(lease))),
                Request::Create(lease) => leases.create(&lease).await.map(written),
                Request::Update(lease) => leases.update(&lease).await.map(written),
            }
        };
        let answer = tokio::select! {
            answer = answer => answer,
            // The machine may have slept, while the client's time-out did not go on.
            () = sleep_until(end) => return Answer::Failed,
        };
        match answer {
            Ok(answer) => {
                self.failure = None;
                answer
            }
            Err(error) if error.is_conflict() || error.is_already_exists() => {
                tracing::debug!("lease {} was changed by another: {error}", self.lease());
                Answer::Conflict
            }
            Err(error) if error.is_not_found() && !is_create => Answer::NotFound,
            Err(error) => {
                self.report(&error);
                Answer::Failed
            }
        }
    }

    /// Logs a failure, as an error when it is of another kind than that before.
    fn report(&mut self, error: &Error) {
        let lease = self.lease();
        let mut text = error.to_string();
        if error.is_forbidden() {
            text.push_str(
                "; leader election needs the verbs get, create and update of leases in coordination.k8s.io",
            );
        }
        if self.failure.replace((error.kind(), error.code())) == Some((error.kind(), error.code())) {
            tracing::debug!("lease {lease}: {text}");
        } else {
            tracing::error!("lease {lease}: {text}; it is tried again");
        }
    }
}
