//! Both ends of the protocols, each against klient's other end and against peers that send bytes of their own.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod beside_go;
mod connections;
mod hostile_servers;
mod hostile_spdy;
mod hostile_websocket;
mod port_forward;
mod raw_spdy;
mod remote_command;
mod sessions;
