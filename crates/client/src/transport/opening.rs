//! [`Opening`], the opening of a connection that its requests share.
//!
//! Requests that are sent before HTTP/2 is negotiated would each open a connection, with a TLS handshake, and all but one
//! of these would be closed again. So one is opened for all of them, in a task of its own: the request that begins it may
//! be cancelled, or not be polled while others wait.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::SetOnce;

/// The opening of a connection.
pub(super) struct Opening {
    has_begun: AtomicBool,
    done: SetOnce<()>,
}

impl Opening {
    /// An opening for which requests wait, if it is `shared` by them.
    pub(super) fn new(shared: bool) -> Self {
        let done = if shared { SetOnce::new() } else { SetOnce::new_with(Some(())) };
        Opening { has_begun: AtomicBool::new(!shared), done }
    }

    /// Returns true for the first request, which has to begin it.
    pub(super) fn begins(&self) -> bool {
        !self.has_begun.swap(true, Ordering::Relaxed)
    }

    /// Waits until the connection is open, or could not be opened: then all try at the same time.
    pub(super) async fn done(&self) {
        self.done.wait().await;
    }

    /// Ends the wait.
    pub(super) fn finish(&self) {
        // It is set once: there is one who begins it.
        let _ = self.done.set(());
    }
}
