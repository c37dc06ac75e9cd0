//! [`LeaderElectionConfig`] and [`LeaseLock`]: the times of an election and its Lease.

use std::time::Duration;

use klient_apimachinery::go::quoted;
use klient_apimachinery::{Map, Str};

use crate::error::{Error, ErrorKind};
use crate::host_name::host_name;
pub use crate::lease::JITTER_FACTOR;
use crate::lease::Times;

/// The Lease of an election, and the identity under which this process is a candidate (client-go's
/// `resourcelock.LeaseLock`).
#[derive(Clone, Debug, Default)]
pub struct LeaseLock {
    /// The namespace of the Lease.
    pub namespace: Str,
    /// The name of the Lease.
    pub name: Str,
    /// The name of this candidate, which no other process uses at the same time, such as the name of its pod; by default the
    /// name of the host with a random suffix.
    ///
    /// As in client-go, a candidate takes over a Lease that its own identity holds without a wait, so that a process
    /// that crashed and was restarted under the same name leads at once. Two processes with one identity take the Lease
    /// from each other, and lead at once until the first of them notices, at its next renewal. It notices by
    /// `leaseTransitions`, which client-go keeps when it takes the Lease of its own identity: a client-go process with the
    /// same identity is not noticed, and both go on.
    pub identity: Str,
    /// Labels that the Lease gets when it is written. Other labels of it stay.
    pub labels: Map<Str>,
}

/// The times and options of an election (client-go's `LeaderElectionConfig`).
///
/// All candidates of an election should have the same times.
#[derive(Clone, Debug)]
pub struct LeaderElectionConfig {
    /// The time without a renewal after which other candidates take the Lease over, in whole seconds: fractions are
    /// rounded up. 15 s by default.
    pub lease_duration: Duration,
    /// The time after the last renewal at which a leader that cannot renew loses its leadership; shorter than
    /// `lease_duration`, to allow for clocks of different speed. 10 s by default.
    pub renew_deadline: Duration,
    /// The time between renewals of a leader. Candidates wait for 1 to 2.2 times as long between attempts, at random. 2 s
    /// by default.
    pub retry_period: Duration,
    /// The holder gives the Lease up when it stops, so that another candidate can take it at once (client-go's
    /// `ReleaseOnCancel`). `true` by default, unlike client-go's: guards end before the Lease is given up.
    pub release_on_cancel: bool,
    /// The name of the election in metrics; that of the Lease if it is empty.
    pub name: Str,
    /// Coordinated leader election (KEP-4355): the control plane picks the holder among the
    /// [`LeaseCandidate`](super::LeaseCandidate)s. The elector only renews the Lease while it holds it, and loses it when
    /// another holder is preferred.
    ///
    /// The control plane compares the renew time of the Lease with its own clock: a guard is lost before another can win
    /// only if the wall clocks of both agree, up to the difference of `lease_duration` and `renew_deadline`.
    pub coordinated: bool,
}

impl Default for LeaderElectionConfig {
    fn default() -> Self {
        LeaderElectionConfig {
            lease_duration: Duration::from_secs(15),
            renew_deadline: Duration::from_secs(10),
            retry_period: Duration::from_secs(2),
            release_on_cancel: true,
            name: Str::default(),
            coordinated: false,
        }
    }
}

impl LeaderElectionConfig {
    /// The conditions of client-go's `NewLeaderElector`.
    pub(super) fn check(&self) -> Result<(), Error> {
        self.times()
            .check()
            .map_err(|problem| Error::new(ErrorKind::Config, format!("leader election: {problem}")))
    }

    /// The time-out of a request.
    pub(super) fn request_timeout(&self) -> Duration {
        self.times().request_timeout()
    }

    fn times(&self) -> Times {
        Times { lease: self.lease_duration, renew: self.renew_deadline, retry: self.retry_period }
    }
}

impl LeaseLock {
    /// Gives the candidate its default name, if it has none.
    pub(super) fn with_identity(mut self) -> Self {
        if self.identity.is_empty() {
            let suffix: String = (0..8).map(|_| fastrand::lowercase()).collect();
            self.identity = format!("{}_{suffix}", host_name()).into();
        }
        self
    }

    /// The Lease in messages.
    pub(super) fn quoted(&self) -> String {
        quoted(format!("{}/{}", self.namespace, self.name))
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        for (value, field) in [(&self.name, "name"), (&self.namespace, "namespace")] {
            if value.is_empty() {
                let lease = self.quoted();
                return Err(Error::new(
                    ErrorKind::Config,
                    format!("leader election: the {field} of lock {lease} is empty"),
                ));
            }
        }
        Ok(())
    }
}
