//! [`ResettingBackoff`], a backoff that starts again after a time without a failure.

use std::time::Duration;

use super::Backoff;
use crate::clock::Instant;

/// A [`Backoff`] for an operation that is retried as long as the program runs: it starts again after a time
/// without a failure.
///
/// ```
/// use std::time::Duration;
/// use klient_workqueue::Backoff;
///
/// let second = Duration::from_secs(1);
/// let backoff = Backoff {
///     duration: Duration::from_millis(800),
///     factor: 2.0,
///     jitter: 1.0,
///     steps: u32::MAX,
///     cap: Some(30 * second),
/// };
/// let mut backoff = backoff.resetting(120 * second);
/// assert!(backoff.step() < 2 * second);
/// ```
#[derive(Clone, Debug)]
pub struct ResettingBackoff {
    first: Backoff,
    now: Backoff,
    reset: Duration,
    last: Option<Instant>,
}

impl ResettingBackoff {
    pub(super) fn new(backoff: Backoff, reset: Duration) -> Self {
        Self { first: backoff.clone(), now: backoff, reset, last: None }
    }

    /// The delay before the next attempt; the first one again if the last was requested longer than the reset
    /// time ago.
    pub fn step(&mut self) -> Duration {
        let now = Instant::now();
        let last = self.last.replace(now);
        if last.is_some_and(|last| now.saturating_duration_since(last) > self.reset) {
            self.now.clone_from(&self.first);
        }
        self.now.step()
    }
}
