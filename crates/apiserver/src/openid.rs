//! OpenID Connect discovery of the issuer of service account tokens: its configuration, and its keys.

use http::header::{CACHE_CONTROL, HeaderValue};
use http::request::Parts;
use http::{Method, Response, StatusCode};

use crate::auth::{ALGORITHM, ISSUER};
use crate::negotiate::{Media, accepts};
use crate::respond::{self, Body};
use crate::state::State;
use crate::status::{Failure, Result};

/// The path of the configuration.
pub(crate) const CONFIGURATION: &str = "/.well-known/openid-configuration";

/// The path of the keys.
pub(crate) const KEYS: &str = "/openid/v1/jwks";

/// The media type of the keys (RFC 7517).
const KEY_SET: &str = "application/jwk-set+json";

/// The time for which clients may keep the documents, as upstream.
const CACHED: HeaderValue = HeaderValue::from_static("public, max-age=3600");

/// Serves a document; `None` if the path is not one.
pub(crate) fn answer(state: &State, parts: &Parts) -> Option<Result<Response<Body>>> {
    let path = parts.uri.path();
    let (media_type, document) = match path.strip_suffix('/').unwrap_or(path) {
        CONFIGURATION => (Media::Json.content_type(), configuration(&state.address)),
        KEYS => (KEY_SET, state.signing_key.key_set()),
        _ => return None,
    };
    if parts.method != Method::GET {
        return Some(Err(Failure::method_not_allowed()));
    }
    Some(accepts(&parts.headers, media_type).map(|()| {
        let mut response = respond::plain(StatusCode::OK, media_type, document);
        response.headers_mut().insert(CACHE_CONTROL, CACHED);
        response
    }))
}

fn configuration(address: &str) -> String {
    format!(
        r#"{{"issuer":"{ISSUER}","jwks_uri":"https://{address}{KEYS}","response_types_supported":["id_token"],"subject_types_supported":["public"],"id_token_signing_alg_values_supported":["{ALGORITHM}"]}}"#
    )
}
