//! Connections to ports of pods: port-forward over SPDY, which may be in a tunnel over WebSocket.

use std::sync::Arc;

use http::Response;
use klient_streams::port_forward::{PROTOCOL, TUNNEL_PROTOCOL, Transport, serve};

use super::Context;
use super::upgrade::{self, Wanted, agree_spdy, agree_websocket};
use crate::containers::{Forward, PodPort};
use crate::respond::Body;
use crate::status::Result;

/// Switches the connection of a request to the protocol of port forwarding, and serves its connections to ports.
pub(super) fn run(context: &mut Context, forward: Arc<Forward>) -> Result<Response<Body>> {
    let (transport, headers) = match upgrade::wanted(&context.headers)? {
        Wanted::WebSocket(offered) if offered.contains(&TUNNEL_PROTOCOL) => {
            (Transport::WebSocket, agree_websocket(&context.headers, Some(TUNNEL_PROTOCOL))?)
        }
        Wanted::WebSocket(offered) => return Err(upgrade::unknown_subprotocol(&offered)),
        Wanted::Spdy(offered) if offered.contains(&PROTOCOL) => (Transport::Spdy, agree_spdy(PROTOCOL)),
        Wanted::Spdy(offered) => return Err(upgrade::unknown_version(&offered, &[PROTOCOL])),
    };
    let (namespace, pod) = (context.namespace().unwrap_or_default().to_owned(), context.name().to_owned());
    upgrade::switch(context, headers, move |connection| async move {
        let forward =
            |port, stream| forward(PodPort { namespace: namespace.clone(), pod: pod.clone(), port }, stream);
        if let Err(error) = serve(connection, transport, forward).await {
            tracing::debug!(%error, "a connection for port forwarding broke");
        }
    })
}
