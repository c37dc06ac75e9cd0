//! [`Queue`], a queue of keys to reconcile.
//!
//! - *fair*: items come out in the order in which they were first added, unless they have priorities;
//! - *deduplicated*: an item that is added many times before it is handed out comes out once;
//! - *exclusive*: an item is processed by at most one worker at a time; added meanwhile, it comes out again
//!   afterwards;
//! - *delayed*: an item can be added with a delay, or with that of a [`RateLimiter`];
//! - *passive*: no task and no timer runs for a queue. A waiter in [`Queue::get`] keeps the time.

mod builder;
mod get;
mod work;

use std::fmt;
use std::future::poll_fn;
use std::hash::Hash;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use crate::clock::Instant;
use crate::metrics::{Metrics, Snapshot};
use crate::rate_limiter::RateLimiter;
use crate::state::{Add, Duplicates, Effects, Hasher, Inbox, State, TakeResult};
use crate::sync::{Aligned, Mutex};
pub use builder::QueueBuilder;
use get::Get;
pub use work::Work;

/// A queue of items, usually keys of objects to reconcile. Clones are the same queue.
///
/// It keeps the guarantees of client-go's `workqueue`, including the delaying and rate limiting queues, and
/// has priorities like controller-runtime's priority queue.
#[doc(alias = "WorkQueue")]
#[doc(alias = "TypedRateLimitingInterface")]
#[doc(alias = "RateLimitingQueue")]
#[doc(alias = "DelayingQueue")]
pub struct Queue<T> {
    shared: Arc<Shared<T>>,
}

struct Shared<T> {
    state: Aligned<Mutex<State<T>>>,
    duplicates: Arc<Duplicates<T>>,
    inbox: Arc<Inbox<T>>,
    /// Set if nobody has to know of adds before a worker looks for them.
    has_inbox: bool,
    is_metered: bool,
    hasher: Hasher,
    limiter: Box<dyn RateLimiter<T>>,
    sink: Option<(Arc<str>, Box<dyn Metrics>)>,
}

/// Options of [`Queue::add_with`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AddOptions {
    /// The priority: items with a higher one are handed out first. The highest counts if an item is added
    /// more than once.
    pub priority: i32,
    /// The delay before the item is ready.
    pub after: Duration,
    /// Applies the queue's limiter. With [`after`](Self::after) too, the longer delay counts.
    pub rate_limited: bool,
}

impl<T: Eq + Hash + Clone + Send + 'static> Queue<T> {
    /// A queue without a name, with the [default limiter](crate::default_controller_rate_limiter).
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// A queue with a name, an order or a limiter of its own.
    pub fn builder() -> QueueBuilder<T> {
        QueueBuilder::default()
    }

    /// Adds an item, unless it is queued already. An item that a worker has is handed out again when the
    /// worker is done. Does nothing after [`shut_down`](Self::shut_down).
    pub fn add(&self, item: T) {
        self.add_now(item, 0);
    }

    /// Adds an item after a delay; at once if that is zero. If the item is delayed already, the earlier time
    /// counts. Adding it otherwise meanwhile does not cancel the delay.
    pub fn add_after(&self, item: T, after: Duration) {
        self.add_later(item, 0, after);
    }

    /// Adds an item with the delay of the limiter, after a failure. A worker that succeeds calls
    /// [`forget`](Self::forget).
    pub fn add_rate_limited(&self, item: T) {
        let after = self.shared.limiter.when(&item);
        self.add_later(item, 0, after);
    }

    /// Adds an item with a priority, a delay or rate limiting.
    pub fn add_with(&self, item: T, options: &AddOptions) {
        let limit = if options.rate_limited { self.shared.limiter.when(&item) } else { Duration::ZERO };
        let after = options.after.max(limit);
        if options.rate_limited || !after.is_zero() {
            self.add_later(item, options.priority, after);
        } else {
            self.add_now(item, options.priority);
        }
    }

    /// Resets the failures of an item in the limiter, after a success. Does not remove the item from the
    /// queue.
    pub fn forget(&self, item: &T) {
        self.shared.limiter.forget(item);
    }

    /// The number of failures of the item, as the limiter counts them.
    pub fn requeues(&self, item: &T) -> u32 {
        self.shared.limiter.requeues(item)
    }

    /// Waits for an item. `None` once the queue is shut down and empty. Cancel safe.
    ///
    /// The item belongs to the caller until the [`Work`] is dropped.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with a timer, if an item is delayed.
    pub async fn get(&self) -> Option<Work<T>> {
        get::cooperative(Get::new(self)).await
    }

    /// As [`get`](Self::get), blocking the thread; for threads outside a runtime.
    pub fn get_blocking(&self) -> Option<Work<T>> {
        get::blocking(self)
    }

    /// The next item, if one is ready.
    pub fn try_get(&self) -> Option<Work<T>> {
        match self.with(|state, effects| state.take(&mut None, None, effects)) {
            TakeResult::Item(slot, item, priority) => Some(Work::new(self.clone(), slot, item, priority)),
            TakeResult::Wait(_) | TakeResult::End => None,
        }
    }

    /// The number of ready items.
    pub fn len(&self) -> usize {
        self.with(State::len)
    }

    /// Returns true if no item is ready.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns true once the queue was shut down.
    pub fn is_shutting_down(&self) -> bool {
        self.with(|state, _| state.is_down())
    }

    /// Shuts the queue down: adds are ignored, delayed items are dropped, and [`get`](Self::get) returns
    /// `None` once ready items are handed out. Ends a [drain](Self::shut_down_with_drain).
    pub fn shut_down(&self) {
        self.with(|state, effects| state.shut_down(false, effects));
    }

    /// Shuts the queue down at once, even if the future is not awaited; the future waits until no worker has
    /// an item.
    ///
    /// Ready items are still handed out, and an item that was added while a worker has it comes out once
    /// more. A later [`shut_down`](Self::shut_down) ends the wait.
    pub fn shut_down_with_drain(&self) -> impl Future<Output = ()> + Send + use<T> {
        self.with(|state, effects| state.shut_down(true, effects));
        let queue = self.clone();
        poll_fn(move |cx| {
            if queue.with(|state, _| state.is_drained(cx.waker())) { Poll::Ready(()) } else { Poll::Pending }
        })
    }

    /// The metrics of the queue, if it has a [name](QueueBuilder::name).
    pub fn metrics(&self) -> Option<Snapshot> {
        self.with(|state, effects| Some(state.meter(effects)?.snapshot()))
    }

    fn add_now(&self, item: T, priority: i32) {
        let hash = self.shared.hasher.hash(&item);
        if priority == 0 && self.shared.duplicates.contains(hash, &item) {
            return;
        }
        if priority == 0 && self.shared.has_inbox {
            let since = self.shared.is_metered.then(Instant::now);
            if self.shared.inbox.push(Add { hash, item, since }) {
                self.with(|_, _| ());
            }
            return;
        }
        self.with(|state, effects| state.add(hash, item, priority, None, effects));
    }

    fn add_later(&self, item: T, priority: i32, after: Duration) {
        let hash = self.shared.hasher.hash(&item);
        self.with(|state, effects| state.add_after(hash, item, priority, after, effects));
    }

    /// Runs `act` under the lock, on a state that has all adds, and its effects afterwards, even if it panics.
    /// Nothing else panics, so that its result is not lost.
    fn with<R>(&self, act: impl FnOnce(&mut State<T>, &mut Effects<T>) -> R) -> R {
        let mut effects = Effects::default();
        let mut state = self.shared.state.0.lock();
        state.collect(&mut effects);
        let result = catch_unwind(AssertUnwindSafe(|| act(&mut state, &mut effects)));
        state.settle(&mut effects);
        drop(state);
        effects.run(|observation| {
            if let Some((name, sink)) = &self.shared.sink {
                sink.observe(name, observation);
            }
        });
        result.unwrap_or_else(|panic| resume_unwind(panic))
    }
}

impl<T> Clone for Queue<T> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone() }
    }
}

impl<T: Eq + Hash + Clone + Send + 'static> Default for Queue<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for Queue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").finish_non_exhaustive()
    }
}
