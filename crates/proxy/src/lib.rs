//! A reverse proxy in front of a Kubernetes API server (client-go's `util/proxy`).
//!
//! [`ReverseProxy`] is a `tower` service of HTTP requests, which passes them on with the credentials of a
//! [`Client`](klient_client::Client):
//!
//! - *any verb*, to the one server of the client: no path and no host of a request leads to another;
//! - *streams*: bodies pass in both directions as they arrive, so that watches and logs are not held back;
//! - *upgrades*: WebSocket and SPDY, byte for byte, so that exec, attach and port-forward work through it;
//! - *limits* of headers, bodies and upgraded connections ([`ReverseProxyOptions`]).
//!
//! A server of hyper in front of it allows upgrades only if its connections are served `with_upgrades`, as axum does.
//!
//! Errors of the proxy itself are `Status` objects, as those of the server.

mod bridge;
mod failure;
mod forwarded;
mod headers;
mod limited;
mod reverse_proxy;

pub use reverse_proxy::{ConnectionGuard, PeerAddress, ReverseProxy, ReverseProxyOptions};
