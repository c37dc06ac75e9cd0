//! [`Server`], the server that a connection leads to.

use http::uri::{Authority, Scheme};
use http::{HeaderValue, Uri};

use super::BoxError;
use crate::port::default_port;

/// The server that a connection leads to. A layer may send requests to others than that of the configuration.
pub(super) struct Server {
    scheme: Scheme,
    authority: Authority,
    /// The value of the header `Host`.
    pub(super) host: HeaderValue,
}

impl Server {
    /// The server of a URL.
    ///
    /// # Errors
    ///
    /// If the URL has no scheme or no host.
    pub(super) fn of(url: &Uri) -> Result<Self, BoxError> {
        let (Some(scheme), Some(authority)) = (url.scheme().cloned(), url.authority().cloned()) else {
            return Err(format!("{url}: the URL of a request needs a scheme and a host").into());
        };
        let host = match authority.port_u16().filter(|port| *port != default_port(url)) {
            Some(port) => format!("{}:{port}", authority.host()).parse()?,
            None => authority.host().parse()?,
        };
        Ok(Server { scheme, authority, host })
    }

    /// Returns true if a request to a URL is for this server.
    pub(super) fn serves(&self, url: &Uri) -> bool {
        url.scheme() == Some(&self.scheme) && url.authority() == Some(&self.authority)
    }
}
