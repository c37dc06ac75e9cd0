//! The page, the one that signs browsers in, their assets, and the description of the API.

use std::sync::Arc;

use axum::extract;
use axum::response::IntoResponse as _;
use http::header::{ACCEPT, CONTENT_SECURITY_POLICY, REFERRER_POLICY, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};

use super::{Context, RequestBody, not_allowed};
use crate::assets::{Asset, Page};
use crate::digest;
use crate::failure::{CHALLENGE, Code, Failure};
use crate::guard::security_headers;
use crate::openapi;
use crate::options::Access;
use crate::query::Query;
use crate::response::{self, Response};
use crate::state::State;

/// The page. It names its assets by their hashes, so that they are kept for ever, and itself not.
pub(super) async fn index(context: Context) -> Response {
    send(&context.headers, context.gateway.assets.page(Page::Index), "private, no-cache")
}

/// A file, which has no user if it is one of the page that signs browsers in.
pub(super) async fn asset(
    extract::State(gateway): extract::State<Arc<State>>,
    headers: HeaderMap,
    uri: Uri,
    name: extract::Path<String>,
) -> Result<Response, Failure> {
    let asset = gateway.assets.find(&name).ok_or_else(|| Failure::not_found(uri.path()))?;
    Ok(send(&headers, asset, "private, max-age=31536000, immutable"))
}

/// Signs a browser in by the form of the page for that.
pub(super) async fn sign_in(
    extract::State(gateway): extract::State<Arc<State>>,
    head: Parts,
    body: RequestBody,
) -> Result<Response, Failure> {
    if !gateway.guard.is_form(&head) {
        return Err(not_allowed(head.method).await);
    }
    let form = String::from_utf8_lossy(&body.0);
    Ok(gateway.guard.sign_in(&head, &form).unwrap_or_else(|failure| refused_page(&gateway, &head, failure)))
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
pub(crate) fn refused_page(gateway: &State, head: &Parts, failure: Failure) -> Response {
    let takes_html = (head.headers.get_all(ACCEPT).iter())
        .any(|value| value.to_str().is_ok_and(|value| value.contains("text/html")));
    if !takes_html {
        return failure.into_response();
    }
    if failure.code != Code::Unauthorized {
        // Text, since the message may repeat a part of the request.
        return super::text(failure.code.status(), format!("{}\n", failure.message));
    }
    let has_tried = head.method == Method::POST || Query::parse(head.uri.query()).get("token").is_some();
    let page = match gateway.options.access {
        Access::Token if has_tried => Page::WrongToken,
        Access::Token => Page::SignIn,
        Access::Bearer | Access::Impersonate { .. } => Page::NoUser,
    };
    let asset = gateway.assets.page(page);
    let mut response = response::whole(failure.code.status(), asset.content_type, asset.bytes.clone());
    let headers = response.headers_mut();
    headers.insert(WWW_AUTHENTICATE, CHALLENGE);
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(security_headers::SIGN_IN));
    // Without a referrer, browsers send the form with the origin `null`.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    response
}
