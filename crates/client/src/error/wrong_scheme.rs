//! [`WrongScheme`], a server that speaks another protocol than the scheme of its URL says.

use std::error::Error as StdError;
use std::fmt;
use std::io;

use http::Uri;

use super::causes::causes;
use super::proxy_error::ProxyError;

type BoxError = Box<dyn StdError + Send + Sync>;

/// A server that speaks another protocol than the scheme of its URL says.
#[derive(Debug)]
struct WrongScheme {
    advice: &'static str,
    cause: BoxError,
}

impl fmt::Display for WrongScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.advice)
    }
}

impl StdError for WrongScheme {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.cause)
    }
}

/// Adds the likely reason to an error of a request: a response to plain HTTP that is no HTTP, or one to a TLS handshake
/// that is no TLS. Go's client prints the bytes of the former, and has the words of the latter.
pub(crate) fn explained(cause: BoxError, uri: &Uri) -> BoxError {
    if causes(&*cause).any(|cause| cause.is::<ProxyError>()) {
        return cause;
    }
    let is_http = uri.scheme_str() == Some("http");
    let advice = if is_http && causes(&*cause).any(is_no_http) {
        "the response is no HTTP: the server may speak TLS, whose URL begins with https://"
    } else if causes(&*cause).any(is_no_tls) {
        "server gave HTTP response to HTTPS client: the response is no TLS, and the URL of a server that speaks plain \
         HTTP begins with http://"
    } else {
        return cause;
    };
    Box::new(WrongScheme { advice, cause })
}

fn is_no_http(cause: &(dyn StdError + 'static)) -> bool {
    let is_parse = |error: &hyper::Error| error.is_parse() && error.to_string().contains("HTTP version");
    cause.downcast_ref().is_some_and(is_parse)
}

/// An `io::Error` of rustls holds its error, and does not give it as its source.
fn is_no_tls(cause: &(dyn StdError + 'static)) -> bool {
    let inner = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    let error = inner.and_then(|inner| inner.downcast_ref::<rustls::Error>());
    matches!(error, Some(rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType)))
}
