//! [`Readiness`], the last answer of the cluster to a probe.

use std::time::Duration;

use klient_client::Client;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// The time for which an answer of the cluster is good, so that probes ask it once a second at most.
const GOOD: Duration = Duration::from_secs(1);

/// The longest wait for an answer of the cluster.
const PATIENCE: Duration = Duration::from_secs(3);

/// The last answer of the cluster to a probe: its time and the problem.
#[derive(Debug, Default)]
pub(crate) struct Readiness(Mutex<Option<(Instant, Option<&'static str>)>>);

impl Readiness {
    /// The reason for which requests would fail now. It says no more, since those who ask are not known.
    pub(crate) async fn problem(&self, client: &Client) -> Option<&'static str> {
        let mut last = self.0.lock().await;
        if let Some((at, problem)) = *last
            && at.elapsed() < GOOD
        {
            return problem;
        }
        let problem = match tokio::time::timeout(PATIENCE, client.discovery().version()).await {
            Ok(Ok(_)) => None,
            Ok(Err(error)) => {
                tracing::debug!(%error, "the cluster does not answer");
                Some("the cluster cannot be reached")
            }
            Err(_) => Some("the cluster does not answer"),
        };
        *last = Some((Instant::now(), problem));
        problem
    }
}
