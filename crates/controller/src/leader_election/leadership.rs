//! [`Leadership`], the guard of one who leads.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::watch;

use super::clock::Moment;
use super::tenure::{Loss, Tenure};

/// A guard: being the leader, up to a moment that renewals move.
///
/// - It is valid up to the renew deadline after the last successful renewal was *sent*. Others can take the Lease at the
///   earliest one lease duration after that renewal was stored, so that it is lost before another candidate can win.
/// - Time is that of a clock that goes on while the machine sleeps: see [`Moment`].
/// - It is renewed by a task of the runtime while there are handles to it. Its validity does not depend on that task:
///   [`is_valid`](Self::is_valid) is `false` at the right time even if no other code of the program runs.
/// - Once it was lost it is not valid again; a new term has a new guard.
///
/// Clones are handles to the same guard. When the last of them is dropped, it ends and the Lease is given up.
///
/// A check can be followed by a pause of any length, as when the machine sleeps between the check and the act. A system
/// that must not be written to by an earlier leader compares [`fencing_token`](Self::fencing_token) with the greatest one
/// that it has seen.
#[derive(Clone, Debug)]
pub struct Leadership {
    tenure: Arc<Tenure>,
    stop: Arc<watch::Sender<bool>>,
    ended: watch::Receiver<()>,
}

impl Leadership {
    pub(super) fn new(
        tenure: Arc<Tenure>,
        stop: Arc<watch::Sender<bool>>,
        ended: watch::Receiver<()>,
    ) -> Self {
        Leadership { tenure, stop, ended }
    }

    /// Returns `true` if no other candidate can lead at present.
    pub fn is_valid(&self) -> bool {
        self.check().is_ok()
    }

    /// Returns the reason if the guard is lost.
    ///
    /// # Errors
    ///
    /// If it is lost.
    pub fn check(&self) -> Result<(), Loss> {
        self.valid_until().map(drop)
    }

    /// The moment up to which the guard is valid if it is not renewed.
    ///
    /// # Errors
    ///
    /// If it is lost.
    pub fn valid_until(&self) -> Result<Moment, Loss> {
        self.tenure.valid_until(Moment::now())
    }

    /// The time for which the guard is valid if it is not renewed; zero if it is lost. An act that takes longer may end
    /// after another candidate was elected.
    pub fn remaining(&self) -> Duration {
        self.tenure.remaining()
    }

    /// A number that is greater for each later term, of whichever candidate of klient: the `leaseTransitions` of the
    /// Lease.
    ///
    /// client-go keeps the number when the same identity takes the Lease again, and begins at zero when the Lease was
    /// deleted. If nobody who saw the Lease is there any more, klient begins at zero too.
    pub fn fencing_token(&self) -> i32 {
        self.tenure.token()
    }

    /// Waits until the guard is lost.
    pub async fn lost(&self) -> Loss {
        self.tenure.ended().await
    }

    /// Runs a future while the guard is valid, and drops it when the guard is lost.
    ///
    /// # Errors
    ///
    /// If the guard was lost before the future was ready.
    pub async fn while_valid<F: Future>(&self, work: F) -> Result<F::Output, Loss> {
        self.tenure.run(work).await
    }

    /// Ends the guard if there is no other handle to it, and waits until the Lease is given up or the attempt to do so has
    /// failed.
    pub(crate) async fn release_if_last(self) {
        if Arc::strong_count(&self.stop) == 1 {
            self.release().await;
        }
    }

    pub(super) fn downgrade(&self) -> WeakLeadership {
        let Leadership { tenure, stop, ended } = self;
        WeakLeadership { tenure: tenure.clone(), stop: Arc::downgrade(stop), ended: ended.clone() }
    }

    /// Ends the guard, for all clones, and waits until the Lease is given up or the attempt to do so has failed.
    pub async fn release(mut self) {
        self.stop.send_replace(true);
        // The task holds the sender, and drops it at its end.
        while self.ended.changed().await.is_ok() {}
    }
}

/// A handle that does not keep the leadership.
pub(super) struct WeakLeadership {
    tenure: Arc<Tenure>,
    stop: Weak<watch::Sender<bool>>,
    ended: watch::Receiver<()>,
}

impl WeakLeadership {
    /// The guard, if somebody has it and it is valid.
    pub(super) fn upgrade(&self) -> Option<Leadership> {
        let stop = self.stop.upgrade()?;
        let leadership = Leadership::new(self.tenure.clone(), stop, self.ended.clone());
        leadership.is_valid().then_some(leadership)
    }
}
