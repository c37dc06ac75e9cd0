//! [`LeaseCandidate`], a candidate of coordinated leader election.

use std::time::Duration;

use klient_api::coordination::v1beta1::{LeaseCandidate as Object, LeaseCandidateSpec};
use klient_apimachinery::fields::Selector;
use klient_apimachinery::go::quoted;
use klient_apimachinery::meta::v1::ObjectMeta;
use klient_apimachinery::{MicroTime, Str};
use klient_client::{Api, Client, Error, InNamespace, WatchEvent, WatchOptions};
use klient_workqueue::Backoff;

/// The longest time between renewals.
const REQUEUE_INTERVAL: Duration = Duration::from_secs(5 * 60);

/// The wait after the server ended a watch.
const REOPEN: Duration = Duration::from_secs(1);

/// The delays after failures, up to those of client-go's work queues.
const BACKOFF: Backoff = Backoff {
    duration: Duration::from_millis(500),
    factor: 2.0,
    jitter: 0.2,
    steps: 16,
    cap: Some(Duration::from_secs(60)),
};

/// The LeaseCandidate object by which a process stands for coordinated leader election (KEP-4355; client-go's
/// `leaderelection.NewCandidate`). The control plane picks the holder of the Lease among the candidates, and an elector
/// with [`coordinated`](super::LeaderElectionConfig::coordinated) renews it.
///
/// ```no_run
/// # async fn f(client: klient_client::Client, elector: klient_controller::leader_election::LeaderElector) {
/// use klient_controller::leader_election::LeaseCandidate;
///
/// let candidate = LeaseCandidate {
///     namespace: "default".into(),
///     name: "my-operator-0".into(),
///     lease_name: "my-operator".into(),
///     binary_version: "1.2.0".into(),
///     emulation_version: "1.2.0".into(),
///     ..Default::default()
/// };
/// tokio::select! {
///     () = candidate.run(&client) => {}
///     _ = elector.run_with_reelection(async |leadership| { /* … */ }) => {}
/// }
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct LeaseCandidate {
    /// The namespace of the LeaseCandidate and of the Lease.
    pub namespace: Str,
    /// The name of the LeaseCandidate, which is the identity of the elector.
    pub name: Str,
    /// The name of the Lease.
    pub lease_name: Str,
    /// The version of the program.
    pub binary_version: Str,
    /// The version that the program behaves as.
    pub emulation_version: Str,
    /// The method by which the holder is picked; `OldestEmulationVersion` by default.
    pub strategy: Str,
}

impl Default for LeaseCandidate {
    fn default() -> Self {
        LeaseCandidate {
            namespace: Str::default(),
            name: Str::default(),
            lease_name: Str::default(),
            binary_version: Str::default(),
            emulation_version: Str::default(),
            strategy: "OldestEmulationVersion".into(),
        }
    }
}

impl LeaseCandidate {
    /// Creates the object, and renews it when the control plane asks for a sign of life, when it was deleted, and each five
    /// minutes, until the future is dropped. Failures are logged, each once, and tried again with a backoff.
    pub async fn run(&self, client: &Client) {
        let candidates = client.api::<Object>().namespace(&self.namespace);
        let mut backoff = BACKOFF;
        let mut failure = None;
        loop {
            match self.renew_and_wait(&candidates).await {
                Ok(()) => (backoff, failure) = (BACKOFF, None),
                Err(error) => {
                    let name = quoted(format!("{}/{}", self.namespace, self.name));
                    // The URL of a watch has a version, which changes.
                    let kind = (error.kind(), error.code());
                    if failure.replace(kind) == Some(kind) {
                        tracing::debug!("lease candidate {name}: {error}");
                    } else {
                        tracing::error!("lease candidate {name}: {error}; it is tried again");
                    }
                    tokio::time::sleep(backoff.step()).await;
                }
            }
        }
    }

    /// Creates or renews the object, and waits until that is due again.
    async fn renew_and_wait(&self, candidates: &Api<Object, InNamespace>) -> Result<(), Error> {
        let renewed = self.renew(candidates).await?;
        let options = WatchOptions {
            field_selector: Some(Selector::one("metadata.name", &self.name).to_string().into()),
            resource_version: renewed.metadata.resource_version,
            ..Default::default()
        };
        match tokio::time::timeout(REQUEUE_INTERVAL, ping(candidates, options)).await {
            Ok(result) => result,
            Err(_) => Ok(()),
        }
    }

    async fn renew(&self, candidates: &Api<Object, InNamespace>) -> Result<Object, Error> {
        let now = Some(MicroTime::now());
        match candidates.get_opt(&self.name).await? {
            Some(mut candidate) => {
                // A program of another version may have left it.
                candidate.spec.binary_version = self.binary_version.clone();
                candidate.spec.emulation_version = Some(self.emulation_version.clone());
                candidate.spec.strategy = self.strategy.clone();
                candidate.spec.renew_time = now;
                candidates.update(&candidate).await
            }
            None => {
                let spec = LeaseCandidateSpec {
                    lease_name: self.lease_name.clone(),
                    binary_version: self.binary_version.clone(),
                    emulation_version: Some(self.emulation_version.clone()),
                    strategy: self.strategy.clone(),
                    renew_time: now,
                    ..Default::default()
                };
                let metadata = ObjectMeta::named(self.name.clone());
                candidates.create(&Object { metadata, spec, ..Default::default() }).await
            }
        }
    }
}

/// Waits until the control plane asks for a sign of life, the object was deleted, or the server ends the watch.
async fn ping(candidates: &Api<Object, InNamespace>, options: WatchOptions) -> Result<(), Error> {
    let mut watch = candidates.watch(&options).await?;
    while let Some(event) = watch.next().await {
        match event? {
            WatchEvent::Added(candidate) | WatchEvent::Modified(candidate)
                if candidate.spec.ping_time > candidate.spec.renew_time =>
            {
                return Ok(());
            }
            WatchEvent::Deleted(_) => return Ok(()),
            _ => {}
        }
    }
    tokio::time::sleep(REOPEN).await;
    Ok(())
}
