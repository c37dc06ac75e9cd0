//! [`LeaderCallbacks`], for programs in the form of client-go's.

use std::fmt;
use std::pin::Pin;

use super::leadership::Leadership;

/// The functions that [`run_callbacks`](super::LeaderElector::run_callbacks) calls (client-go's `LeaderCallbacks`).
pub struct LeaderCallbacks {
    on_started_leading: Started,
    on_stopped_leading: Box<dyn FnOnce() + Send>,
    on_new_leader: Option<NewLeader>,
}

type Started = Box<dyn FnOnce(Leadership) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>;
type NewLeader = Box<dyn Fn(&str) + Send + Sync>;

impl LeaderCallbacks {
    /// Callbacks for the begin and the end of leading.
    ///
    /// - `on_started_leading` runs once this candidate leads; the future is dropped when the leadership is lost;
    /// - `on_stopped_leading` is called at the end, as in client-go: also if this candidate never led, but not if the future of
    ///   [`run_callbacks`](super::LeaderElector::run_callbacks) is dropped.
    pub fn new<F>(
        on_started_leading: impl FnOnce(Leadership) -> F + Send + 'static,
        on_stopped_leading: impl FnOnce() + Send + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        LeaderCallbacks {
            on_started_leading: Box::new(|leadership| Box::pin(on_started_leading(leadership))),
            on_stopped_leading: Box::new(on_stopped_leading),
            on_new_leader: None,
        }
    }

    /// Adds a function that is called with the identity of each leader that is not the one before, also that of this
    /// candidate. It must not block.
    pub fn on_new_leader(mut self, on_new_leader: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.on_new_leader = Some(Box::new(on_new_leader));
        self
    }

    pub(super) fn into_parts(self) -> (Started, Box<dyn FnOnce() + Send>, Option<NewLeader>) {
        (self.on_started_leading, self.on_stopped_leading, self.on_new_leader)
    }
}

impl fmt::Debug for LeaderCallbacks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeaderCallbacks").finish_non_exhaustive()
    }
}
