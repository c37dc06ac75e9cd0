//! [`Candidature`], a campaign as its candidate has it.

use std::sync::Arc;

use tokio::sync::{oneshot, watch};

use super::Shared;
use super::campaign::Campaign;
use super::leadership::Leadership;
use super::tenure::Tenure;

/// A campaign under way. Dropping it ends the campaign, unless there is a guard of it.
pub(super) struct Candidature {
    stop: Arc<watch::Sender<bool>>,
    ended: watch::Receiver<()>,
    elected: oneshot::Receiver<Arc<Tenure>>,
}

impl Candidature {
    /// Begins a campaign when no other one of the candidate is under way; `None` if the candidate was released since there
    /// were `releases`.
    pub(super) async fn begin(shared: &Shared, releases: u64) -> Option<Self> {
        let election = match shared.election.clone().try_lock_owned() {
            Ok(election) => election,
            Err(_) => {
                let lease = shared.lock.quoted();
                tracing::info!(
                    "waiting until the leadership by lease {lease} that this candidate has already has ended"
                );
                shared.election.clone().lock_owned().await
            }
        };
        let (stop, stopped) = watch::channel(false);
        let (ending, ended) = watch::channel(());
        let (elect, elected) = oneshot::channel();
        let stop = Arc::new(stop);
        if !shared.status.begin_campaign(Arc::downgrade(&stop), ended.clone(), releases) {
            return None;
        }
        let campaign = Campaign::new(
            &shared.client,
            &shared.lock,
            &shared.config,
            election,
            shared.status.clone(),
            shared.observers.clone(),
        );
        tokio::spawn(async move {
            campaign.run(stopped, elect).await;
            drop(ending);
        });
        Some(Candidature { stop, ended, elected })
    }

    /// Waits until the candidate is elected; `None` if the campaign ends before.
    pub(super) async fn elected(&mut self) -> Option<Leadership> {
        let tenure = (&mut self.elected).await.ok()?;
        Some(Leadership::new(tenure, self.stop.clone(), self.ended.clone()))
    }

    /// Ends the campaign or the leadership, and waits until the Lease is given up or the attempt to do so has failed.
    pub(super) async fn release(mut self) {
        self.stop.send_replace(true);
        // The task holds the sender, and drops it at its end.
        while self.ended.changed().await.is_ok() {}
    }
}
