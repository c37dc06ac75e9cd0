//! [`ProxyError`], a proxy that leads nowhere.

use std::error::Error as StdError;
use std::fmt;

/// A proxy that cannot be reached, or opens no connection to the server.
#[derive(Debug)]
pub(crate) struct ProxyError {
    /// The URL of the proxy, without user and password.
    pub(crate) proxy: String,
    /// The server to which there is no connection; `None` if the proxy itself is not reached.
    pub(crate) server: Option<String>,
    pub(crate) cause: Box<dyn StdError + Send + Sync>,
}

impl fmt::Display for ProxyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.server {
            None => write!(f, "proxy {} cannot be reached", self.proxy),
            Some(server) => write!(f, "proxy {} does not connect to {server}", self.proxy),
        }
    }
}

impl StdError for ProxyError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.cause)
    }
}
