//! The ports of URLs.

use http::Uri;

/// The port of an `http` or `https` URL: the one in it, else that of its scheme.
pub(crate) fn port_of(url: &Uri) -> u16 {
    url.port_u16().unwrap_or_else(|| default_port(url))
}

/// The port of the scheme of an `http` or `https` URL.
pub(crate) fn default_port(url: &Uri) -> u16 {
    if url.scheme_str() == Some("http") { 80 } else { 443 }
}
