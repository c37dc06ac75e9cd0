//! Commands in containers, which the program stands in for: exec over WebSocket and SPDY.

use http::header::{
    CONNECTION, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{HeaderMap, Response, StatusCode};
use hyper_util::rt::TokioIo;
use klient_streams::remote_command::{Protocol, Streams, Subprotocol, Version, serve};
use klient_streams::websocket::accept_key;

use super::Context;
use crate::containers::{ContainerCommand, Containers};
use crate::respond::{self, Body};
use crate::status::{Failure, Result};

/// The header in which client and server agree on a version over SPDY.
const STREAM_PROTOCOL: HeaderName = HeaderName::from_static("x-stream-protocol-version");

/// Switches the connection of a request to the protocol of remote commands, and runs the command.
pub(super) fn exec(
    context: &mut Context,
    containers: Containers,
    container: String,
) -> Result<Response<Body>> {
    let query = &context.query;
    let [stdin, stdout, stderr, tty] = ["stdin", "stdout", "stderr", "tty"].map(|name| query.is_true(name));
    // A terminal has no standard error of its own.
    let streams = Streams { stdin, stdout, stderr: stderr && !tty, tty };
    if !(streams.stdin || streams.stdout || streams.stderr) {
        return Err(Failure::bad_request("you must specify at least 1 of stdin, stdout, stderr"));
    }
    let (protocol, headers) = negotiate(&context.headers)?;
    let command = ContainerCommand {
        namespace: context.namespace().unwrap_or_default().to_owned(),
        pod: context.name().to_owned(),
        container,
        args: query.all("command").map(str::to_owned).collect(),
        tty,
    };
    let upgrade = context.upgrade.take();
    let upgrade = upgrade.ok_or_else(|| Failure::bad_request("Upgrade request required"))?;
    let mut stopped = context.state.stopped.clone();
    let serving = async move {
        let connection = match upgrade.await {
            Ok(connection) => TokioIo::new(connection),
            Err(error) => return tracing::debug!(%error, "a connection could not be switched"),
        };
        let run = |stdio| containers.run(command, stdio);
        if let Err(error) = serve(connection, protocol, streams, run).await {
            tracing::debug!(%error, "a command did not end with an exit status");
        }
    };
    tokio::spawn(async move {
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

/// The protocol of a request, and the headers of the response that agrees to it.
fn negotiate(headers: &HeaderMap) -> Result<(Protocol, HeaderMap)> {
    let wanted = headers.get(UPGRADE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut answer = HeaderMap::new();
    answer.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    if wanted.eq_ignore_ascii_case("websocket") {
        let key = headers.get(SEC_WEBSOCKET_KEY).and_then(|key| key.to_str().ok());
        let version = headers.get(SEC_WEBSOCKET_VERSION).map(HeaderValue::as_bytes);
        let Some(key) = key.filter(|_| version == Some(b"13")) else {
            return Err(Failure::bad_request("the handshake of WebSocket has no key, or not version 13"));
        };
        let offered = words(headers, &SEC_WEBSOCKET_PROTOCOL);
        let chosen = match &offered[..] {
            [] => Subprotocol::parse(""),
            offered => offered.iter().find_map(|name| Subprotocol::parse(name)),
        };
        let chosen = chosen.ok_or_else(|| {
            let offered = offered.join(" ");
            Failure::bare(403, format!("requested protocol(s) are not supported: [{offered}]"))
        })?;
        answer.insert(UPGRADE, HeaderValue::from_static("websocket"));
        answer.insert(SEC_WEBSOCKET_ACCEPT, value(&accept_key(key))?);
        if !offered.is_empty() {
            answer.insert(SEC_WEBSOCKET_PROTOCOL, value(&chosen.to_string())?);
        }
        return Ok((Protocol::WebSocket(chosen), answer));
    }
    if !wanted.eq_ignore_ascii_case("SPDY/3.1") {
        return Err(Failure::bad_request("Upgrade request required"));
    }
    let offered = words(headers, &STREAM_PROTOCOL);
    if offered.is_empty() {
        let message = "unable to upgrade: header X-Stream-Protocol-Version does not exist in request";
        return Err(Failure::bad_request(message));
    }
    let chosen = offered.iter().find_map(|name| Version::parse(name)).ok_or_else(|| {
        let (offered, known) = (offered.join(" "), Version::ALL.map(Version::as_str).join(" "));
        let supports = format!("client supports [{offered}], server accepts [{known}]");
        Failure::bare(403, format!("unable to upgrade: unable to negotiate protocol: {supports}"))
    })?;
    answer.insert(UPGRADE, HeaderValue::from_static("SPDY/3.1"));
    answer.insert(STREAM_PROTOCOL, HeaderValue::from_static(chosen.as_str()));
    Ok((Protocol::Spdy(chosen), answer))
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
