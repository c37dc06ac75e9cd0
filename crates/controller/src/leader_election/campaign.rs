//! The task of a candidate: sends the requests of an [`Election`] and tells others of its changes.

use std::sync::Arc;

use klient_apimachinery::go::quoted;
use klient_client::Client;
use tokio::sync::{OwnedMutexGuard, oneshot, watch};

use super::clock::{Moment, Now, sleep_until};
use super::config::{LeaderElectionConfig, LeaseLock};
use super::election::{Action, Answer, Election, Input, Notice, Request};
use super::metrics;
use super::observers::{ElectionEvent, Observers};
use super::status::Status;
use super::tenure::{Loss, Tenure};
use crate::lease_requests::{LeaseRequests, Refusal};

/// One candidature: from its first request to the end of its term.
pub(super) struct Campaign {
    requests: LeaseRequests,
    lock: LeaseLock,
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
        let needs = "leader election needs the verbs get, create and update";
        let subject = format!("lease {}", lock.quoted());
        let requests = LeaseRequests::new(client, &lock.namespace, subject, needs);
        let name = if config.name.is_empty() { lock.name.as_str() } else { config.name.as_str() };
        Campaign { requests, lock: lock.clone(), election, status, observers, name: name.into() }
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
        tracing::info!("attempting to acquire leader {}", self.requests.subject());
        loop {
            let action = self.election.step(Now::read(), input);
            self.publish(&mut elected);
            let next = async {
                match action {
                    Action::Send(request, end) => {
                        Some(Input::Answer(send(&mut self.requests, &self.lock, request, end).await))
                    }
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
        let identity = self.lock.identity.as_str();
        let lease_name = self.requests.subject();
        for notice in notices {
            match notice {
                Notice::Elected(tenure) => {
                    metrics::leader_on(&self.name);
                    tracing::info!("successfully acquired {lease_name} as {}", quoted(identity));
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
                        Loss::Released => tracing::info!("stopped leading by {lease_name}"),
                        loss => tracing::error!("{lease_name}: {loss}"),
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
                    "{lease_name} is held by {}, which does not renew it, and has a duration of {} s; if the holder \
                     is gone, delete the Lease",
                    quoted(&holder),
                    duration.as_secs(),
                ),
            }
        }
    }
}

async fn send(requests: &mut LeaseRequests, lock: &LeaseLock, request: Request, end: Moment) -> Answer {
    let answer = match request {
        Request::Get => requests.get(&lock.name, end).await.map(|lease| Answer::Found(Box::new(lease))),
        Request::Create(lease) => {
            requests.create(&lease, end).await.map(|lease| Answer::Written(Box::new(lease)))
        }
        Request::Update(lease) => {
            requests.update(&lease, end).await.map(|lease| Answer::Written(Box::new(lease)))
        }
    };
    answer.unwrap_or_else(|refusal| match refusal {
        Refusal::NotFound => Answer::NotFound,
        Refusal::Conflict => Answer::Conflict,
        Refusal::Failed => Answer::Failed,
    })
}
