//! Leases as leader election and sharding read them, and [`Times`], the rules for the times of those who renew them.

use std::time::Duration;

use klient_api::coordination::v1::Lease;

/// The random part of a candidate's wait between attempts, as a factor of the retry period, and the least ratio of renew
/// deadline and retry period.
pub const JITTER_FACTOR: f64 = 1.2;

/// The times of one who renews a Lease.
pub(crate) struct Times {
    /// The time without a renewal after which others take over.
    pub(crate) lease: Duration,
    /// The time after the last renewal at which the holder stops.
    pub(crate) renew: Duration,
    /// The time between renewals.
    pub(crate) retry: Duration,
}

impl Times {
    /// The conditions of client-go's `NewLeaderElector`. Returns the one that is not met.
    pub(crate) fn check(&self) -> Result<(), String> {
        let Times { lease, renew, retry } = *self;
        if lease.is_zero() || renew.is_zero() || retry.is_zero() {
            return Err("lease_duration, renew_deadline and retry_period must be greater than zero".into());
        }
        // Rounded up to whole seconds it is an int32 of the Lease.
        if !i32::try_from(lease.as_secs()).is_ok_and(|seconds| seconds < i32::MAX) {
            return Err(format!("lease_duration ({}) must be below 2^31 - 1 seconds", seconds(lease)));
        }
        if lease <= renew {
            return Err(format!(
                "lease_duration ({}) must be greater than renew_deadline ({})",
                seconds(lease),
                seconds(renew)
            ));
        }
        // The first comparison bounds the product.
        if renew <= retry || renew <= retry.mul_f64(JITTER_FACTOR) {
            return Err(format!(
                "renew_deadline ({}) must be greater than retry_period ({}) times {JITTER_FACTOR}",
                seconds(renew),
                seconds(retry)
            ));
        }
        Ok(())
    }

    /// The time-out of a request: half of the renew deadline as in client-go's `NewFromKubeconfig`, and no longer than the
    /// term that it is to renew.
    pub(crate) fn request_timeout(&self) -> Duration {
        (self.renew / 2).max(Duration::from_secs(1)).min(self.renew)
    }
}

/// The identity of the holder; empty if nobody holds the Lease.
pub(crate) fn holder(lease: &Lease) -> &str {
    lease.spec.holder_identity.as_deref().unwrap_or_default()
}

/// The time without a renewal after which the Lease can be taken. One without a duration can be taken at once.
pub(crate) fn duration(lease: &Lease) -> Duration {
    let seconds = lease.spec.lease_duration_seconds.unwrap_or_default();
    Duration::from_secs(u64::try_from(seconds).unwrap_or_default())
}

/// The fencing token of the holder's term.
pub(crate) fn transitions(lease: &Lease) -> i32 {
    lease.spec.lease_transitions.unwrap_or_default()
}

/// A duration as a Lease has it: in seconds, rounded up.
pub(crate) fn whole_seconds(duration: Duration) -> i32 {
    let seconds = duration.as_secs().saturating_add(u64::from(duration.subsec_nanos() > 0));
    i32::try_from(seconds).unwrap_or(i32::MAX)
}

/// The Lease has the same record: nobody has renewed, taken or released it. Other fields do not count.
pub(crate) fn is_same_record(a: &Lease, b: &Lease) -> bool {
    let (a, b) = (&a.spec, &b.spec);
    a.holder_identity == b.holder_identity
        && a.lease_duration_seconds == b.lease_duration_seconds
        && a.acquire_time == b.acquire_time
        && a.renew_time == b.renew_time
        && a.lease_transitions == b.lease_transitions
        && a.strategy == b.strategy
        && a.preferred_holder == b.preferred_holder
}

fn seconds(duration: Duration) -> String {
    format!("{} s", duration.as_secs_f64())
}
