//! Connections that switch to another protocol than HTTP: WebSocket or SPDY/3.1.

use http::header::{
    CONNECTION, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{HeaderMap, Response, StatusCode};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use klient_streams::websocket::accept_key;

use super::Context;
use crate::respond::{self, Body};
use crate::status::{Failure, Result};

/// The header in which client and server agree on a version over SPDY.
const STREAM_PROTOCOL: HeaderName = HeaderName::from_static("x-stream-protocol-version");

/// A protocol to which a client wants to switch its connection, with the versions that it offers, best first.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wanted<'a> {
    WebSocket(Vec<&'a str>),
    Spdy(Vec<&'a str>),
}

/// The protocol that a request asks for.
///
/// # Errors
///
/// 400 if it asks for none, or not in the way of the protocol.
pub(super) fn wanted(headers: &HeaderMap) -> Result<Wanted<'_>> {
    let protocol = headers.get(UPGRADE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if protocol.eq_ignore_ascii_case("websocket") {
        let version = headers.get(SEC_WEBSOCKET_VERSION).map(HeaderValue::as_bytes);
        if !headers.contains_key(SEC_WEBSOCKET_KEY) || version != Some(b"13") {
            return Err(Failure::bad_request("the handshake of WebSocket has no key, or not version 13"));
        }
        return Ok(Wanted::WebSocket(words(headers, &SEC_WEBSOCKET_PROTOCOL)));
    }
    if !protocol.eq_ignore_ascii_case("SPDY/3.1") {
        return Err(Failure::bad_request("Upgrade request required"));
    }
    let offered = words(headers, &STREAM_PROTOCOL);
    if offered.is_empty() {
        let message = "unable to upgrade: header X-Stream-Protocol-Version does not exist in request";
        return Err(Failure::bad_request(message));
    }
    Ok(Wanted::Spdy(offered))
}

/// The refusal of a client that offers no known version over WebSocket.
pub(super) fn unknown_subprotocol(offered: &[&str]) -> Failure {
    Failure::bare(403, format!("requested protocol(s) are not supported: [{}]", offered.join(" ")))
}

/// The refusal of a client that offers no known version over SPDY.
pub(super) fn unknown_version(offered: &[&str], known: &[&str]) -> Failure {
    let (offered, known) = (offered.join(" "), known.join(" "));
    let supports = format!("client supports [{offered}], server accepts [{known}]");
    Failure::bare(403, format!("unable to upgrade: unable to negotiate protocol: {supports}"))
}

/// The headers of the response that agrees to a subprotocol of WebSocket; none if the client offers none.
pub(super) fn agree_websocket(headers: &HeaderMap, subprotocol: Option<&str>) -> Result<HeaderMap> {
    let mut answer = agreement("websocket");
    let key = headers.get(SEC_WEBSOCKET_KEY).and_then(|key| key.to_str().ok()).unwrap_or_default();
    answer.insert(SEC_WEBSOCKET_ACCEPT, value(&accept_key(key))?);
    if let Some(subprotocol) = subprotocol {
        answer.insert(SEC_WEBSOCKET_PROTOCOL, value(subprotocol)?);
    }
    Ok(answer)
}

/// The headers of the response that agrees to a version over SPDY.
pub(super) fn agree_spdy(version: &'static str) -> HeaderMap {
    let mut answer = agreement("SPDY/3.1");
    answer.insert(STREAM_PROTOCOL, HeaderValue::from_static(version));
    answer
}

fn agreement(protocol: &'static str) -> HeaderMap {
    let mut answer = HeaderMap::new();
    answer.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    answer.insert(UPGRADE, HeaderValue::from_static(protocol));
    answer
}

/// Switches the connection of a request, and serves it in a task that ends with the server.
///
/// # Errors
///
/// 400 if the connection cannot be switched, as over HTTP/2.
pub(super) fn switch<S, F>(context: &mut Context, headers: HeaderMap, serve: S) -> Result<Response<Body>>
where
    S: FnOnce(TokioIo<Upgraded>) -> F + Send + 'static,
    F: Future<Output = ()> + Send,
{
    let upgrade = context.upgrade.take();
    let upgrade = upgrade.ok_or_else(|| Failure::bad_request("Upgrade request required"))?;
    let mut stopped = context.state.stopped.clone();
    tokio::spawn(async move {
        let serving = async {
            match upgrade.await {
                Ok(connection) => serve(TokioIo::new(connection)).await,
                Err(error) => tracing::debug!(%error, "a connection could not be switched"),
            }
        };
        tokio::select! {
            () = serving => {}
            _ = stopped.wait_for(|stopped| *stopped) => {}
        }
    });
    let mut response = Response::new(respond::whole(""));
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    *response.headers_mut() = headers;
    Ok(response)
}

/// The words of a header, which may be there several times and have several words each.
fn words<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Vec<&'a str> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    let words = values.flat_map(|value| value.split(',')).map(str::trim);
    words.filter(|word| !word.is_empty()).collect()
}

fn value(text: &str) -> Result<HeaderValue> {
    HeaderValue::from_str(text).map_err(|_| Failure::bad_request("the handshake of WebSocket is invalid"))
}
