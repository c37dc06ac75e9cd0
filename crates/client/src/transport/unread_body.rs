//! [`UnreadBody`], the error of a response that was not read.

use std::fmt;
use std::time::Duration;

/// A response body in which data waited for too long.
#[derive(Debug)]
pub(crate) struct UnreadBody {
    pub(super) limit: Duration,
}

impl fmt::Display for UnreadBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.limit.as_secs_f64();
        write!(f, "the response was not read for {seconds} s: read it to its end, or drop it")
    }
}

impl std::error::Error for UnreadBody {}
