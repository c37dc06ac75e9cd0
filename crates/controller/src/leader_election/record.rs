//! The record of an election in a Lease: reading it, and the Leases that candidates write.

use klient_api::coordination::v1::Lease;
use klient_apimachinery::MicroTime;

use super::clock::Now;
use super::config::{LeaderElectionConfig, LeaseLock};
use crate::lease::whole_seconds;
pub(super) use crate::lease::{duration, holder, is_same_record, transitions};

const SECOND: i64 = 1_000_000;

/// The end of the year 9999, after which times cannot be written.
const LAST: i64 = 253_402_300_799 * SECOND;

/// The candidate to which a holder gives the Lease up in coordinated leader election.
pub(super) fn preferred_holder(lease: &Lease) -> &str {
    lease.spec.preferred_holder.as_deref().unwrap_or_default()
}

/// The Lease for a new term. `base` is the Lease as it was last seen, also if it was deleted since.
pub(super) fn taken(
    lock: &LeaseLock,
    config: &LeaderElectionConfig,
    base: Option<&Lease>,
    now: Now,
) -> Lease {
    let mut lease = renewed(lock, config, base, now);
    // A token is never used twice, also if the same identity is elected again.
    lease.spec.lease_transitions = Some(base.map_or(0, |base| transitions(base).saturating_add(1)));
    lease.spec.acquire_time = Some(now.wall);
    lease
}

/// The Lease with another renew time.
pub(super) fn renewed(
    lock: &LeaseLock,
    config: &LeaderElectionConfig,
    base: Option<&Lease>,
    now: Now,
) -> Lease {
    let mut lease = base.cloned().unwrap_or_default();
    lease.metadata.name = Some(lock.name.clone());
    lease.metadata.namespace = Some(lock.namespace.clone());
    for (key, value) in &lock.labels {
        lease.metadata.labels.insert(key, value.clone());
    }
    lease.spec.holder_identity = Some(lock.identity.clone());
    lease.spec.lease_duration_seconds = Some(whole_seconds(config.lease_duration));
    lease.spec.renew_time = Some(renew_time(lease.spec.renew_time, now.wall));
    lease
}

/// The Lease without a holder, as it is left by one that stops.
pub(super) fn released(base: &Lease, now: Now) -> Lease {
    let mut lease = base.clone();
    lease.spec.holder_identity = Some(Default::default());
    lease.spec.lease_duration_seconds = Some(1);
    lease.spec.acquire_time = Some(now.wall);
    lease.spec.renew_time = Some(renew_time(lease.spec.renew_time, now.wall));
    lease
}

/// The Lease as a new object, after the one before was deleted: without its owners, with which it may have gone.
pub(super) fn recreated(lock: &LeaseLock, lease: Lease) -> Lease {
    let mut new = Lease { spec: lease.spec, ..Default::default() };
    new.metadata.name = Some(lock.name.clone());
    new.metadata.namespace = Some(lock.namespace.clone());
    new.metadata.labels = lock.labels.clone();
    new
}

/// A renew time in another second than the one before: the present, or the next second.
///
/// Others see by a record that changes that the Lease was renewed, and client-go compares whole seconds: with the same
/// second, its electors would not see the renewal. After the wall clock was set back the time is earlier.
fn renew_time(before: Option<MicroTime>, now: MicroTime) -> MicroTime {
    let Some(before) = before.map(MicroTime::unix_micros).filter(|before| *before < LAST) else { return now };
    let next = before + SECOND;
    if now.unix_micros().div_euclid(SECOND) != before.div_euclid(SECOND) {
        now
    } else {
        MicroTime::from_unix_micros(next)
    }
}
