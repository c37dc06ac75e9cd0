//! [`ElectionEvent`] and the functions that are told of it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use klient_api::coordination::v1::Lease;

use super::tenure::Loss;

/// A change of an election, which [observers](super::LeaderElector::observe) are told of.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum ElectionEvent<'a> {
    /// This candidate was elected.
    BecameLeader {
        /// The identity of this candidate.
        identity: &'a str,
        /// The Lease as it was written.
        lease: &'a Lease,
    },
    /// This candidate was leader, and is no more.
    StoppedLeading {
        /// The identity of this candidate.
        identity: &'a str,
        /// The Lease as it was last seen.
        lease: &'a Lease,
        /// The reason.
        loss: &'a Loss,
    },
    /// The Lease has another holder than before, which may be this candidate.
    NewLeader {
        /// The identity of the holder.
        identity: &'a str,
    },
}

impl ElectionEvent<'_> {
    /// The reason of the Kubernetes Events that client-go records for elections.
    pub const REASON: &'static str = "LeaderElection";

    /// The note of the Kubernetes Event that client-go records, about the Lease: `<identity> became leader` and
    /// `<identity> stopped leading`. There is none for new leaders.
    pub fn note(&self) -> Option<String> {
        match self {
            ElectionEvent::BecameLeader { identity, .. } => Some(format!("{identity} became leader")),
            ElectionEvent::StoppedLeading { identity, .. } => Some(format!("{identity} stopped leading")),
            ElectionEvent::NewLeader { .. } => None,
        }
    }

    /// The Lease that the event is about, as it was last seen.
    pub fn lease(&self) -> Option<&Lease> {
        match self {
            ElectionEvent::BecameLeader { lease, .. } | ElectionEvent::StoppedLeading { lease, .. } => {
                Some(lease)
            }
            ElectionEvent::NewLeader { .. } => None,
        }
    }
}

/// A function that is told of changes.
pub(super) type Observer = Arc<dyn Fn(&ElectionEvent<'_>) + Send + Sync>;

/// The functions that are told of changes.
#[derive(Default)]
pub(super) struct Observers(Mutex<Vec<Observer>>);

/// An observer, as long as this is not dropped.
pub(super) struct Observing<'a> {
    observers: &'a Observers,
    observer: Observer,
}

impl Observers {
    pub(super) fn add(&self, observer: Observer) {
        self.list().push(observer);
    }

    /// Adds an observer for a time.
    pub(super) fn add_scoped(&self, observer: Observer) -> Observing<'_> {
        self.add(observer.clone());
        Observing { observers: self, observer }
    }

    /// Calls every observer. One that panics does not end the campaign.
    pub(super) fn tell(&self, event: &ElectionEvent<'_>) {
        let observers = self.list().clone();
        for observer in observers {
            if catch_unwind(AssertUnwindSafe(|| observer(event))).is_err() {
                tracing::error!("an observer of a leader election panicked");
            }
        }
    }

    fn list(&self) -> MutexGuard<'_, Vec<Observer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Observing<'_> {
    fn drop(&mut self) {
        self.observers.list().retain(|observer| !Arc::ptr_eq(observer, &self.observer));
    }
}
