//! Connections to ports of pods: port-forward over SPDY, which may be in a tunnel over WebSocket, and over channels of
//! WebSocket.

use std::sync::Arc;

use http::{HeaderMap, Response, StatusCode};
use klient_streams::port_forward::{Channels, PROTOCOL, TUNNEL_PROTOCOL, Transport, serve, serve_channels};
use klient_streams::remote_command::{Subprotocol, Version};

use super::Context;
use super::upgrade::{self, Refusal, Wanted, agree_spdy, agree_websocket};
use crate::containers::{Forward, PodPort};
use crate::respond::Body;
use crate::status::Result;

/// The versions of a kubelet over SPDY.
const OVER_SPDY: &[&str] = &[PROTOCOL];

/// A way to forward ports.
enum Form {
    Spdy(Transport),
    Channels(Channels),
}

/// Switches the connection of a request to the protocol of port forwarding, and serves its connections to ports.
///
/// `refusal` is the kubelet's, if the pod does not run.
pub(super) fn run(
    context: &mut Context,
    forward: Arc<Forward>,
    refusal: Option<String>,
) -> Result<Response<Body>> {
    upgrade::require(&context.headers)?;
    let agreed = match negotiate(context, refusal) {
        Ok(agreed) => agreed,
        Err(refusal) => return Ok(refusal.into_response()),
    };
    let (form, headers) = (agreed.0, agreed.1?);
    let (namespace, pod) = (context.namespace().unwrap_or_default().to_owned(), context.name().to_owned());
    upgrade::switch(context, headers, move |connection| async move {
        let forward =
            |port, stream| forward(PodPort { namespace: namespace.clone(), pod: pod.clone(), port }, stream);
        let served = match form {
            Form::Spdy(transport) => serve(connection, transport, forward).await,
            Form::Channels(channels) => serve_channels(connection, channels, forward).await,
        };
        if let Err(error) = served {
            tracing::debug!(%error, "a connection for port forwarding broke");
        }
    })
}

/// The form on which client and server agree, and the headers of the response.
fn negotiate(
    context: &Context,
    refusal: Option<String>,
) -> std::result::Result<(Form, Result<HeaderMap>), Refusal> {
    let headers = &context.headers;
    let wanted = upgrade::wanted(headers);
    let is_tunnel = |name: &&str| name.starts_with("SPDY/3.1+") && name.ends_with(".k8s.io");
    let ports = match &wanted {
        Ok(Wanted::WebSocket(offered)) if !offered.iter().any(is_tunnel) => Some(ports(context)?),
        _ => None,
    };
    if let Some(text) = refusal {
        return Err(Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, text));
    }
    match (wanted?, ports) {
        (Wanted::WebSocket(offered), Some(ports)) => {
            let version = |name: &&str| Subprotocol::parse(name).filter(|known| known.version == Version::V4);
            let chosen = match offered.is_empty() {
                true => None,
                false => {
                    let chosen = offered.iter().find_map(version);
                    Some(chosen.ok_or_else(|| upgrade::unknown_subprotocol(&offered))?)
                }
            };
            let channels = Channels::new(ports, chosen.is_some_and(|chosen| chosen.base64));
            let channels =
                channels.map_err(|error| Refusal::new(StatusCode::BAD_REQUEST, error.to_string()))?;
            let name = chosen.map(|chosen| chosen.to_string());
            Ok((Form::Channels(channels), agree_websocket(headers, name.as_deref())))
        }
        (Wanted::WebSocket(offered), None) if offered.contains(&TUNNEL_PROTOCOL) => {
            Ok((Form::Spdy(Transport::WebSocket), agree_websocket(headers, Some(TUNNEL_PROTOCOL))))
        }
        (Wanted::WebSocket(offered), None) => {
            let inner: Vec<&str> = offered
                .iter()
                .filter(|name| is_tunnel(name))
                .filter_map(|name| name.split_once('+'))
                .map(|(_, inner)| inner)
                .collect();
            Err(upgrade::unknown_version(&inner, OVER_SPDY))
        }
        (Wanted::Spdy(offered), _) if offered.contains(&PROTOCOL) => {
            Ok((Form::Spdy(Transport::Spdy), Ok(agree_spdy(PROTOCOL))))
        }
        (Wanted::Spdy(offered), _) => Err(upgrade::unknown_version(&offered, OVER_SPDY)),
    }
}

/// The ports that a request for channels names: kubelet's `NewV4Options`.
fn ports(context: &Context) -> std::result::Result<Vec<u16>, Refusal> {
    let bad = |text: String| Refusal::new(StatusCode::BAD_REQUEST, text);
    let texts: Vec<&str> = context.query.all("ports").flat_map(|text| text.split(',')).collect();
    if texts.is_empty() {
        return Err(bad("query parameter \"port\" is required".to_owned()));
    }
    // Those that are no ports are refused before.
    let ports: Vec<u16> = texts.iter().filter_map(|text| text.parse().ok()).collect();
    if ports.contains(&0) {
        // A kube-apiserver joins them.
        let joined = ports.iter().map(u16::to_string).collect::<Vec<_>>().join(",");
        return Err(bad(format!("port \"{joined}\" must be > 0")));
    }
    Ok(ports)
}
