//! Connections that switch to another protocol than HTTP: WebSocket or SPDY/3.1.

use http::header::{
    CONNECTION, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{HeaderMap, Response, StatusCode};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use klient_apimachinery::meta::v1::Status;
use klient_streams::websocket::accept_key;

use super::Context;
use crate::respond::{self, Body};
use crate::status::{Failure, Result};

/// The header in which client and server agree on a version over SPDY.
const STREAM_PROTOCOL: HeaderName = HeaderName::from_static("x-stream-protocol-version");

/// The header of a refusal with the versions that the server has.
const ACCEPTED_PROTOCOLS: HeaderName = HeaderName::from_static("x-accepted-stream-protocol-versions");

/// A protocol to which a client wants to switch its connection, with the versions that it offers, best first.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wanted<'a> {
    WebSocket(Vec<&'a str>),
    Spdy(Vec<&'a str>),
}

/// A refusal by a kubelet: a text, which a kube-apiserver passes on as it is, and no `Status`.
#[derive(Debug)]
pub(super) struct Refusal {
    code: StatusCode,
    text: String,
    /// The versions over SPDY that the server has, of a request that offers others.
    accepted: &'static [&'static str],
}

impl Refusal {
    pub(super) fn new(code: StatusCode, text: impl Into<String>) -> Self {
        Refusal { code, text: text.into(), accepted: &[] }
    }

    /// The refusal as a kube-apiserver words it that has switched the connection already.
    pub(super) fn into_status(self) -> Status {
        Failure::internal(format!("unable to upgrade connection: {}", self.text)).status().clone()
    }

    pub(super) fn into_response(self) -> Response<Body> {
        let mut response = respond::plain(self.code, "text/plain; charset=utf-8", self.text);
        for version in self.accepted {
            response.headers_mut().append(ACCEPTED_PROTOCOLS, HeaderValue::from_static(version));
        }
        response
    }
}

/// Checks that a request asks for another protocol.
pub(super) fn require(headers: &HeaderMap) -> Result<()> {
    if headers.contains_key(UPGRADE) && headers.contains_key(CONNECTION) {
        return Ok(());
    }
    Err(Failure::bad_request("Upgrade request required"))
}

/// The protocol that a request asks for; refused if it is none of both, or not asked for in its way.
pub(super) fn wanted(headers: &HeaderMap) -> std::result::Result<Wanted<'_>, Refusal> {
    let bad = |text: &str| Refusal::new(StatusCode::BAD_REQUEST, text);
    let protocol = headers.get(UPGRADE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if protocol.eq_ignore_ascii_case("websocket") {
        if headers.get(SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
            return Err(bad("missing or bad WebSocket Version"));
        }
        if !headers.contains_key(SEC_WEBSOCKET_KEY) {
            return Err(bad("mismatch challenge/response"));
        }
        return Ok(Wanted::WebSocket(words(headers, &SEC_WEBSOCKET_PROTOCOL)));
    }
    if !headers.contains_key(STREAM_PROTOCOL) {
        let count = headers.len();
        let problem =
            format!("header X-Stream-Protocol-Version does not exist in request with {count} headers");
        return Err(bad(&format!("unable to upgrade: {problem}\n")));
    }
    let offered = words(headers, &STREAM_PROTOCOL);
    if offered.is_empty() {
        let problem = "header X-Stream-Protocol-Version contains [], but no valid protocols";
        return Err(bad(&format!("unable to upgrade: {problem}\n")));
    }
    if !protocol.eq_ignore_ascii_case("SPDY/3.1") {
        return Err(bad("unable to upgrade: missing upgrade headers in request\n"));
    }
    Ok(Wanted::Spdy(offered))
}

/// The refusal of a client that offers no known version over WebSocket. Upstream tells its own log only which.
pub(super) fn unknown_subprotocol(offered: &[&str]) -> Refusal {
    let text = format!("requested protocol(s) are not supported: [{}]", offered.join(" "));
    Refusal::new(StatusCode::FORBIDDEN, text)
}

/// The refusal of a client that offers no known version over SPDY.
pub(super) fn unknown_version(offered: &[&str], accepted: &'static [&'static str]) -> Refusal {
    let (offered, known) = (offered.join(" "), accepted.join(" "));
    let supports = format!("client supports [{offered}], server accepts [{known}]");
    let text = format!("unable to upgrade: unable to negotiate protocol: {supports}\n");
    Refusal { accepted, ..Refusal::new(StatusCode::FORBIDDEN, text) }
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
