//! [`Observed`], the Lease as this candidate saw it, by its own clock.

use klient_api::coordination::v1::Lease;

use super::super::clock::{Moment, Now};
use super::super::record;
use super::{Election, Notice};

/// The multiple of the lease duration for which a Lease in other hands may stay unchanged without a warning.
const SUSPICIOUS: u32 = 4;

/// The Lease as it was last seen.
pub(super) struct Observed {
    pub(super) lease: Lease,
    /// The moment at which its record was first seen, or its deletion.
    pub(super) since: Moment,
    pub(super) is_deleted: bool,
}

impl Observed {
    /// The holder may still act on it, by local observation.
    pub(super) fn is_valid(&self, now: Now) -> bool {
        self.since + record::duration(&self.lease) > now.moment
    }
}

impl Election {
    /// Takes note of the Lease, and of a new leader.
    pub(super) fn observe(&mut self, now: Now, lease: Lease) {
        let since = match &self.observed {
            Some(before) if record::is_same_record(&before.lease, &lease) => before.since,
            _ => {
                self.has_warned = false;
                now.moment
            }
        };
        let holder = record::holder(&lease);
        if holder != self.reported.as_str() {
            self.reported = holder.into();
            if !holder.is_empty() {
                self.notices.push(Notice::NewLeader(holder.into()));
            }
        }
        self.observed = Some(Observed { lease, since, is_deleted: false });
    }

    /// Warns once of a Lease that nobody renews and nobody can take.
    pub(super) fn warn(&mut self, now: Now) {
        let Some(observed) = self.observed.as_ref().filter(|observed| !observed.is_deleted) else { return };
        let holder = record::holder(&observed.lease);
        let unchanged = now.moment.duration_since(observed.since);
        let is_other = !holder.is_empty() && holder != self.lock.identity.as_str();
        if is_other && unchanged > self.config.lease_duration * SUSPICIOUS && !self.has_warned {
            self.has_warned = true;
            let (holder, duration) = (holder.into(), record::duration(&observed.lease));
            self.notices.push(Notice::Unchanged { holder, duration });
        }
    }
}
