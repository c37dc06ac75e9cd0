//! The task of a replica: sends the requests of a [`Member`] and tells others of its changes.

use std::sync::Arc;

use klient_apimachinery::Str;
use klient_apimachinery::go::quoted;
use klient_client::Client;
use tokio::sync::watch;

use super::config::ShardingConfig;
use super::hands::Hands;
use super::member::{Action, Answer, Input, Member, Notice, Request};
use super::metrics;
use super::record::GROUP_LABEL;
use super::term::ShardLoss;
use crate::clock::{Moment, Now, sleep_until};
use crate::lease_requests::{LeaseRequests, Refusal};

/// The task of a replica, from its first look at the group until it has left.
pub(super) struct Driver {
    requests: LeaseRequests,
    /// The name of the group.
    group: Str,
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
        let group = quoted(format!("{}/{}", config.namespace, config.name));
        let needs = "sharding needs the verbs create, delete, list and update";
        let requests = LeaseRequests::new(client, &config.namespace, format!("group {group}"), needs);
        let member = Member::new(config.clone(), identity.clone(), hands.clone(), random, Moment::now());
        Driver { requests, group: config.name.clone(), member, hands, identity }
    }

    /// Runs until the replica has left, which begins with `stop`: a value or no sender any more.
    pub(super) async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let mut is_stopping = false;
        let mut input = Input::Due;
        metrics::begin(&self.group);
        loop {
            let action = self.member.step(Now::read(), input);
            self.publish();
            input = match action {
                Action::Send(request, end) => Input::Answer(self.send(request, end).await),
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

    async fn send(&mut self, request: Request, end: Moment) -> Answer {
        let written = |lease| Answer::Written(Box::new(lease));
        let answer = match request {
            Request::Create(lease) => self.requests.create(&lease, end).await.map(written),
            Request::Update(lease) => self.requests.update(&lease, end).await.map(written),
            Request::List => {
                let list = self.requests.list(format!("{GROUP_LABEL}={}", self.group), end).await;
                list.map(|list| {
                    let version = list.metadata.resource_version.unwrap_or_default();
                    Answer::Listed { leases: list.items, version }
                })
            }
            Request::Delete(lease) => self.requests.delete(*lease, end).await.map(|()| Answer::Deleted),
        };
        answer.unwrap_or_else(|refusal| match refusal {
            Refusal::NotFound => Answer::NotFound,
            Refusal::Conflict => Answer::Conflict,
            Refusal::Failed => Answer::Failed,
        })
    }

    /// Tells others of the changes of the last step.
    fn publish(&mut self) {
        let (group, identity) = (self.requests.subject(), quoted(&self.identity));
        for notice in self.member.take_notices() {
            match notice {
                Notice::Members(members) => {
                    metrics::members(&self.group, members.len());
                    let count = members.len();
                    let members = members.iter().map(Str::as_str).collect::<Vec<_>>().join(", ");
                    tracing::info!("{group} has {count} members as {identity} sees it: {members}");
                }
                Notice::Lost(loss) => {
                    metrics::members(&self.group, 0);
                    match loss {
                        ShardLoss::Left => tracing::info!("{identity} has left {group}"),
                        loss => {
                            metrics::lost(&self.group);
                            tracing::error!("{identity} in {group}: {loss}");
                        }
                    }
                }
            }
        }
    }
}
