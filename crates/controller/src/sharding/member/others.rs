//! [`Others`], the other replicas of the group as this one sees them, by its own clock.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use klient_api::coordination::v1::Lease;
use klient_apimachinery::Str;

use super::super::assignment::Blocker;
use super::super::claim::Claim;
use super::super::key::ShardKey;
use super::super::record;
use super::super::share::Share;
use super::step::Request;
use crate::clock::Moment;
use crate::lease::{duration, holder, is_same_record};

/// The other replicas of the group, by the names of their Leases.
#[derive(Default)]
pub(super) struct Others(BTreeMap<Str, Other>);

/// Another replica.
pub(super) struct Other {
    pub(super) identity: Str,
    pub(super) claim: Arc<Claim>,
    lease: Lease,
    /// The moment at which the record of the Lease and its claim were first seen, or its absence.
    since: Moment,
    /// Somebody deleted the Lease before the claim was given up.
    is_gone: bool,
}

impl Others {
    /// Takes note of a list that was sent at a moment, and answered now.
    pub(super) fn observe(&mut self, leases: Vec<Lease>, sent: Moment, now: Moment) {
        let mut before = std::mem::take(&mut self.0);
        for lease in leases {
            let name = lease.metadata.name.clone().unwrap_or_default();
            let known = before.remove(&name);
            self.0.insert(name, Other::seen(lease, known, now));
        }
        // One whose Lease is not there any more may have renewed it, unseen, and claimed other keys.
        for (name, mut other) in before {
            if !other.is_gone && other.may_act(sent) {
                other.is_gone = true;
                other.since = now;
                other.claim = Arc::new(Claim::everything(&other.identity));
            }
            if other.may_act(sent) {
                self.0.insert(name, other);
            }
        }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Other> {
        self.0.values()
    }

    /// The identities of those that share keys, by a list that was sent at a moment.
    pub(super) fn members(&self, sent: Moment) -> impl Iterator<Item = Str> {
        let members = self.all().filter(move |other| other.may_act(sent) && !other.claim.share.is_none());
        members.map(|other| other.identity.clone())
    }

    /// The first thing that is to be cleared up by the owner of a share, which the name of the Lease belongs to.
    pub(super) fn clear_up(&self, sent: Moment, lease_duration: Duration, share: &Share) -> Option<Request> {
        self.0.iter().filter(|(name, _)| share.has(ShardKey::from(name.as_str()))).find_map(|(_, other)| {
            if other.claim.is_none() {
                let is_old = sent >= other.since + 2 * lease_duration.max(duration(&other.lease));
                is_old.then(|| Request::Delete(Box::new(other.lease.clone())))
            } else {
                let is_dead = !other.is_gone && !other.may_act(sent);
                is_dead.then(|| Request::Update(Box::new(record::buried(&other.lease, &other.claim.written))))
            }
        })
    }
}

impl Other {
    fn seen(lease: Lease, known: Option<Other>, now: Moment) -> Self {
        let holder = holder(&lease);
        let identity: Str =
            if holder.is_empty() { lease.metadata.name.clone().unwrap_or_default() } else { holder.into() };
        let text = record::claim_text(&lease);
        let known = known.filter(|known| !known.is_gone);
        let (claim, since) = match known {
            Some(known) if record::claim_text(&known.lease) == text && known.identity == identity => {
                let since = if is_same_record(&known.lease, &lease) { known.since } else { now };
                (known.claim, since)
            }
            _ => (Arc::new(Claim::decode(text, &identity)), now),
        };
        Other { identity, claim, lease, since, is_gone: false }
    }

    /// The replica may act on the keys that it claims, by a list that was sent at a moment: it claims some, and its record
    /// was not seen to stay the same for its duration. The moment of the answer would not do: a renewal may have come
    /// between the list and its answer.
    pub(super) fn may_act(&self, sent: Moment) -> bool {
        !self.claim.is_none() && sent < self.since + duration(&self.lease)
    }

    pub(super) fn blocker(&self) -> Blocker {
        Blocker { identity: self.identity.clone(), claim: self.claim.clone() }
    }
}
