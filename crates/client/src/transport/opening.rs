//! [`Opening`], the opening of a connection by the first of its requests.
//!
//! Requests that are sent before HTTP/2 is negotiated would each open a connection, with a TLS handshake, and all but one
//! of these would be closed again. So they wait for the first.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::SetOnce;

/// The opening of a connection.
pub(super) struct Opening {
    has_opener: AtomicBool,
    done: SetOnce<()>,
}

/// The request that opens the connection. The others wait until this is dropped.
pub(super) struct Opener<'a>(&'a Opening);

impl Opening {
    /// An opening for which requests wait, if it is `shared` by them.
    pub(super) fn new(shared: bool) -> Self {
        let done = if shared { SetOnce::new() } else { SetOnce::new_with(Some(())) };
        Opening { has_opener: AtomicBool::new(false), done }
    }

    /// Waits until the connection is open, or was not opened by the first request: then all try at the same time. The
    /// first request does not wait, and gets the opener.
    pub(super) async fn turn(&self) -> Option<Opener<'_>> {
        if self.done.initialized() {
            return None;
        }
        if !self.has_opener.swap(true, Ordering::Relaxed) {
            return Some(Opener(self));
        }
        self.done.wait().await;
        None
    }
}

impl Drop for Opener<'_> {
    fn drop(&mut self) {
        // It is set here only, and there is one opener.
        let _ = self.0.done.set(());
    }
}
