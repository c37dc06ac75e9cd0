//! [`RateLimiter`]: the delay before a failed item is processed again.
//!
//! - [`ItemExponentialFailureRateLimiter`], [`ItemFastSlowRateLimiter`]: by the failures of the item;
//! - [`BucketRateLimiter`]: by the rate of all failures;
//! - [`MaxOfRateLimiter`], [`WithMaxWaitRateLimiter`]: combinations.

mod bucket;
mod failures;

use std::fmt;
use std::hash::Hash;
use std::time::Duration;

pub use bucket::BucketRateLimiter;
use failures::Failures;

/// Decides the delay before a failed item is processed again (client-go's `RateLimiter`): see
/// [`Queue::add_rate_limited`](crate::Queue::add_rate_limited).
pub trait RateLimiter<T>: Send + Sync {
    /// Counts a failure of the item, and returns its delay.
    fn when(&self, item: &T) -> Duration;

    /// Resets the item's failures, after a success or when it will not be retried.
    fn forget(&self, _item: &T) {}

    /// The number of failures of the item since it was last forgotten.
    fn requeues(&self, _item: &T) -> u32 {
        0
    }
}

/// The default of queues (client-go's `DefaultControllerRateLimiter`): 5 ms after an item's first failure,
/// doubled for each further one up to 1000 s; and 10 items a second overall, with a burst of 100.
pub fn default_controller_rate_limiter<T: Eq + Hash + Clone + Send + 'static>() -> MaxOfRateLimiter<T> {
    let each = ItemExponentialFailureRateLimiter::new(Duration::from_millis(5), Duration::from_secs(1000));
    MaxOfRateLimiter::new([
        Box::new(each) as Box<dyn RateLimiter<T>>,
        Box::new(BucketRateLimiter::new(10.0, 100)),
    ])
}

/// By the failures of each item alone (client-go's `DefaultItemBasedRateLimiter`): 1 ms after the first,
/// doubled for each further one up to 1000 s.
pub fn default_item_based_rate_limiter<T: Eq + Hash + Clone + Send>() -> ItemExponentialFailureRateLimiter<T>
{
    ItemExponentialFailureRateLimiter::new(Duration::from_millis(1), Duration::from_secs(1000))
}

/// Doubles the delay with each failure of an item (client-go's `ItemExponentialFailureRateLimiter`).
///
/// ```
/// use std::time::Duration;
/// use klient_workqueue::{ItemExponentialFailureRateLimiter, RateLimiter};
///
/// let limiter = ItemExponentialFailureRateLimiter::new(Duration::from_millis(5), Duration::from_secs(1000));
/// assert_eq!(limiter.when(&"web-0"), Duration::from_millis(5));
/// assert_eq!(limiter.when(&"web-0"), Duration::from_millis(10));
/// limiter.forget(&"web-0");
/// assert_eq!(limiter.when(&"web-0"), Duration::from_millis(5));
/// ```
pub struct ItemExponentialFailureRateLimiter<T> {
    failures: Failures<T>,
    base: Duration,
    max: Duration,
}

impl<T> ItemExponentialFailureRateLimiter<T> {
    /// `base` after the first failure, and at most `max`.
    pub fn new(base: Duration, max: Duration) -> Self {
        Self { failures: Failures::default(), base, max }
    }
}

impl<T: Eq + Hash + Clone + Send> RateLimiter<T> for ItemExponentialFailureRateLimiter<T> {
    fn when(&self, item: &T) -> Duration {
        let before = self.failures.count(item) - 1;
        let factor = 1_u32.checked_shl(before);
        factor.and_then(|factor| self.base.checked_mul(factor)).map_or(self.max, |wait| wait.min(self.max))
    }

    fn forget(&self, item: &T) {
        self.failures.forget(item);
    }

    fn requeues(&self, item: &T) -> u32 {
        self.failures.of(item)
    }
}

impl<T> fmt::Debug for ItemExponentialFailureRateLimiter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ItemExponentialFailureRateLimiter")
            .field("base", &self.base)
            .field("max", &self.max)
            .finish_non_exhaustive()
    }
}

/// A short delay for the first failures of an item, and a long one afterwards (client-go's
/// `ItemFastSlowRateLimiter`).
pub struct ItemFastSlowRateLimiter<T> {
    failures: Failures<T>,
    fast: Duration,
    slow: Duration,
    fast_attempts: u32,
}

impl<T> ItemFastSlowRateLimiter<T> {
    /// `fast` after each of the first `fast_attempts` failures, `slow` afterwards.
    pub fn new(fast: Duration, slow: Duration, fast_attempts: u32) -> Self {
        Self { failures: Failures::default(), fast, slow, fast_attempts }
    }
}

impl<T: Eq + Hash + Clone + Send> RateLimiter<T> for ItemFastSlowRateLimiter<T> {
    fn when(&self, item: &T) -> Duration {
        if self.failures.count(item) <= self.fast_attempts { self.fast } else { self.slow }
    }

    fn forget(&self, item: &T) {
        self.failures.forget(item);
    }

    fn requeues(&self, item: &T) -> u32 {
        self.failures.of(item)
    }
}

impl<T> fmt::Debug for ItemFastSlowRateLimiter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ItemFastSlowRateLimiter")
            .field("fast", &self.fast)
            .field("slow", &self.slow)
            .field("fast_attempts", &self.fast_attempts)
            .finish_non_exhaustive()
    }
}

/// The longest delay of several limiters (client-go's `MaxOfRateLimiter`).
pub struct MaxOfRateLimiter<T>(Box<[Box<dyn RateLimiter<T>>]>);

impl<T> MaxOfRateLimiter<T> {
    /// Combines limiters.
    pub fn new(limiters: impl IntoIterator<Item = Box<dyn RateLimiter<T>>>) -> Self {
        Self(limiters.into_iter().collect())
    }
}

impl<T> RateLimiter<T> for MaxOfRateLimiter<T> {
    fn when(&self, item: &T) -> Duration {
        self.0.iter().map(|limiter| limiter.when(item)).max().unwrap_or_default()
    }

    fn forget(&self, item: &T) {
        self.0.iter().for_each(|limiter| limiter.forget(item));
    }

    fn requeues(&self, item: &T) -> u32 {
        self.0.iter().map(|limiter| limiter.requeues(item)).max().unwrap_or_default()
    }
}

impl<T> fmt::Debug for MaxOfRateLimiter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MaxOfRateLimiter").field("limiters", &self.0.len()).finish()
    }
}

/// Bounds the delay of another limiter (client-go's `WithMaxWaitRateLimiter`).
#[derive(Clone, Debug)]
pub struct WithMaxWaitRateLimiter<L> {
    limiter: L,
    max: Duration,
}

impl<L> WithMaxWaitRateLimiter<L> {
    /// The delay of `limiter`, at most `max`.
    pub fn new(limiter: L, max: Duration) -> Self {
        Self { limiter, max }
    }
}

impl<T, L: RateLimiter<T>> RateLimiter<T> for WithMaxWaitRateLimiter<L> {
    fn when(&self, item: &T) -> Duration {
        self.limiter.when(item).min(self.max)
    }

    fn forget(&self, item: &T) {
        self.limiter.forget(item);
    }

    fn requeues(&self, item: &T) -> u32 {
        self.limiter.requeues(item)
    }
}
