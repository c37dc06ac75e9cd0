//! WebSocket below Kubernetes' protocols: the values of the handshake, [`Tunnel`], and channels of
//! [remote commands](crate::remote_command).
//!
//! The frames are tungstenite's; connections come switched to WebSocket.

pub(crate) mod channels;
mod handshake;
mod socket;
mod tunnel;

pub use handshake::{accept_key, new_key};
pub use tunnel::Tunnel;
