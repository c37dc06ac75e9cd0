//! Responses of the gateway's own routes.

use std::io::Write as _;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderMap,
    IF_NONE_MATCH, VARY,
};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;
use klient_client::ResponseBody;
use serde_json::Value;

pub(crate) const JSON: &str = "application/json";

/// Bodies that are shorter are not compressed.
const SHORTEST: usize = 1024;

/// A response with a whole body.
pub(crate) fn whole(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<Bytes>,
) -> Response<ResponseBody> {
    let body = body.into();
    let length = body.len();
    let mut response = Response::new(ResponseBody::new(Full::new(body)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CONTENT_LENGTH, length.into());
    response
}

pub(crate) fn json(status: StatusCode, value: &Value) -> Response<ResponseBody> {
    whole(status, JSON, value.to_string())
}

/// A successful response in JSON, compressed if the client takes that, or 304 if the client has it. The tag changes with the
/// body.
pub(crate) fn tagged(
    request: &HeaderMap,
    tag: &str,
    body: impl FnOnce() -> Vec<u8>,
) -> Response<ResponseBody> {
    let tag = HeaderValue::from_str(&format!("W/\"{tag}\"")).expect("tags are made of letters and digits");
    if has_tag(request, &tag) {
        return not_modified(tag);
    }
    let body = body();
    let mut response = match body.len() >= SHORTEST && takes_gzip(request) {
        true => {
            let mut response = whole(StatusCode::OK, JSON, gzip(&body, Compression::fast()));
            response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            response
        }
        false => whole(StatusCode::OK, JSON, body),
    };
    let headers = response.headers_mut();
    headers.insert(ETAG, tag);
    headers.insert(VARY, HeaderValue::from_static("accept-encoding, x-klient-context"));
    // The client may keep it, and asks whether it is still right.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    response
}

pub(crate) fn not_modified(tag: HeaderValue) -> Response<ResponseBody> {
    let mut response = Response::new(ResponseBody::new(Full::default()));
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    response.headers_mut().insert(ETAG, tag);
    response
}

/// Returns true if the client has the version of a tag (RFC 9110, section 13.1.2).
pub(crate) fn has_tag(request: &HeaderMap, tag: &HeaderValue) -> bool {
    let strong = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let tag = strong(tag.to_str().unwrap_or_default());
    let known = request.get_all(IF_NONE_MATCH).into_iter().filter_map(|value| value.to_str().ok());
    known.flat_map(|value| value.split(',')).any(|known| known.trim() == "*" || strong(known) == tag)
}

pub(crate) fn takes_gzip(request: &HeaderMap) -> bool {
    let values = request.get_all(ACCEPT_ENCODING).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|coding| {
        let (name, quality) = coding.split_once(';').unwrap_or((coding, ""));
        let quality: String = quality.split_whitespace().collect();
        name.trim().eq_ignore_ascii_case("gzip")
            && !matches!(&*quality, "q=0" | "q=0.0" | "q=0.00" | "q=0.000")
    })
}

pub(crate) fn gzip(bytes: &[u8], level: Compression) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), level);
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    written.expect("a vector takes all bytes")
}
