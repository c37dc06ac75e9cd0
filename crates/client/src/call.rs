//! [`Call`], a request that can be sent.

use std::fmt;
use std::time::Duration;

use http::{HeaderMap, Method, Uri};

/// A request that is complete and can be sent, more than once if need be. Its response holds it too, for messages.
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: bytes::Bytes,
    /// The limit of the wait for the head of the response.
    pub(crate) first_byte: Option<Duration>,
}

/// `GET https://host/path?query`, for messages.
impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.uri)
    }
}
