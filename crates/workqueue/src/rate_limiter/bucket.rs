//! [`BucketRateLimiter`], a token bucket.

use std::fmt;
use std::time::Duration;

use super::RateLimiter;
use crate::clock::Instant;
use crate::sync::Mutex;

/// A token bucket (client-go's `BucketRateLimiter`): a burst at once, and then a number per second. Without a
/// token, the next free one is reserved, as by `Reserve` of Go's `x/time/rate`.
pub struct BucketRateLimiter {
    per_second: f64,
    burst: f64,
    level: Mutex<Level>,
}

/// The number of tokens at a time; negative if tokens are reserved.
struct Level {
    tokens: f64,
    at: Option<Instant>,
}

impl BucketRateLimiter {
    /// A full bucket of `burst` tokens that gains `per_second` tokens each second.
    pub fn new(per_second: f64, burst: u32) -> Self {
        let burst = f64::from(burst);
        Self { per_second, burst, level: Mutex::new(Level { tokens: burst, at: None }) }
    }

    /// Takes a token, and returns the time until it is available; [`Duration::MAX`] if there will never be
    /// one.
    pub fn reserve(&self) -> Duration {
        if self.per_second == f64::INFINITY {
            return Duration::ZERO;
        }
        if self.burst < 1.0 {
            return Duration::MAX;
        }
        let mut level = self.level.lock();
        let now = Instant::now();
        let tokens = self.tokens(&level, now) - 1.0;
        let wait = if tokens >= 0.0 { Some(Duration::ZERO) } else { self.time_of(-tokens) };
        if wait.is_some() {
            *level = Level { tokens, at: Some(now) };
        }
        wait.unwrap_or(Duration::MAX)
    }

    /// Takes a token if one is available.
    ///
    /// # Errors
    ///
    /// The time until one is available; [`Duration::MAX`] if there will never be one.
    pub fn try_take(&self) -> Result<(), Duration> {
        if self.per_second == f64::INFINITY {
            return Ok(());
        }
        if self.burst < 1.0 {
            return Err(Duration::MAX);
        }
        let mut level = self.level.lock();
        let now = Instant::now();
        let tokens = self.tokens(&level, now);
        if tokens < 1.0 {
            return Err(self.time_of(1.0 - tokens).unwrap_or(Duration::MAX));
        }
        *level = Level { tokens: tokens - 1.0, at: Some(now) };
        Ok(())
    }

    fn tokens(&self, level: &Level, now: Instant) -> f64 {
        let passed = level.at.map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        (level.tokens + passed.as_secs_f64() * self.per_second.max(0.0)).min(self.burst)
    }

    fn time_of(&self, tokens: f64) -> Option<Duration> {
        Duration::try_from_secs_f64(tokens / self.per_second).ok()
    }
}

impl<T> RateLimiter<T> for BucketRateLimiter {
    fn when(&self, _item: &T) -> Duration {
        self.reserve()
    }
}

impl fmt::Debug for BucketRateLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BucketRateLimiter")
            .field("per_second", &self.per_second)
            .field("burst", &self.burst)
            .finish_non_exhaustive()
    }
}
