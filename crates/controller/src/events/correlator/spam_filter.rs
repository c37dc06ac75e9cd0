//! [`SpamFilter`], a token bucket for each key.

use std::num::NonZeroUsize;
use std::time::Duration;

use lru::LruCache;

/// Limits the rate of each key.
pub(super) struct SpamFilter {
    burst: f64,
    per_second: f64,
    buckets: LruCache<String, Bucket>,
}

/// The tokens at a time.
struct Bucket {
    tokens: f64,
    at: Duration,
}

impl SpamFilter {
    pub(super) fn new(size: NonZeroUsize, burst: u32, per_second: f64) -> Self {
        SpamFilter { burst: burst.into(), per_second, buckets: LruCache::new(size) }
    }

    /// Takes a token of the key, if it has one.
    pub(super) fn accepts(&mut self, key: String, now: Duration) -> bool {
        let full = Bucket { tokens: self.burst, at: now };
        let bucket = self.buckets.get_or_insert_mut(key, || full);
        let gained = now.saturating_sub(bucket.at).as_secs_f64() * self.per_second;
        bucket.tokens = (bucket.tokens + gained).min(self.burst);
        bucket.at = now;
        // A sum of parts of a token can be a little less than one.
        let accepted = bucket.tokens >= 1.0 - 1e-9;
        if accepted {
            bucket.tokens -= 1.0;
        }
        accepted
    }
}
