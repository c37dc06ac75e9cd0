//! [`Tenure`], a term of office, and [`Loss`], its end.

use std::fmt;

use klient_apimachinery::Str;
use klient_apimachinery::go::quoted;

use crate::tenure::{self, Reason};

/// The reason for which a leadership ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Loss {
    /// The Lease was not renewed in time: the API server could not be reached or refused, or the machine slept.
    Expired,
    /// The Lease has another holder, or none if it is empty.
    Taken {
        /// The identity that the Lease names.
        holder: Str,
    },
    /// Another process took the Lease under the identity of this one.
    SameIdentity,
    /// Coordinated leader election prefers another candidate.
    EndOfTerm {
        /// The candidate that the Lease names.
        preferred_holder: Str,
    },
    /// The last handle of the leadership was dropped, or it was released.
    Released,
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Loss::Expired => f.write_str("leadership lost: the Lease was not renewed in time"),
            Loss::Taken { holder } if holder.is_empty() => {
                f.write_str("leadership lost: the holder of the Lease was removed")
            }
            Loss::Taken { holder } => {
                write!(f, "leadership lost: the Lease is held by {}", quoted(holder))
            }
            Loss::SameIdentity => f.write_str(
                "leadership lost: another process took the Lease under the same identity; give each process one of its own",
            ),
            Loss::EndOfTerm { preferred_holder } => {
                write!(f, "leadership lost: {} is preferred as the holder of the Lease", quoted(preferred_holder))
            }
            Loss::Released => f.write_str("leadership ended: it was released"),
        }
    }
}

impl std::error::Error for Loss {}

impl Reason for Loss {
    const EXPIRED: Self = Loss::Expired;
}

/// A term of office.
pub(super) type Tenure = tenure::Tenure<Loss>;
