//! [`switch`], the choice between WebSocket and SPDY for requests that switch their connection.
//!
//! WebSocket is offered first, and SPDY to a server or proxy that refuses it. A client remembers that for its server,
//! and offers SPDY first from then on, until SPDY is refused where WebSocket is not.

use http::Method;
use http::header::{
    HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION,
};
use klient_streams::websocket;

use crate::connection::Connection;
use crate::error::{Error, ErrorKind};
use crate::rest::{NotSwitched, Request};
use crate::stream_protocols::Purpose;
use crate::upgraded::Upgraded;

/// The header in which client and server agree on a protocol over SPDY.
const STREAM_PROTOCOL: HeaderName = HeaderName::from_static("x-stream-protocol-version");

/// The part of a refusal that concerns the request and no protocol.
const CONTAINER_REQUIRED: &str = "a container name must be specified";

/// The transport of a protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carrier {
    WebSocket,
    Spdy,
}

/// Protocols that a client offers over one transport, best first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Offer {
    pub(super) carrier: Carrier,
    pub(super) protocols: &'static [&'static str],
}

/// A connection that the server has switched.
pub(super) struct Switched {
    pub(super) connection: Upgraded,
    pub(super) carrier: Carrier,
    /// One of those offered. A server that names none over SPDY is too old to name the first version.
    pub(super) protocol: Option<&'static str>,
}

/// Switches a connection to one of the offered protocols: those over SPDY first if the server has refused WebSocket
/// before, and in their order otherwise.
///
/// # Errors
///
/// That of the last offer, if the server refuses all. Others are made only if a refusal may be one of the protocol, which
/// its answer does not tell: client-go as well offers SPDY after every answer that does not switch (`IsUpgradeFailure`),
/// also after a `Status` such as that of a container which does not run.
pub(super) async fn switch(
    connection: &Connection,
    purpose: Purpose,
    offers: &[Offer],
    request: impl Fn(Method) -> Result<Request, Error>,
) -> Result<Switched, Error> {
    let known = connection.stream_protocols();
    let mut offers = offers.to_vec();
    if connection.config().spdy_only {
        offers.retain(|offer| offer.carrier == Carrier::Spdy);
    }
    if known.are_over_spdy(purpose) {
        // It is stable.
        offers.sort_by_key(|offer| offer.carrier != Carrier::Spdy);
    }
    let mut refusal = None;
    for offer in offers {
        let switched = match offer.carrier {
            Carrier::WebSocket => to_websocket(request(Method::GET)?, offer).await,
            Carrier::Spdy => to_spdy(request(Method::POST)?, offer).await,
        };
        match switched {
            Ok(switched) => {
                tracing::debug!("The subprotocol is {}", switched.protocol.unwrap_or("unnamed"));
                if refusal.is_some() {
                    known.set_over_spdy(purpose, switched.carrier == Carrier::Spdy);
                }
                return Ok(switched);
            }
            Err(error) if may_concern_the_protocol(&error) => refusal = Some(error),
            Err(error) => return Err(error),
        }
    }
    Err(refusal.expect("there is an offer, and each was refused"))
}

/// Returns true if the server refused a request because it names no container and the pod has several.
pub(super) fn requires_container(error: &Error) -> bool {
    let message = error.as_status().and_then(|status| status.message.as_deref());
    error.is_bad_request() && message.is_some_and(|message| message.contains(CONTAINER_REQUIRED))
}

/// Returns true if a server or proxy that does not have a protocol may have answered so: by a variety of codes, or without
/// switching.
fn may_concern_the_protocol(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::Status => !error.is_not_found() && !error.is_unauthorized() && !requires_container(error),
        _ => error.cause().is_some_and(|cause| cause.is::<NotSwitched>()),
    }
}

async fn to_websocket(request: Request, offer: Offer) -> Result<Switched, Error> {
    let key = websocket::new_key();
    let request = request
        .header(SEC_WEBSOCKET_KEY, &key)
        .header(SEC_WEBSOCKET_VERSION, "13")
        .header(SEC_WEBSOCKET_PROTOCOL, &offer.protocols.join(", "));
    let shown = request.shown();
    let connection = request.upgrade("websocket").await?;
    let header = |name| connection.headers().get(name).map(HeaderValue::as_bytes);
    if header(SEC_WEBSOCKET_ACCEPT) != Some(websocket::accept_key(&key).as_bytes()) {
        return Err(NotSwitched::error(shown, "the server did not answer the key of the WebSocket"));
    }
    let chosen = header(SEC_WEBSOCKET_PROTOCOL);
    let protocol = offer.protocols.iter().find(|name| chosen == Some(name.as_bytes()));
    let Some(protocol) = protocol else {
        return Err(NotSwitched::error(shown, "the server chose a protocol that was not offered"));
    };
    Ok(Switched { connection, carrier: Carrier::WebSocket, protocol: Some(protocol) })
}

async fn to_spdy(request: Request, offer: Offer) -> Result<Switched, Error> {
    let request = request.header(STREAM_PROTOCOL, &offer.protocols.join(", "));
    let shown = request.shown();
    let connection = request.upgrade("SPDY/3.1").await?;
    let chosen = connection.headers().get(STREAM_PROTOCOL).map(HeaderValue::as_bytes);
    let protocol = offer.protocols.iter().find(|name| chosen == Some(name.as_bytes())).copied();
    if chosen.is_some() && protocol.is_none() {
        return Err(NotSwitched::error(shown, "the server chose a protocol that was not offered"));
    }
    Ok(Switched { connection, carrier: Carrier::Spdy, protocol })
}
