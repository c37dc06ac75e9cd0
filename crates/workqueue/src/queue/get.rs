//! [`Get`], waiting for an item, as a future or on a thread.

use std::hash::Hash;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::{Queue, Work};
use crate::clock::{Instant, Sleep, sleep_until};
use crate::state::{TakeResult, Ticket};

/// Waits for an item, and for the time at which the next delayed one is ready, unless another waiter does.
pub(super) struct Get<'q, T: Eq + Hash + Clone + Send + 'static> {
    queue: &'q Queue<T>,
    ticket: Option<Ticket>,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl<'q, T: Eq + Hash + Clone + Send + 'static> Get<'q, T> {
    pub(super) fn new(queue: &'q Queue<T>) -> Self {
        Self { queue, ticket: None, sleep: None }
    }

    fn sleep(&mut self, deadline: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if sleep.deadline() != deadline {
            sleep.as_mut().reset(deadline);
        }
        sleep.as_mut().poll(cx)
    }
}

impl<T: Eq + Hash + Clone + Send + 'static> Future for Get<'_, T> {
    type Output = Option<Work<T>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let Self { queue, ticket, .. } = &mut *self;
            match queue.with(|state, effects| state.take(ticket, Some(cx.waker()), effects)) {
                TakeResult::Item(slot, item, priority) => {
                    return Poll::Ready(Some(Work::new(queue.clone(), slot, item, priority)));
                }
                TakeResult::End => return Poll::Ready(None),
                TakeResult::Wait(None) => {
                    self.sleep = None;
                    return Poll::Pending;
                }
                TakeResult::Wait(Some(deadline)) => {
                    if self.sleep(deadline, cx).is_pending() {
                        return Poll::Pending;
                    }
                    self.sleep = None;
                }
            }
        }
    }
}

impl<T: Eq + Hash + Clone + Send + 'static> Drop for Get<'_, T> {
    fn drop(&mut self) {
        if self.ticket.is_some() {
            let Self { queue, ticket, .. } = self;
            queue.with(|state, effects| state.leave(ticket, effects));
        }
    }
}

/// Yields from time to time, so that a worker that never has to wait lets other tasks run.
#[cfg(not(loom))]
pub(super) use tokio::task::coop::cooperative;

#[cfg(loom)]
pub(super) fn cooperative<F>(future: F) -> F {
    future
}

#[cfg(loom)]
pub(super) fn blocking<T: Eq + Hash + Clone + Send + 'static>(queue: &Queue<T>) -> Option<Work<T>> {
    loom::future::block_on(Get::new(queue))
}

#[cfg(not(loom))]
pub(super) fn blocking<T: Eq + Hash + Clone + Send + 'static>(queue: &Queue<T>) -> Option<Work<T>> {
    use std::sync::Arc;
    use std::task::Wake;
    use std::thread::{self, Thread};

    struct Unpark(Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    // Waking a thread costs a producer far more than an add, and usually the next item comes soon.
    for _ in 0..YIELDS {
        match queue.with(|state, effects| state.take(&mut None, None, effects)) {
            TakeResult::Item(slot, item, priority) => {
                return Some(Work::new(queue.clone(), slot, item, priority));
            }
            TakeResult::End => return None,
            TakeResult::Wait(_) => thread::yield_now(),
        }
    }
    let waker = Arc::new(Unpark(thread::current())).into();
    // Gives its ticket back if the thread panics.
    let mut get = Get::new(queue);
    loop {
        let Get { ticket, .. } = &mut get;
        match queue.with(|state, effects| state.take(ticket, Some(&waker), effects)) {
            TakeResult::Item(slot, item, priority) => {
                return Some(Work::new(queue.clone(), slot, item, priority));
            }
            TakeResult::End => return None,
            TakeResult::Wait(None) => thread::park(),
            TakeResult::Wait(Some(deadline)) => {
                thread::park_timeout(deadline.saturating_duration_since(Instant::now()));
            }
        }
    }
}

/// The number of yields before a thread parks: some microseconds, which doubles the adds per second of 2 to
/// 16 threads on two cores.
#[cfg(not(loom))]
const YIELDS: usize = 8;
