//! [`Activity`], the requests of a connection, without which it may be closed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// The requests in progress of a connection.
pub(super) struct Activity {
    state: Mutex<State>,
    /// Notified when the connection is to be closed.
    close: Notify,
}

struct State {
    requests: usize,
    /// The beginning of the connection, or the end of its last request.
    since: Instant,
    is_closing: bool,
}

/// A request in progress.
pub(super) struct InProgress(Arc<Activity>);

impl Activity {
    pub(super) fn new() -> Self {
        let state = State { requests: 0, since: Instant::now(), is_closing: false };
        Activity { state: Mutex::new(state), close: Notify::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a request.
    pub(super) fn begin(self: &Arc<Self>) -> InProgress {
        self.state().requests += 1;
        InProgress(self.clone())
    }

    /// The time since when there is no request, unless there is one, or the connection is about to be closed.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        let state = self.state();
        (state.requests == 0 && !state.is_closing).then_some(state.since)
    }

    /// Closes the connection as soon as it has no request in progress.
    pub(super) fn close(&self) {
        self.state().is_closing = true;
        self.close.notify_one();
    }

    /// Waits until the connection is to be closed, or had no request for some time.
    pub(super) async fn closing(&self, limit: Duration) {
        tokio::select! {
            () = self.close.notified() => {}
            () = self.idle_for(limit) => {}
        }
    }

    /// Waits until the connection had no request for some time.
    pub(super) async fn idle_for(&self, limit: Duration) {
        loop {
            let until = {
                let state = self.state();
                let idle_since = if state.requests == 0 { state.since } else { Instant::now() };
                idle_since + limit
            };
            if until <= Instant::now() {
                return;
            }
            sleep_until(until).await;
        }
    }
}

impl Drop for InProgress {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.requests -= 1;
        state.since = Instant::now();
    }
}
