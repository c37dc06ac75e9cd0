//! [`LeaseRequests`]: requests for Leases that end in time, and the log of those that fail.

use std::time::Duration;

use klient_api::coordination::v1::Lease;
use klient_apimachinery::meta::v1::{DeleteOptions, Preconditions};
use klient_apimachinery::{List, ListOptions};
use klient_client::{Api, Client, Error, ErrorKind, InNamespace};

use crate::clock::{Moment, sleep_until};

/// Sends requests for the Leases of a namespace, each with a moment by which there is an answer.
pub(crate) struct LeaseRequests {
    leases: Api<Lease, InNamespace>,
    /// The Lease or the group in messages.
    subject: String,
    /// The feature and the verbs that it needs, for a failure that is due to their lack.
    needs: &'static str,
    /// The failure that was logged last, which is logged once. Its text is not compared: the URL has the time-out, which
    /// is that of each request.
    failure: Option<Failure>,
}

/// The kind of a failure.
#[derive(Clone, Copy, PartialEq)]
enum Failure {
    Error(ErrorKind, Option<u16>),
    Unanswered,
}

/// The reason for which a request has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    NotFound,
    /// Another version of the Lease, or one that exists already.
    Conflict,
    /// Another failure, or no answer in time.
    Failed,
}

impl LeaseRequests {
    pub(crate) fn new(client: &Client, namespace: &str, subject: String, needs: &'static str) -> Self {
        LeaseRequests { leases: client.api::<Lease>().namespace(namespace), subject, needs, failure: None }
    }

    pub(crate) fn subject(&self) -> &str {
        &self.subject
    }

    pub(crate) async fn get(&mut self, name: &str, end: Moment) -> Result<Lease, Refusal> {
        let answer = self.answer(end, async |leases| leases.get(name).await).await;
        self.result(answer)
    }

    /// Creates a Lease. A namespace that does not exist is a failure.
    pub(crate) async fn create(&mut self, lease: &Lease, end: Moment) -> Result<Lease, Refusal> {
        match self.answer(end, async |leases| leases.create(lease).await).await {
            Some(Err(error)) if error.is_not_found() => Err(self.refused(&error)),
            answer => self.result(answer),
        }
    }

    pub(crate) async fn update(&mut self, lease: &Lease, end: Moment) -> Result<Lease, Refusal> {
        let answer = self.answer(end, async |leases| leases.update(lease).await).await;
        self.result(answer)
    }

    /// Lists the Leases with a label as they are stored, not as the server remembers them.
    pub(crate) async fn list(&mut self, selector: String, end: Moment) -> Result<List<Lease>, Refusal> {
        // Without a resourceVersion.
        let options = ListOptions::labels(selector);
        let answer = self.answer(end, async |leases| leases.list(&options).await).await;
        self.result(answer)
    }

    /// Deletes a Lease, if it has the uid and the resourceVersion of this one.
    pub(crate) async fn delete(&mut self, lease: Lease, end: Moment) -> Result<(), Refusal> {
        let preconditions = Preconditions {
            uid: lease.metadata.uid,
            resource_version: lease.metadata.resource_version,
            ..Default::default()
        };
        let options = DeleteOptions { preconditions: Some(Box::new(preconditions)), ..Default::default() };
        let name = lease.metadata.name.unwrap_or_default();
        let answer = self.answer(end, async |leases| leases.delete(&name, &options).await.map(drop)).await;
        self.result(answer)
    }

    /// Sends a request; `None` if there is no answer in time.
    async fn answer<T>(
        &self,
        end: Moment,
        request: impl AsyncFnOnce(Api<Lease, InNamespace>) -> Result<T, Error>,
    ) -> Option<Result<T, Error>> {
        let time = end.duration_since(Moment::now()).max(Duration::from_millis(1));
        let leases = self.leases.clone().timeout(time);
        tokio::select! {
            // Its own time-out says more than this one.
            biased;
            answer = request(leases) => Some(answer),
            // The machine may have slept, while the client's time-out did not go on.
            () = sleep_until(end) => None,
        }
    }

    fn result<T>(&mut self, answer: Option<Result<T, Error>>) -> Result<T, Refusal> {
        match answer {
            None => {
                let problem = "no answer in time, of the server or of the rate limiter of the client, which others may use up";
                Err(self.failed(Failure::Unanswered, problem))
            }
            Some(Ok(value)) => {
                self.failure = None;
                Ok(value)
            }
            Some(Err(error)) if error.is_conflict() || error.is_already_exists() => {
                tracing::debug!("{}: a Lease was changed by another: {error}", self.subject);
                Err(Refusal::Conflict)
            }
            Some(Err(error)) if error.is_not_found() => Err(Refusal::NotFound),
            Some(Err(error)) => Err(self.refused(&error)),
        }
    }

    fn refused(&mut self, error: &Error) -> Refusal {
        let mut text = error.to_string();
        if error.is_forbidden() {
            text += &format!("; {} of leases in coordination.k8s.io", self.needs);
        }
        self.failed(Failure::Error(error.kind(), error.code()), &text)
    }

    /// Logs a failure, as an error when it is of another kind than that before.
    fn failed(&mut self, failure: Failure, text: &str) -> Refusal {
        if self.failure.replace(failure) == Some(failure) {
            tracing::debug!("{}: {text}", self.subject);
        } else {
            tracing::error!("{}: {text}; it is tried again", self.subject);
        }
        Refusal::Failed
    }
}
