//! The page, its assets, and the description of the API.

use axum::extract;
use axum::response::IntoResponse as _;
use http::header::ACCEPT;
use http::request::Parts;
use http::{HeaderMap, StatusCode};

use super::Context;
use crate::assets::Asset;
use crate::digest;
use crate::failure::Failure;
use crate::openapi;
use crate::response::{self, Response};

/// The page. It names its assets by their hashes, so that they are kept for ever, and itself not.
pub(super) async fn index(context: Context) -> Response {
    send(&context.headers, context.gateway.assets.index(), "private, no-cache")
}

pub(super) async fn asset(context: Context, name: extract::Path<String>) -> Result<Response, Failure> {
    let asset = context.gateway.assets.find(&name).ok_or_else(|| Failure::not_found(context.uri.path()))?;
    Ok(send(&context.headers, asset, "private, max-age=31536000, immutable"))
}

fn send(request: &HeaderMap, asset: &Asset, caching: &'static str) -> Response {
    response::kept(request, &asset.hash, caching, || {
        response::whole(StatusCode::OK, asset.content_type, asset.bytes.clone())
    })
}

/// The description of the gateway's own routes.
pub(super) async fn openapi(context: Context) -> Response {
    let document = openapi::document().to_string().into_bytes();
    response::tagged(&context.headers, &digest::short(&document), || document)
}

/// The failure of a request for the page, for those who read it in a browser.
pub(crate) fn refused_page(head: &Parts, failure: Failure) -> Response {
    let takes_html = (head.headers.get_all(ACCEPT).iter())
        .any(|value| value.to_str().is_ok_and(|value| value.contains("text/html")));
    match takes_html {
        // Text, since the message may repeat a part of the request.
        true => super::text(failure.code.status(), format!("{}\n", failure.message)),
        false => failure.into_response(),
    }
}
