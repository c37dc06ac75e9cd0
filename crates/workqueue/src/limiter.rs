//! [`Limiter`]: when an item that failed may be tried again.
//!
//! - [`Exponential`], [`FastSlow`]: by how often the item itself has failed;
//! - [`Bucket`]: by how often all of them have;
//! - [`MaxOf`], [`MaxWait`]: made of others.

mod bucket;
mod failures;

use std::fmt;
use std::hash::Hash;
use std::time::Duration;

pub use bucket::Bucket;
use failures::Failures;

/// Decides when an item that failed may be tried again; see [`Queue::add_rate_limited`](crate::Queue::add_rate_limited).
pub trait Limiter<T>: Send + Sync {
    /// Counts a failure of the item, and says how long it is to wait.
    fn when(&self, item: &T) -> Duration;

    /// Forgets the item's failures: it succeeded, or nobody will try it again.
    fn forget(&self, _item: &T) {}

    /// The number of failures of the item since it was last forgotten.
    fn requeues(&self, _item: &T) -> u32 {
        0
    }
}

/// The default of controllers and queues: each item 5 ms after its first failure, and twice as long after
/// each further one up to 1000 s; all together 10 a second, after the first 100.
pub fn controller_limiter<T: Eq + Hash + Clone + Send + 'static>() -> MaxOf<T> {
    let each = Exponential::new(Duration::from_millis(5), Duration::from_secs(1000));
    MaxOf::new([Box::new(each) as Box<dyn Limiter<T>>, Box::new(Bucket::new(10.0, 100))])
}

/// By the failures of each item alone: 1 ms after the first, and twice as long after each further one up to 1000 s.
pub fn item_limiter<T: Eq + Hash + Clone + Send>() -> Exponential<T> {
    Exponential::new(Duration::from_millis(1), Duration::from_secs(1000))
}

/// Makes an item wait twice as long after each further failure.
///
/// ```
/// use std::time::Duration;
/// use klient_workqueue::{Exponential, Limiter};
///
/// let limiter = Exponential::new(Duration::from_millis(5), Duration::from_secs(1000));
/// assert_eq!(limiter.when(&"web-0"), Duration::from_millis(5));
/// assert_eq!(limiter.when(&"web-0"), Duration::from_millis(10));
/// limiter.forget(&"web-0");
/// assert_eq!(limiter.when(&"web-0"), Duration::from_millis(5));
/// ```
pub struct Exponential<T> {
    failures: Failures<T>,
    base: Duration,
    max: Duration,
}

impl<T> Exponential<T> {
    /// `base` after the first failure, and never more than `max`.
    pub fn new(base: Duration, max: Duration) -> Self {
        Self { failures: Failures::default(), base, max }
    }
}

impl<T: Eq + Hash + Clone + Send> Limiter<T> for Exponential<T> {
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

impl<T> fmt::Debug for Exponential<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exponential")
            .field("base", &self.base)
            .field("max", &self.max)
            .finish_non_exhaustive()
    }
}

/// Makes an item wait little after its first failures, and long after each further one.
pub struct FastSlow<T> {
    failures: Failures<T>,
    fast: Duration,
    slow: Duration,
    fast_attempts: u32,
}

impl<T> FastSlow<T> {
    /// `fast` after the first `fast_attempts` failures, `slow` from then on.
    pub fn new(fast: Duration, slow: Duration, fast_attempts: u32) -> Self {
        Self { failures: Failures::default(), fast, slow, fast_attempts }
    }
}

impl<T: Eq + Hash + Clone + Send> Limiter<T> for FastSlow<T> {
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

impl<T> fmt::Debug for FastSlow<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FastSlow")
            .field("fast", &self.fast)
            .field("slow", &self.slow)
            .field("fast_attempts", &self.fast_attempts)
            .finish_non_exhaustive()
    }
}

/// Asks several limiters, and takes the longest time.
pub struct MaxOf<T>(Box<[Box<dyn Limiter<T>>]>);

impl<T> MaxOf<T> {
    /// Of these.
    pub fn new(limiters: impl IntoIterator<Item = Box<dyn Limiter<T>>>) -> Self {
        Self(limiters.into_iter().collect())
    }
}

impl<T> Limiter<T> for MaxOf<T> {
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

impl<T> fmt::Debug for MaxOf<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MaxOf").field("limiters", &self.0.len()).finish()
    }
}

/// A limiter that never makes an item wait longer than some time.
#[derive(Clone, Debug)]
pub struct MaxWait<L> {
    limiter: L,
    max: Duration,
}

impl<L> MaxWait<L> {
    /// As `limiter`, but at most `max`.
    pub fn new(limiter: L, max: Duration) -> Self {
        Self { limiter, max }
    }
}

impl<T, L: Limiter<T>> Limiter<T> for MaxWait<L> {
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
