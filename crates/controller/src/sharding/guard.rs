//! [`ShardGuard`], a key in hand.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::assignment::Assignment;
use super::hands::Hands;
use super::key::ShardKey;
use super::term::{ShardLoss, Term};
use crate::clock::Moment;

/// A guard: a key in hand, up to a moment that renewals of the Lease move.
///
/// - While it is valid, no other replica has a valid guard of the key. This replica may have several.
/// - It is valid up to the renew deadline after the last successful renewal was *sent*, by a clock that goes on while the
///   machine sleeps: see [`Moment`]. It is lost by itself, also if no other code of the program runs.
/// - While it is there, the key stays with this replica, also if it is another's by now, who gets it when the guard is
///   dropped. Once the guard is lost it is not valid again.
///
/// A check can be followed by a pause of any length, as when the machine sleeps between the check and the act. A system
/// that must not be written to by an earlier owner compares [`fencing_token`](Self::fencing_token) with the greatest one
/// that it has seen of the key.
#[must_use = "the key is in hand as long as the guard is there"]
pub struct ShardGuard {
    key: ShardKey,
    term: Arc<Term>,
    assignment: Assignment,
    hands: Arc<Hands>,
}

impl ShardGuard {
    pub(super) fn begin(hands: &Arc<Hands>, key: ShardKey) -> Option<Self> {
        let (term, assignment) = hands.begin(key, Moment::now())?;
        Some(ShardGuard { key, term, assignment, hands: hands.clone() })
    }

    /// The key in hand.
    pub fn key(&self) -> ShardKey {
        self.key
    }

    /// Returns `true` if no other replica can have the key in hand at present.
    pub fn is_valid(&self) -> bool {
        self.check().is_ok()
    }

    /// Returns the reason if the guard is lost.
    ///
    /// # Errors
    ///
    /// If it is lost.
    pub fn check(&self) -> Result<(), ShardLoss> {
        self.valid_until().map(drop)
    }

    /// The moment up to which the guard is valid if the Lease is not renewed.
    ///
    /// # Errors
    ///
    /// If it is lost.
    pub fn valid_until(&self) -> Result<Moment, ShardLoss> {
        self.term.valid_until(Moment::now())
    }

    /// The time for which the guard is valid if the Lease is not renewed; zero if it is lost.
    pub fn remaining(&self) -> Duration {
        self.term.remaining()
    }

    /// A number that is greater for each later owner of the key: the resourceVersion of the list of Leases by which this
    /// replica got it. Of two guards of one key at the same replica, the later one may have a greater number. `None` if the
    /// server's versions are no numbers.
    pub fn fencing_token(&self) -> Option<u64> {
        self.assignment.version().parse().ok()
    }

    /// Waits until the guard is lost.
    pub async fn lost(&self) -> ShardLoss {
        self.term.ended().await
    }

    /// Runs a future while the guard is valid, and drops it when the guard is lost.
    ///
    /// # Errors
    ///
    /// If the guard was lost before the future was ready.
    pub async fn while_valid<F: Future>(&self, work: F) -> Result<F::Output, ShardLoss> {
        self.term.run(work).await
    }

    pub(crate) fn assignment(&self) -> &Assignment {
        &self.assignment
    }
}

impl Drop for ShardGuard {
    fn drop(&mut self) {
        self.hands.end(&self.term, self.key);
    }
}

impl fmt::Debug for ShardGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShardGuard").field("key", &self.key).finish_non_exhaustive()
    }
}
