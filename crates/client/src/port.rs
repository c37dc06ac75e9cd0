//! The port of a URL.

use http::Uri;

/// The port of an `http` or `https` URL: the one in it, else that of its scheme.
pub(crate) fn port_of(url: &Uri) -> u16 {
    url.port_u16().unwrap_or(if url.scheme_str() == Some("http") { 80 } else { 443 })
}
