//! [`Connector`], connections to a server within the program.

use std::io;
use std::sync::{Arc, Weak};

use tokio::io::DuplexStream;
use tokio::sync::Mutex;

use super::serving::Serving;

/// Opens connections to a server within the program: see [`Server::connector`](super::Server::connector). It does not
/// keep the server running.
#[derive(Clone)]
pub struct Connector(Weak<Mutex<Option<Serving>>>);

impl Connector {
    pub(super) fn new(serving: &Arc<Mutex<Option<Serving>>>) -> Self {
        Connector(Arc::downgrade(serving))
    }

    /// Opens a connection: TLS and HTTP run over it as over TCP.
    ///
    /// # Errors
    ///
    /// If the server is stopped or dropped.
    pub async fn connect(&self) -> io::Result<DuplexStream> {
        let serving = self.0.upgrade().ok_or(io::ErrorKind::ConnectionRefused)?;
        let serving = serving.lock().await;
        serving.as_ref().ok_or(io::ErrorKind::ConnectionRefused)?.connect()
    }
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Connector")
    }
}
