//! Port forwarding: connections to ports of a pod, `portforward.k8s.io`, over SPDY/3.1, which may be in a tunnel over
//! WebSocket.
//!
//! [`PortForward`] is the client's end, [`serve`] the server's. A connection to a port is two streams: its data, and an
//! error stream, on which the server tells why it could not connect. They have the headers `streamType`, `port` and
//! `requestID`, which is the same for both.
//!
//! Connections fail by themselves: an error of one leaves the others as they are.
//!
//! [`serve_channels`] is the server's end of an older form, which kube-rs and programs in browsers use: a pair of channels
//! over WebSocket for each port, without SPDY.

mod channels;
mod client;
mod server;

use crate::connection::BoxConnection;
use crate::spdy::{Options, Session};
use crate::websocket::Tunnel;

pub use channels::{Channels, serve_channels};
pub use client::{PortConnection, PortForward};
pub use server::{Forwarded, serve};

/// The protocol, a value of `X-Stream-Protocol-Version`.
pub const PROTOCOL: &str = "portforward.k8s.io";

/// The protocol in a tunnel over WebSocket, a value of `Sec-WebSocket-Protocol`.
pub const TUNNEL_PROTOCOL: &str = "SPDY/3.1+portforward.k8s.io";

/// The names of the headers.
const STREAM_TYPE: &str = "streamType";
const PORT: &str = "port";
const REQUEST_ID: &str = "requestID";

/// The types of streams.
const ERROR: &str = "error";
const DATA: &str = "data";

/// The transport of port forwarding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// SPDY/3.1 on the connection itself: [`PROTOCOL`].
    Spdy,
    /// SPDY/3.1 in a tunnel over WebSocket: [`TUNNEL_PROTOCOL`].
    WebSocket,
}

fn client_session(connection: BoxConnection, transport: Transport) -> Session {
    let options = Options { accept_streams: false, ..Default::default() };
    match transport {
        Transport::Spdy => Session::client(connection, &options),
        Transport::WebSocket => Session::client(Tunnel::client(connection), &options),
    }
}

fn server_session(connection: BoxConnection, transport: Transport) -> Session {
    match transport {
        Transport::Spdy => Session::server(connection, &Options::default()),
        Transport::WebSocket => Session::server(Tunnel::server(connection), &Options::default()),
    }
}
