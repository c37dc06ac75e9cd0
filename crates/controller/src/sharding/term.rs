//! [`Term`], the time for which the Lease of a replica can be relied on, and [`ShardLoss`], its end.

use std::fmt;

use crate::tenure::{Reason, Tenure};

/// The time for which the Lease of a replica can be relied on.
pub(super) type Term = Tenure<ShardLoss>;

/// The reason for which a replica lost its keys.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ShardLoss {
    /// The Lease of the replica was not renewed in time: the API server could not be reached or refused, or the machine
    /// slept.
    Expired,
    /// The Leases of the group could not be listed for a lease duration, while that of the replica could be renewed: others
    /// get its keys, in place of nobody.
    Unlisted,
    /// Somebody else has changed or deleted the Lease of the replica.
    Changed,
    /// The replica has left the group.
    Left,
}

impl Reason for ShardLoss {
    const EXPIRED: Self = ShardLoss::Expired;
}

impl fmt::Display for ShardLoss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ShardLoss::Expired => "keys lost: the Lease of this replica was not renewed in time",
            ShardLoss::Unlisted => {
                "keys lost: the Leases of the group could not be listed for a lease duration"
            }
            ShardLoss::Changed => "keys lost: somebody else has changed or deleted the Lease of this replica",
            ShardLoss::Left => "keys given up: this replica has left the group",
        })
    }
}

impl std::error::Error for ShardLoss {}
