//! [`StepTimeout`], a step before a request is sent that took too long.

use std::error::Error as StdError;
use std::time::Duration;
use std::{fmt, io};

use super::causes::causes;

/// A step before a request is sent, such as the TLS handshake or a call of an `AuthProvider`, that took longer than its
/// limit.
#[derive(Debug)]
pub(crate) struct StepTimeout {
    pub(crate) step: &'static str,
    pub(crate) limit: Duration,
}

impl fmt::Display for StepTimeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no {} within {} s", self.step, self.limit.as_secs_f64())
    }
}

impl StdError for StepTimeout {}

/// True if a step took too long, by a limit of klient or of the system.
pub(super) fn is_step_timeout(error: &(dyn StdError + 'static)) -> bool {
    let timed_out = |error: &io::Error| error.kind() == io::ErrorKind::TimedOut;
    causes(error).any(|cause| cause.is::<StepTimeout>() || cause.downcast_ref().is_some_and(timed_out))
}
