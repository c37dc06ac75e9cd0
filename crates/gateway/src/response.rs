//! Responses of the gateway's own routes.

use std::convert::Infallible;

use axum::Extension;
use axum::body::Body;
use axum::response::IntoResponse as _;
pub(crate) use axum::response::Response;
use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt as _};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderMap, IF_NONE_MATCH, VARY};
use http::{HeaderName, HeaderValue, StatusCode};
use klient_apimachinery::Unstructured;
use klient_cache::Cached;
use serde_json::Value;

use crate::options::CONTEXT_HEADER;

pub(crate) const JSON: &str = "application/json";

/// The length of a part of a response with objects, in bytes.
const PART: usize = 64 << 10;

/// The caching of what the client may keep, if it asks whether it is still right.
pub(crate) const CHECKED: &str = "private, no-cache";

/// A response with a whole body.
pub(crate) fn whole(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Response {
    (status, [(CONTENT_TYPE, content_type)], body.into()).into_response()
}

pub(crate) fn json(status: StatusCode, value: &Value) -> Response {
    whole(status, JSON, value.to_string())
}

/// A successful response in JSON, or 304 if the client has it. The tag changes with the body.
pub(crate) fn tagged(request: &HeaderMap, tag: &str, body: impl FnOnce() -> Vec<u8>) -> Response {
    kept(request, tag, CHECKED, || whole(StatusCode::OK, JSON, body()))
}

/// A response that the client may keep, or 304 if it has it. Tags are weak: a response may be compressed or not.
pub(crate) fn kept(
    request: &HeaderMap,
    tag: &str,
    caching: &'static str,
    response: impl FnOnce() -> Response,
) -> Response {
    let tag = HeaderValue::from_str(&format!("W/\"{tag}\"")).expect("tags are made of letters and digits");
    let mut response = match has_tag(request, &tag) {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => response(),
    };
    let headers = response.headers_mut();
    headers.insert(ETAG, tag);
    headers.insert(VARY, HeaderValue::from_name(CONTEXT_HEADER));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(caching));
    response
}

/// Returns true if the client has the version of a tag (RFC 9110, section 13.1.2).
fn has_tag(request: &HeaderMap, tag: &HeaderValue) -> bool {
    let strong = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let tag = strong(tag.to_str().unwrap_or_default());
    let known = request.get_all(IF_NONE_MATCH).into_iter().filter_map(|value| value.to_str().ok());
    known.flat_map(|value| value.split(',')).any(|known| known.trim() == "*" || strong(known) == tag)
}

/// The mark of a response that counts as a stream, as an extension: it has no end of its own, and its client may pause.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IsStream;

/// A stream of server-sent events, which are there in the form of their bytes.
pub(crate) fn events(events: impl Stream<Item = Bytes> + Send + 'static) -> Response {
    let headers = [
        (CONTENT_TYPE, "text/event-stream"),
        (CACHE_CONTROL, "no-store"),
        // For nginx, which would keep events back.
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    (headers, Extension(IsStream), in_parts(events)).into_response()
}

/// A successful response with the JSON of objects, as it is in a cache, between a head and a tail. Objects are copied when what
/// is before them was sent, so that a client that does not read costs little more than their number.
pub(crate) fn of_objects(head: Vec<u8>, objects: Vec<Cached<Unstructured>>, tail: &'static [u8]) -> Response {
    let mut parts = Parts { begun: head, objects: objects.into_iter(), is_first: true, tail: Some(tail) };
    let first = parts.next().unwrap_or_default();
    match parts.tail {
        None => whole(StatusCode::OK, JSON, first),
        Some(_) => {
            let parts = stream::iter(std::iter::once(first).chain(parts));
            ([(CONTENT_TYPE, JSON)], in_parts(parts)).into_response()
        }
    }
}

/// The parts of a response with objects.
struct Parts {
    /// The beginning of the next part.
    begun: Vec<u8>,
    objects: std::vec::IntoIter<Cached<Unstructured>>,
    is_first: bool,
    /// `None` at the end.
    tail: Option<&'static [u8]>,
}

impl Iterator for Parts {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let tail = self.tail?;
        let mut part = std::mem::take(&mut self.begun);
        while part.len() < PART {
            let Some(object) = self.objects.next() else {
                part.extend_from_slice(tail);
                self.tail = None;
                break;
            };
            if !std::mem::take(&mut self.is_first) {
                part.push(b',');
            }
            part.extend_from_slice(object.encoded().bytes());
        }
        Some(part.into())
    }
}

/// A body that comes in parts.
fn in_parts(parts: impl Stream<Item = Bytes> + Send + 'static) -> Body {
    Body::from_stream(parts.map(Ok::<_, Infallible>))
}
