//! [`Backoff`]: delays between attempts that grow.
//!
//! - [`Backoff`]: one sequence of delays (`wait.Backoff` of k8s.io/apimachinery);
//! - [`ResettingBackoff`]: a sequence that starts again after a time without a failure;
//! - [`KeyedBackoff`]: one delay per key.

mod keyed;
mod resetting;

use std::time::Duration;

pub use keyed::KeyedBackoff;
pub use resetting::ResettingBackoff;

/// A sequence of delays between attempts, each a factor longer than the one before (`wait.Backoff` of
/// k8s.io/apimachinery).
///
/// ```
/// use std::time::Duration;
/// use klient_workqueue::Backoff;
///
/// let second = Duration::from_secs(1);
/// let mut backoff = Backoff { duration: second, factor: 2.0, steps: 9, cap: Some(5 * second), ..Default::default() };
/// let waits = [backoff.step(), backoff.step(), backoff.step(), backoff.step(), backoff.step()];
/// assert_eq!(waits, [second, 2 * second, 4 * second, 5 * second, 5 * second]);
/// ```
#[doc(alias = "ExponentialBackoff")]
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Backoff {
    /// The first delay.
    pub duration: Duration,
    /// The factor between one delay and the next. Zero, as one, leaves it as it is.
    pub factor: f64,
    /// The largest random part that is added to each delay, as a factor of it: with 0.1, 10 s become 10 s to
    /// 11 s.
    pub jitter: f64,
    /// The number of steps that lengthen the delay, and of attempts that [`retry`](crate::retry) makes.
    pub steps: u32,
    /// The longest delay, before jitter. Reaching it uses up all remaining steps.
    pub cap: Option<Duration>,
}

impl Backoff {
    /// For conflicts between several clients of one object: five attempts, 10 ms apart (client-go's
    /// `retry.DefaultRetry`).
    pub const DEFAULT_RETRY: Self =
        Self { duration: Duration::from_millis(10), factor: 1.0, jitter: 0.1, steps: 5, cap: None };

    /// For conflicts with a controller that updates the same object: four attempts, 10, 50 and 250 ms apart
    /// (client-go's `retry.DefaultBackoff`).
    pub const DEFAULT_BACKOFF: Self =
        Self { duration: Duration::from_millis(10), factor: 5.0, jitter: 0.1, steps: 4, cap: None };

    /// The delay before the next attempt. Later ones are longer while steps are left.
    pub fn step(&mut self) -> Duration {
        let now = self.duration;
        if self.steps > 0 {
            self.steps -= 1;
            if self.factor != 0.0 {
                self.duration = times(now, self.factor);
                if let Some(cap) = self.cap.filter(|cap| self.duration > *cap) {
                    self.duration = cap;
                    self.steps = 0;
                }
            }
        }
        now.saturating_add(jitter(now, self.jitter))
    }

    /// A backoff that starts again if no delay was requested for longer than `reset`.
    pub fn resetting(self, reset: Duration) -> ResettingBackoff {
        ResettingBackoff::new(self, reset)
    }
}

/// A random duration below `factor` times the given one.
fn jitter(duration: Duration, factor: f64) -> Duration {
    if factor > 0.0 { times(duration, fastrand::f64() * factor) } else { Duration::ZERO }
}

fn times(duration: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(duration.as_secs_f64() * factor.max(0.0)).unwrap_or(Duration::MAX)
}
