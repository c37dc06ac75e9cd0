//! [`Effects`], what is left to do when the lock of the state is released.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Waker;

use crate::metrics::Observation;

/// Wakers and values to call and drop when the lock is released, as both run foreign code; mostly none.
pub(crate) struct Effects<T> {
    wake: Option<Waker>,
    /// The waker of a waiter that has left or has another.
    pub(super) unused: Option<Waker>,
    pub(super) dropped: Option<T>,
    more: Option<Box<More<T>>>,
}

struct More<T> {
    wake: Vec<Waker>,
    dropped: Vec<T>,
    observations: Vec<Observation>,
}

impl<T> Default for Effects<T> {
    fn default() -> Self {
        Self { wake: None, unused: None, dropped: None, more: None }
    }
}

impl<T> Effects<T> {
    /// Runs the effects, each though another panics; passes the observations to `observe`.
    pub(crate) fn run(self, observe: impl Fn(Observation)) {
        let Self { wake, unused, dropped, more } = self;
        if let Some(waker) = wake {
            contained(|| waker.wake());
        }
        if unused.is_some() {
            contained(|| drop(unused));
        }
        if dropped.is_some() {
            contained(|| drop(dropped));
        }
        let Some(more) = more else { return };
        for waker in more.wake {
            contained(|| waker.wake());
        }
        for item in more.dropped {
            contained(|| drop(item));
        }
        for observation in more.observations {
            contained(|| observe(observation));
        }
    }

    /// Makes `dropped` empty: what is assigned to it would drop its item under the lock.
    pub(super) fn keep_room(&mut self) {
        if let Some(item) = self.dropped.take() {
            self.more().dropped.push(item);
        }
    }

    pub(super) fn drop_item(&mut self, item: T) {
        self.keep_room();
        self.dropped = Some(item);
    }

    pub(super) fn observe(&mut self, observation: Option<Observation>) {
        if let Some(observation) = observation {
            self.more().observations.push(observation);
        }
    }

    pub(super) fn wake(&mut self, waker: Waker) {
        if let Some(other) = self.wake.replace(waker) {
            self.more().wake.push(other);
        }
    }

    fn more(&mut self) -> &mut More<T> {
        let none = || Box::new(More { wake: vec![], dropped: vec![], observations: vec![] });
        self.more.get_or_insert_with(none)
    }
}

/// Runs foreign code on behalf of others, who go on if it panics; the panic hook has reported that.
pub(super) fn contained(run: impl FnOnce()) {
    // The caller's state is consistent whenever foreign code runs.
    let _ = catch_unwind(AssertUnwindSafe(run));
}
