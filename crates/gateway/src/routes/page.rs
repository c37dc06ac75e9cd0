//! The page, its assets, and the description of the API.

use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_ENCODING, ETAG, VARY};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use klient_client::ResponseBody;

use super::Context;
use crate::assets::Asset;
use crate::failure::Failure;
use crate::openapi;
use crate::response;

/// The page. It names its assets by their hashes, so that they are kept for ever, and itself not.
pub(super) fn index(context: &Context) -> Response<ResponseBody> {
    let assets = &context.gateway.assets;
    send(&context.head.headers, &assets.index, "private, no-cache")
}

pub(super) fn asset(context: &Context) -> Result<Response<ResponseBody>, Failure> {
    let name = context.path.parts().last().copied().unwrap_or_default();
    let asset = context.gateway.assets.find(name);
    let asset = asset.ok_or_else(|| Failure::not_found(context.head.uri.path()))?;
    Ok(send(&context.head.headers, asset, "private, max-age=31536000, immutable"))
}

fn send(request: &HeaderMap, asset: &Asset, caching: &'static str) -> Response<ResponseBody> {
    let tag = HeaderValue::from_str(&format!("\"{}\"", asset.hash)).expect("a hash is made of digits");
    if response::has_tag(request, &tag) {
        return response::not_modified(tag);
    }
    let is_compressed = response::takes_gzip(request) && asset.gzip.len() < asset.bytes.len();
    let body = if is_compressed { &asset.gzip } else { &asset.bytes };
    let mut response = response::whole(StatusCode::OK, asset.content_type, body.clone());
    let headers = response.headers_mut();
    if is_compressed {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    headers.insert(ETAG, tag);
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(caching));
    response
}

/// The description of the gateway's own routes.
pub(super) fn openapi(context: &Context) -> Response<ResponseBody> {
    let document = openapi::document().to_string().into_bytes();
    response::tagged(&context.head.headers, &crate::digest::short(&document), || document)
}

/// The failure of a request for the page, for those who read it in a browser.
pub(crate) fn refused_page(head: &http::request::Parts, failure: Failure) -> Response<ResponseBody> {
    let takes_html = (head.headers.get_all(ACCEPT).iter())
        .any(|value| value.to_str().is_ok_and(|value| value.contains("text/html")));
    match takes_html {
        // Text, since the message may repeat a part of the request.
        true => super::text(failure.code.status(), format!("{}\n", failure.message)),
        false => failure.into_response(),
    }
}
