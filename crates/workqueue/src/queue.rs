//! [`Queue`], a queue of keys to reconcile.
//!
//! - *fair*: items come out in the order in which they were first added, unless they have priorities;
//! - *stingy*: an item that was added many times before it is handed out comes out once;
//! - *exclusive*: an item is in at most one worker's hands at a time; added meanwhile, it comes out again afterwards;
//! - *patient*: an item can be added for a later time, or for when a [`Limiter`] allows it;
//! - *idle*: no task and no timer runs for a queue. Who waits in [`Queue::get`] keeps the time.

mod builder;
mod get;
mod work;

use std::fmt;
use std::future::poll_fn;
use std::hash::Hash;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use crate::limiter::Limiter;
use crate::metrics::{Metrics, Snapshot};
use crate::state::{Duplicates, Effects, Hasher, State, TakeResult};
use crate::sync::Mutex;
pub use builder::Builder;
use get::Get;
pub use work::Work;

/// A queue of items, most often keys of objects to reconcile. All clones are the same queue.
///
/// It keeps the promises of client-go's workqueues (`util/workqueue`), delaying and rate limiting ones included,
/// and it has priorities as controller-runtime's does.
pub struct Queue<T> {
    shared: Arc<Shared<T>>,
}

struct Shared<T> {
    state: Mutex<State<T>>,
    duplicates: Arc<Duplicates<T>>,
    hasher: Hasher,
    limiter: Box<dyn Limiter<T>>,
    sink: Option<(Arc<str>, Box<dyn Metrics>)>,
}

/// Options of [`Queue::add_with`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AddOptions {
    /// Items with a higher priority are handed out first. Of an item that was added more than once, the highest
    /// counts.
    pub priority: i32,
    /// Not before that time has passed.
    pub after: Duration,
    /// Not before the queue's limiter allows it. If there is [`after`](Self::after) too, the later of the two.
    pub rate_limited: bool,
}

impl<T: Eq + Hash + Clone + Send + 'static> Queue<T> {
    /// A queue without a name, with the [default limiter](crate::controller_limiter).
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// A queue with a name, an order or a limiter of its own.
    pub fn builder() -> Builder<T> {
        Builder::default()
    }

    /// Adds an item, unless it waits to be handed out already. If a worker has it, it is handed out again when that one
    /// is done. After [`shut_down`](Self::shut_down), does nothing.
    pub fn add(&self, item: T) {
        self.add_now(item, 0);
    }

    /// Adds an item when that time has passed; at once if the time is zero. If it waits for a time already, the earlier
    /// one counts. That it is added otherwise in the meantime changes nothing.
    pub fn add_after(&self, item: T, after: Duration) {
        self.add_later(item, 0, after);
    }

    /// Adds an item when the limiter allows it, as after a failure. A worker that succeeds calls
    /// [`forget`](Self::forget).
    pub fn add_rate_limited(&self, item: T) {
        let after = self.shared.limiter.when(&item);
        self.add_later(item, 0, after);
    }

    /// Adds an item, with a priority if need be.
    pub fn add_with(&self, item: T, options: &AddOptions) {
        let limit = if options.rate_limited { self.shared.limiter.when(&item) } else { Duration::ZERO };
        let after = options.after.max(limit);
        if options.rate_limited || !after.is_zero() {
            self.add_later(item, options.priority, after);
        } else {
            self.add_now(item, options.priority);
        }
    }

    /// Has the limiter forget the item's failures, as after a success. What is in the queue stays there.
    pub fn forget(&self, item: &T) {
        self.shared.limiter.forget(item);
    }

    /// The number of failures of the item, as the limiter counts them.
    pub fn requeues(&self, item: &T) -> u32 {
        self.shared.limiter.requeues(item)
    }

    /// Takes the next item, and waits until there is one. `None` says that the queue is shut down and empty.
    ///
    /// The item is the caller's until the [`Work`] is dropped. Nothing is lost if the future is dropped.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with a timer, if an item waits for its time.
    pub async fn get(&self) -> Option<Work<T>> {
        get::cooperative(Get::new(self)).await
    }

    /// The same for a thread of its own, outside of any runtime: blocks the thread while it waits.
    pub fn get_blocking(&self) -> Option<Work<T>> {
        get::blocking(self)
    }

    /// Takes the next item if there is one now.
    pub fn try_get(&self) -> Option<Work<T>> {
        match self.with(|state, effects| state.take(&mut None, None, effects)) {
            TakeResult::Item(slot, item, priority) => Some(Work::new(self.clone(), slot, item, priority)),
            TakeResult::Wait(_) | TakeResult::End => None,
        }
    }

    /// The number of items that are ready.
    pub fn len(&self) -> usize {
        self.with(State::len)
    }

    /// Returns true if no item is ready to be handed out.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns true if the queue accepts no more items.
    pub fn is_shutting_down(&self) -> bool {
        self.with(|state, _| state.is_down())
    }

    /// Takes in nothing more, drops what waits for its time, and lets [`get`](Self::get) end when the rest is handed
    /// out. Ends a [drain](Self::shut_down_with_drain) that is under way.
    pub fn shut_down(&self) {
        self.with(|state, effects| state.shut_down(false, effects));
    }

    /// Shuts down at once, even if it is not awaited, and waits until no item is in a worker's hands.
    ///
    /// Queued items are still handed out meanwhile, and comes back once more if it was added while a worker had it. A
    /// later [`shut_down`](Self::shut_down) ends the waiting.
    pub fn shut_down_with_drain(&self) -> impl Future<Output = ()> + Send + use<T> {
        self.with(|state, effects| state.shut_down(true, effects));
        let queue = self.clone();
        poll_fn(move |cx| {
            if queue.with(|state, _| state.is_drained(cx.waker())) { Poll::Ready(()) } else { Poll::Pending }
        })
    }

    /// The figures of the queue, if it has a [name](Builder::name).
    pub fn metrics(&self) -> Option<Snapshot> {
        self.with(|state, effects| Some(state.meter(effects)?.snapshot()))
    }

    fn add_now(&self, item: T, priority: i32) {
        let hash = self.shared.hasher.hash(&item);
        if priority == 0 && self.shared.duplicates.contains(hash, &item) {
            return;
        }
        self.with(|state, effects| state.add(hash, item, priority, effects));
    }

    fn add_later(&self, item: T, priority: i32, after: Duration) {
        let hash = self.shared.hasher.hash(&item);
        self.with(|state, effects| state.add_after(hash, item, priority, after, effects));
    }

    /// Does something under the lock, and then what that has left to do.
    fn with<R>(&self, act: impl FnOnce(&mut State<T>, &mut Effects<T>) -> R) -> R {
        let mut effects = Effects::default();
        let result = act(&mut self.shared.state.lock(), &mut effects);
        let observations = effects.run();
        if let Some((name, sink)) = &self.shared.sink {
            observations.into_iter().for_each(|observation| sink.observe(name, observation));
        }
        result
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
