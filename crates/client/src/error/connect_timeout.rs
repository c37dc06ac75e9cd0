//! [`ConnectTimeout`], a connection that was not made in time.

use std::error::Error as StdError;
use std::time::Duration;
use std::{fmt, io};

use super::causes::causes;

/// A step of a connection, such as the TLS handshake, that took longer than it may.
#[derive(Debug)]
pub(crate) struct ConnectTimeout {
    pub(crate) step: &'static str,
    pub(crate) limit: Duration,
}

impl fmt::Display for ConnectTimeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no {} within {} s", self.step, self.limit.as_secs_f64())
    }
}

impl StdError for ConnectTimeout {}

/// Returns true if a connection was not made in time.
pub(super) fn is_connect_timeout(error: &(dyn StdError + 'static)) -> bool {
    let timed_out = |error: &io::Error| error.kind() == io::ErrorKind::TimedOut;
    causes(error).any(|cause| cause.is::<ConnectTimeout>() || cause.downcast_ref().is_some_and(timed_out))
}
