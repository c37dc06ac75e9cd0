//! [`Backoff`]: longer and longer times between attempts.
//!
//! - [`Backoff`]: one sequence of times, as `wait.Backoff` of Kubernetes' libraries;
//! - [`ResettingBackoff`]: one that starts again after a time of peace;
//! - [`KeyedBackoff`]: one for each key.

mod keyed;
mod resetting;

use std::time::Duration;

pub use keyed::KeyedBackoff;
pub use resetting::ResettingBackoff;

/// A sequence of times to wait between attempts, each a factor longer than the one before.
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
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Backoff {
    /// The first time.
    pub duration: Duration,
    /// The factor between one delay and the next. Zero, as one, leaves it as it is.
    pub factor: f64,
    /// To each time is added a random part of it, up to this: 0.1 makes 10 s to 11 s of 10 s.
    pub jitter: f64,
    /// The number of steps that lengthen the delay, and of attempts that [`retry`](crate::retry) makes.
    pub steps: u32,
    /// No time is longer, but for its jitter. When it is reached, no steps are left.
    pub cap: Option<Duration>,
}

impl Backoff {
    /// For conflicts where several clients change the same object: five attempts, 10 ms apart.
    pub const DEFAULT_RETRY: Self =
        Self { duration: Duration::from_millis(10), factor: 1.0, jitter: 0.1, steps: 5, cap: None };

    /// For conflicts with a controller that is at work on the same object: four attempts, after 10, 50 and 250 ms.
    pub const DEFAULT_BACKOFF: Self =
        Self { duration: Duration::from_millis(10), factor: 5.0, jitter: 0.1, steps: 4, cap: None };

    /// The time to wait now. The next one is longer, if steps are left.
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

    /// One that starts again when no time was asked for longer than `reset`.
    pub fn resetting(self, reset: Duration) -> ResettingBackoff {
        ResettingBackoff::new(self, reset)
    }
}

/// A random part of a time, below that factor of it.
fn jitter(duration: Duration, factor: f64) -> Duration {
    if factor > 0.0 { times(duration, fastrand::f64() * factor) } else { Duration::ZERO }
}

fn times(duration: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(duration.as_secs_f64() * factor.max(0.0)).unwrap_or(Duration::MAX)
}
