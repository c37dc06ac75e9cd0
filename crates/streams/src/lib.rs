//! The streaming protocols of Kubernetes: exec, attach and port-forward, both ends, without HTTP.
//!
//! - [`remote_command`]: a process at the other end of a connection, with its standard streams, its terminal and its exit
//!   status; and the server's end, which runs one;
//! - [`port_forward`]: connections to ports of a pod, and the server's end;
//! - [`spdy`]: SPDY/3.1, streams over one connection;
//! - [`websocket`]: the handshake's values, and a tunnel of bytes over WebSocket.
//!
//! Each begins on a connection that is switched to its protocol already, as `klient_client::Request::upgrade` returns it.
//! Programs call `Api::exec`, `Api::attach`, `Api::port_forward`, `Api::copy_to` and `Api::copy_from` of klient-client, whose
//! feature `streams` returns the types of this crate.

mod connection;
mod copying;
mod error;
mod frame;
mod mux;
pub mod port_forward;
mod read_buffer;
pub mod remote_command;
pub mod spdy;
pub mod websocket;

pub use connection::Connection;
pub use error::{BoxError, Error, ErrorKind};
