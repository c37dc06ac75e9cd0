//! [`Document`], a document in its encodings, and the answers with it.

use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{CACHE_CONTROL, ETAG, EXPIRES, HeaderValue, IF_NONE_MATCH, LOCATION, VARY};
use http::{HeaderMap, Response, StatusCode};
use serde_json::Value;

use crate::discovery::hash;
use crate::negotiate::accepted;
use crate::respond::{self, Body};

/// A document as JSON, and as protobuf once that is requested.
pub(super) struct Document {
    json: Bytes,
    /// The hash of the JSON; the protobuf has the same.
    pub(super) hash: String,
    protobuf: OnceLock<Bytes>,
    encoding: &'static Encoding,
}

/// The protobuf encoding of a version of OpenAPI.
pub(super) struct Encoding {
    /// The content type of responses.
    pub(super) content_type: &'static str,
    /// The content type that older clients accept.
    pub(super) older_type: &'static str,
    pub(super) encode: fn(&Value) -> Vec<u8>,
}

impl Document {
    pub(super) fn new(document: &Value, encoding: &'static Encoding) -> Self {
        let json = serde_json::to_vec(document).expect("keys are strings");
        Document { hash: hash(&json), json: json.into(), protobuf: OnceLock::new(), encoding }
    }

    fn protobuf(&self) -> Bytes {
        let encode = || {
            let document = serde_json::from_slice(&self.json).expect("it was written as JSON");
            (self.encoding.encode)(&document).into()
        };
        self.protobuf.get_or_init(encode).clone()
    }

    /// The document in the form that a client accepts; 406 if there is none.
    pub(super) fn answer(&self, headers: &HeaderMap) -> Response<Body> {
        const JSON: &str = "application/json";
        let Encoding { content_type, older_type, .. } = *self.encoding;
        let offered = accepted(headers).iter().find_map(|clause| match clause.media {
            "*/*" | "application/*" | JSON => Some(JSON),
            media if media == content_type || media == older_type => Some(content_type),
            _ => None,
        });
        let mut response = match offered {
            None => status(StatusCode::NOT_ACCEPTABLE),
            Some(_) if self.is_known(headers) => status(StatusCode::NOT_MODIFIED),
            Some(JSON) => respond::plain(StatusCode::OK, JSON, self.json.clone()),
            Some(content_type) => respond::plain(StatusCode::OK, content_type, self.protobuf()),
        };
        let found = response.headers_mut();
        found.insert(VARY, HeaderValue::from_static("Accept"));
        if offered.is_some()
            && let Ok(etag) = HeaderValue::from_str(&self.etag())
        {
            found.insert(ETAG, etag);
        }
        response
    }

    /// The answer to a request for a document with this hash: the document, which clients may keep, or a redirect to the
    /// present one.
    pub(super) fn answer_hash(&self, headers: &HeaderMap, path: &str, hash: &str) -> Response<Body> {
        let mut response = self.answer(headers);
        if response.status() == StatusCode::NOT_ACCEPTABLE {
            return response;
        }
        if hash != self.hash {
            *response.status_mut() = StatusCode::MOVED_PERMANENTLY;
            *response.body_mut() = respond::whole(Bytes::new());
            if let Ok(url) = HeaderValue::from_str(&self.url(path)) {
                response.headers_mut().insert(LOCATION, url);
            }
            return response;
        }
        let found = response.headers_mut();
        found.insert(CACHE_CONTROL, HeaderValue::from_static("public, immutable"));
        let expiry = httpdate::fmt_http_date(SystemTime::now() + YEAR);
        if let Ok(expiry) = HeaderValue::from_str(&expiry) {
            found.insert(EXPIRES, expiry);
        }
        response
    }

    /// The URL of the document at a path, with its hash.
    pub(super) fn url(&self, path: &str) -> String {
        format!("/openapi/v3/{path}?hash={}", self.hash)
    }

    fn etag(&self) -> String {
        format!("\"{}\"", self.hash)
    }

    /// Returns true if the client has the document.
    fn is_known(&self, headers: &HeaderMap) -> bool {
        let etag = self.etag();
        let values = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
        let mut tags = values.flat_map(|value| value.split(',')).map(str::trim);
        tags.any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
    }
}

/// The time for which clients may keep a document with a hash.
const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

fn status(code: StatusCode) -> Response<Body> {
    let mut response = Response::new(respond::whole(Bytes::new()));
    *response.status_mut() = code;
    response
}
