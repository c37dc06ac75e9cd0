//! The Lease of a replica: its labels, its claim and its renewals.

use klient_api::coordination::v1::Lease;
use klient_apimachinery::meta::v1::ObjectMeta;
use klient_apimachinery::{MicroTime, Str};

use super::claim::{Claim, Written};
use super::config::ShardingConfig;
use crate::clock::Now;
use crate::lease::whole_seconds;

/// The label of the Leases of a group, whose value is the name of the group.
pub const GROUP_LABEL: &str = "sharding.klient.dev/group";

/// The annotation of a Lease with the claim of its replica, as JSON: the `members` of its view, the hashes of keys that are
/// `retained`, and the greatest resourceVersions that were `written`.
pub const CLAIM_ANNOTATION: &str = "sharding.klient.dev/claim";

/// The claim of a Lease as text.
pub(super) fn claim_text(lease: &Lease) -> Option<&str> {
    lease.metadata.annotations.get(CLAIM_ANNOTATION).map(Str::as_str)
}

/// The Lease of a replica with a claim, renewed.
pub(super) fn renewed(
    config: &ShardingConfig,
    name: &str,
    identity: &str,
    epoch: i32,
    base: Option<&Lease>,
    claim: &str,
    now: Now,
) -> Lease {
    let mut lease = base.cloned().unwrap_or_else(|| Lease {
        metadata: ObjectMeta::named(name).in_namespace(&*config.namespace),
        ..Default::default()
    });
    lease.metadata.labels.insert(GROUP_LABEL, config.name.clone());
    lease.metadata.annotations.insert(CLAIM_ANNOTATION, claim.into());
    let spec = &mut lease.spec;
    if spec.lease_transitions != Some(epoch) {
        spec.acquire_time = Some(now.wall);
    }
    spec.holder_identity = Some(identity.into());
    spec.lease_duration_seconds = Some(whole_seconds(config.lease_duration));
    spec.lease_transitions = Some(epoch);
    spec.renew_time = Some(renew_time(spec.renew_time, now.wall));
    lease
}

/// The Lease of a replica that is dead, without its claim to keys. The versions that it has written stay, for those who get
/// its keys later.
pub(super) fn buried(lease: &Lease, written: &Written) -> Lease {
    let mut lease = lease.clone();
    let claim = Claim { written: written.clone(), ..Claim::none() };
    lease.metadata.annotations.insert(CLAIM_ANNOTATION, claim.encode().into());
    lease
}

/// A renew time that is not the one before, since others see by it that the Lease was renewed.
fn renew_time(before: Option<MicroTime>, now: MicroTime) -> MicroTime {
    match before {
        Some(before) if before == now => MicroTime::from_unix_micros(now.unix_micros() + 1),
        _ => now,
    }
}
