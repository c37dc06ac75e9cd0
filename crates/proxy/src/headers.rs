//! Headers that belong to one connection and are not passed on (RFC 9110, section 7.6.1).

use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, HOST, HeaderMap, HeaderName, HeaderValue, PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};

/// Headers that are for the next hop only, as in Go's `httputil.ReverseProxy`.
const HOP_BY_HOP: [HeaderName; 9] = [
    CONNECTION,
    HeaderName::from_static("proxy-connection"),
    HeaderName::from_static("keep-alive"),
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// Returns the protocol to which a request switches its connection. One to HTTP/2 is no such request: a server may
/// answer it in HTTP/1.1, and the proxy does.
pub(crate) fn requested_upgrade(headers: &HeaderMap) -> Option<HeaderValue> {
    let is_requested = tokens(headers, CONNECTION).any(|token| token.eq_ignore_ascii_case("upgrade"));
    let protocol = headers.get(UPGRADE).filter(|_| is_requested)?;
    (!protocol.as_bytes().eq_ignore_ascii_case(b"h2c")).then(|| protocol.clone())
}

/// Returns the length of all names and values.
pub(crate) fn size_of(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum()
}

/// Removes the headers of a request that are not for the server. The server's own name becomes `Host`.
pub(crate) fn strip_request(headers: &mut HeaderMap) {
    let takes_trailers = tokens(headers, TE).any(|token| token.eq_ignore_ascii_case("trailers"));
    strip(headers);
    headers.remove(HOST);
    if takes_trailers {
        headers.insert(TE, HeaderValue::from_static("trailers"));
    }
}

/// Removes the headers of a response that are not for the client. A length beside a transfer encoding is not that of the body
/// (RFC 9112, section 6.3).
pub(crate) fn strip_response(headers: &mut HeaderMap) {
    if headers.contains_key(TRANSFER_ENCODING) {
        headers.remove(CONTENT_LENGTH);
    }
    strip(headers);
}

fn strip(headers: &mut HeaderMap) {
    let named = tokens(headers, CONNECTION).filter_map(|name| name.parse().ok());
    let named: Vec<HeaderName> = named.filter(|name| !says_who(name)).collect();
    for name in named.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
}

/// Returns true for headers that say who sends a request. A client cannot take them away by `Connection`, because a layer
/// in front of the proxy may have set them.
fn says_who(name: &HeaderName) -> bool {
    *name == AUTHORIZATION || name.as_str().starts_with("impersonate-")
}

/// The parts of a list in a header, which may be there several times.
fn tokens(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim).filter(|token| !token.is_empty())
}
