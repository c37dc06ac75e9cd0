//! [`StreamProtocols`], the memory of a client for the protocols of its server: WebSocket, or SPDY only.

use std::sync::atomic::{AtomicBool, Ordering};

/// The protocols that the server of a client has switched to.
#[derive(Debug, Default)]
pub(crate) struct StreamProtocols {
    commands_over_spdy: AtomicBool,
    ports_over_spdy: AtomicBool,
}

/// The kinds of requests, whose protocols a server may have introduced in different versions.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    Command,
    Ports,
}

impl StreamProtocols {
    /// Returns true if the server has switched to SPDY after it refused WebSocket.
    pub(crate) fn are_over_spdy(&self, purpose: Purpose) -> bool {
        self.over_spdy(purpose).load(Ordering::Relaxed)
    }

    pub(crate) fn set_over_spdy(&self, purpose: Purpose, over_spdy: bool) {
        self.over_spdy(purpose).store(over_spdy, Ordering::Relaxed);
    }

    fn over_spdy(&self, purpose: Purpose) -> &AtomicBool {
        match purpose {
            Purpose::Command => &self.commands_over_spdy,
            Purpose::Ports => &self.ports_over_spdy,
        }
    }
}
