//! [`Builder`], all that can be chosen for a queue.

use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

use super::{Queue, Shared};
use crate::limiter::{Limiter, controller_limiter};
use crate::metrics::{Meter, Metrics};
use crate::order::Order;
use crate::state::{Duplicates, Hasher, State};
use crate::sync::Mutex;

/// All that can be chosen for a queue.
///
/// ```
/// use std::time::Duration;
/// use klient_workqueue::{Exponential, Queue};
///
/// let queue: Queue<String> = Queue::builder()
///     .name("deployments")
///     .limiter(Exponential::new(Duration::from_millis(1), Duration::from_secs(60)))
///     .build();
/// ```
#[must_use]
pub struct Builder<T> {
    name: Option<Arc<str>>,
    sink: Option<Box<dyn Metrics>>,
    order: Option<Box<dyn Order<T>>>,
    limiter: Option<Box<dyn Limiter<T>>>,
}

impl<T: Eq + Hash + Clone + Send + 'static> Builder<T> {
    /// The label of the queue's [metrics](Queue::metrics). For a queue without a name nothing is recorded.
    pub fn name(mut self, name: impl Into<Arc<str>>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The receiver of the queue's metrics, if it has a name.
    pub fn metrics(mut self, metrics: impl Metrics + 'static) -> Self {
        self.sink = Some(Box::new(metrics));
        self
    }

    /// In which order items are handed out, instead of by priority and turn.
    pub fn order(mut self, order: impl Order<T> + 'static) -> Self {
        self.order = Some(Box::new(order));
        self
    }

    /// When an item may come again, instead of as [`controller_limiter`] has it.
    pub fn limiter(mut self, limiter: impl Limiter<T> + 'static) -> Self {
        self.limiter = Some(Box::new(limiter));
        self
    }

    /// The queue.
    pub fn build(self) -> Queue<T> {
        let hasher = Hasher::default();
        let duplicates = Arc::new(Duplicates::default());
        let meter = self.name.clone().map(|name| Meter::new(name, self.sink.is_some()));
        Queue {
            shared: Arc::new(Shared {
                state: Mutex::new(State::new(hasher.clone(), duplicates.clone(), self.order, meter)),
                duplicates,
                hasher,
                limiter: self.limiter.unwrap_or_else(|| Box::new(controller_limiter())),
                sink: self.name.zip(self.sink),
            }),
        }
    }
}

impl<T> Default for Builder<T> {
    fn default() -> Self {
        Self { name: None, sink: None, order: None, limiter: None }
    }
}

impl<T> fmt::Debug for Builder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("name", &self.name).finish_non_exhaustive()
    }
}
