//! [`QueueBuilder`], the options of a queue.

use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

use super::{Queue, Shared};
use crate::metrics::{Meter, Metrics};
use crate::order::Order;
use crate::rate_limiter::{RateLimiter, default_controller_rate_limiter};
use crate::state::{Duplicates, Hasher, Inbox, State};
use crate::sync::{Aligned, Mutex};

/// The options of a queue, set one by one.
///
/// ```
/// use std::time::Duration;
/// use klient_workqueue::{ItemExponentialFailureRateLimiter, Queue};
///
/// let queue: Queue<String> = Queue::builder()
///     .name("deployments")
///     .rate_limiter(ItemExponentialFailureRateLimiter::new(Duration::from_millis(1), Duration::from_secs(60)))
///     .build();
/// ```
#[must_use]
pub struct QueueBuilder<T> {
    name: Option<Arc<str>>,
    sink: Option<Box<dyn Metrics>>,
    order: Option<Box<dyn Order<T>>>,
    limiter: Option<Box<dyn RateLimiter<T>>>,
}

impl<T: Eq + Hash + Clone + Send + 'static> QueueBuilder<T> {
    /// The name of the queue, a label of its [metrics](Queue::metrics). A queue without a name has none.
    pub fn name(mut self, name: impl Into<Arc<str>>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The receiver of the queue's metrics. It needs a [name](Self::name).
    pub fn metrics(mut self, metrics: impl Metrics + 'static) -> Self {
        self.sink = Some(Box::new(metrics));
        self
    }

    /// The order in which items are handed out, instead of by priority and turn.
    pub fn order(mut self, order: impl Order<T> + 'static) -> Self {
        self.order = Some(Box::new(order));
        self
    }

    /// The rate limiter, instead of [`default_controller_rate_limiter`].
    pub fn rate_limiter(mut self, limiter: impl RateLimiter<T> + 'static) -> Self {
        self.limiter = Some(Box::new(limiter));
        self
    }

    /// Builds the queue.
    pub fn build(self) -> Queue<T> {
        let hasher = Hasher::default();
        let duplicates = Arc::new(Duplicates::default());
        let inbox = Arc::new(Inbox::default());
        // An order, or who receives metrics, is told of each add at once.
        let has_inbox = self.order.is_none() && self.sink.is_none();
        let meter = self.name.clone().map(|name| Meter::new(name, self.sink.is_some()));
        let is_metered = meter.is_some();
        let state = State::new(hasher.clone(), duplicates.clone(), inbox.clone(), self.order, meter);
        Queue {
            shared: Arc::new(Shared {
                state: Aligned(Mutex::new(state)),
                duplicates,
                inbox,
                has_inbox,
                is_metered,
                hasher,
                limiter: self.limiter.unwrap_or_else(|| Box::new(default_controller_rate_limiter())),
                sink: self.name.zip(self.sink),
            }),
        }
    }
}

impl<T> Default for QueueBuilder<T> {
    fn default() -> Self {
        Self { name: None, sink: None, order: None, limiter: None }
    }
}

impl<T> fmt::Debug for QueueBuilder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueueBuilder").field("name", &self.name).finish_non_exhaustive()
    }
}
