//! [`Status`]: the state of an election, as those see it who do not take part.

use std::sync::{Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use klient_apimachinery::Str;
use tokio::sync::{Notify, watch};

use super::clock::Moment;
use super::election::Term;

/// The state of an election for health checks and for information.
#[derive(Default)]
pub(super) struct Status {
    fields: Mutex<Fields>,
    /// Told when the candidate is released.
    released: Notify,
}

#[derive(Default)]
struct Fields {
    leader: Str,
    term: Option<Term>,
    /// The handles to the last campaign, and its end.
    campaign: Option<CampaignHandle>,
    /// The number of times that the candidate was released.
    releases: u64,
}

type CampaignHandle = (Weak<watch::Sender<bool>>, watch::Receiver<()>);

impl Status {
    /// The holder of the Lease that was seen last; empty before one was seen.
    pub(super) fn leader(&self) -> Str {
        self.fields().leader.clone()
    }

    /// The term of this candidate is valid.
    pub(super) fn is_leader(&self) -> bool {
        self.fields().term.as_ref().is_some_and(|term| term.tenure.valid_until(Moment::now()).is_ok())
    }

    /// The age of the last renewal, if somebody has a handle to the term, which may be over.
    pub(super) fn age_in_use(&self) -> Option<Duration> {
        let fields = self.fields();
        let (handle, _) = fields.campaign.as_ref()?;
        handle.upgrade()?;
        Some(Moment::now().duration_since(fields.term.as_ref()?.renewed))
    }

    /// The number of times that the candidate was released.
    pub(super) fn releases(&self) -> u64 {
        self.fields().releases
    }

    /// Waits until the candidate is released, if it was not since there were `releases`.
    pub(super) async fn released_since(&self, releases: u64) {
        let released = self.released.notified();
        if self.releases() == releases {
            released.await;
        }
    }

    /// Releases the candidate: the campaign that was begun last, which is to be ended.
    pub(super) fn end_campaign(&self) -> Option<CampaignHandle> {
        let mut fields = self.fields();
        fields.releases += 1;
        self.released.notify_waiters();
        fields.campaign.clone()
    }

    /// Takes note of a new campaign. Returns false, for one that must not begin, if the candidate was released since.
    pub(super) fn begin_campaign(
        &self,
        handle: Weak<watch::Sender<bool>>,
        ended: watch::Receiver<()>,
        releases: u64,
    ) -> bool {
        let mut fields = self.fields();
        let begins = fields.releases == releases;
        if begins {
            fields.campaign = Some((handle, ended));
            fields.term = None;
        }
        begins
    }

    pub(super) fn set_leader(&self, leader: Str) {
        self.fields().leader = leader;
    }

    /// Takes note of a term. One that is over stays until the next campaign begins.
    pub(super) fn set_term(&self, term: Option<&Term>) {
        if let Some(term) = term {
            self.fields().term = Some(term.clone());
        }
    }

    fn fields(&self) -> MutexGuard<'_, Fields> {
        self.fields.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
