//! The task of a replica: sends the requests of a [`Member`] and tells others of its changes.

use std::sync::Arc;
use std::time::Duration;

use klient_api::coordination::v1::Lease;
use klient_apimachinery::go::quoted;
use klient_apimachinery::meta::v1::{DeleteOptions, Preconditions};
use klient_apimachinery::{ListOptions, Str};
use klient_client::{Api, Client, Error, ErrorKind, InNamespace};
use tokio::sync::watch;

use super::config::ShardingConfig;
use super::hands::Hands;
use super::member::{Action, Answer, Input, Member, Notice, Request};
use super::metrics;
use super::record::GROUP_LABEL;
use super::term::ShardLoss;
use crate::clock::{Moment, Now, sleep_until};

/// The task of a replica, from its first look at the group until it has left.
pub(super) struct Driver {
    requests: Requests,
    member: Member,
    hands: Arc<Hands>,
    identity: Str,
}

impl Driver {
    pub(super) fn new(
        client: &Client,
        config: &ShardingConfig,
        identity: Str,
        hands: Arc<Hands>,
        random: fastrand::Rng,
    ) -> Self {
        let requests = Requests {
            leases: client.api::<Lease>().namespace(&config.namespace),
            namespace: config.namespace.clone(),
            group: config.name.clone(),
            failure: None,
        };
        let member = Member::new(config.clone(), identity.clone(), hands.clone(), random, Moment::now());
        Driver { requests, member, hands, identity }
    }

    /// Runs until the replica has left, which begins with `stop`: a value or no sender any more.
    pub(super) async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let mut is_stopping = false;
        let mut input = Input::Due;
        metrics::begin(&self.requests.group);
        loop {
            let action = self.member.step(Now::read(), input);
            self.publish();
            input = match action {
                Action::Send(request, end) => Input::Answer(self.requests.send(request, end).await),
                Action::Wait(end) => tokio::select! {
                    biased;
                    _ = stop.wait_for(|stop| *stop), if !is_stopping => {
                        is_stopping = true;
                        Input::Stop
                    }
                    () = self.hands.retained_ended.notified() => Input::Due,
                    () = sleep_until(end) => Input::Due,
                },
                Action::Done => return,
            };
        }
    }

    /// Tells others of the changes of the last step.
    fn publish(&mut self) {
        let (group, identity) = (self.requests.group(), quoted(&self.identity));
        for notice in self.member.take_notices() {
            match notice {
                Notice::Members(members) => {
                    metrics::members(&self.requests.group, members.len());
                    let count = members.len();
                    let members = members.iter().map(Str::as_str).collect::<Vec<_>>().join(", ");
                    tracing::info!("group {group} has {count} members as {identity} sees it: {members}");
                }
                Notice::Lost(loss) => {
                    metrics::members(&self.requests.group, 0);
                    match loss {
                        ShardLoss::Left => tracing::info!("{identity} has left group {group}"),
                        loss => {
                            metrics::lost(&self.requests.group);
                            tracing::error!("{identity} in group {group}: {loss}");
                        }
                    }
                }
            }
        }
    }
}

/// The requests for the Leases of a group, and the log of those that fail.
struct Requests {
    leases: Api<Lease, InNamespace>,
    namespace: Str,
    group: Str,
    /// The failure that was logged last, which is logged once. Its text is not compared: the URL has the time-out, which
    /// changes.
    failure: Option<(ErrorKind, Option<u16>)>,
}

impl Requests {
    /// The group in messages.
    fn group(&self) -> String {
        quoted(format!("{}/{}", self.namespace, self.group))
    }

    /// Sends a request. There is an answer by `end`.
    async fn send(&mut self, request: Request, end: Moment) -> Answer {
        let time = end.duration_since(Moment::now()).max(Duration::from_millis(1));
        let leases = self.leases.clone().timeout(time);
        let is_create = matches!(request, Request::Create(_));
        let written = |lease| Answer::Written(Box::new(lease));
        let answer = async {
            match request {
                Request::Create(lease) => leases.create(&lease).await.map(written),
                Request::Update(lease) => leases.update(&lease).await.map(written),
                // Without a resourceVersion, so that the server reads what is stored and not what it remembers.
                Request::List => {
                    let list =
                        leases.list(&ListOptions::labels(format!("{GROUP_LABEL}={}", self.group))).await?;
                    let version = list.metadata.resource_version.unwrap_or_default();
                    Ok(Answer::Listed { leases: list.items, version })
                }
                Request::Delete(lease) => {
                    let preconditions = Preconditions {
                        uid: lease.metadata.uid,
                        resource_version: lease.metadata.resource_version,
                        ..Default::default()
                    };
                    let options =
                        DeleteOptions { preconditions: Some(Box::new(preconditions)), ..Default::default() };
                    let name = lease.metadata.name.unwrap_or_default();
                    leases.delete(&name, &options).await.map(|_| Answer::Deleted)
                }
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
                tracing::debug!("a Lease of group {} was changed by another: {error}", self.group());
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
        let group = self.group();
        let mut text = error.to_string();
        if error.is_forbidden() {
            text.push_str(
                "; sharding needs the verbs create, delete, list and update of leases in coordination.k8s.io",
            );
        }
        let kind = (error.kind(), error.code());
        if self.failure.replace(kind) == Some(kind) {
            tracing::debug!("group {group}: {text}");
        } else {
            tracing::error!("group {group}: {text}; it is tried again");
        }
    }
}
