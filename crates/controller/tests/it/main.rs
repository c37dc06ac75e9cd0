//! Controllers through the public API, on the embedded server.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "random tests print their seed")]

mod beside_client_go;
mod cluster;
mod controller;
mod events;
mod finalizer;
mod gate;
mod leader_election;
mod log;
mod owner;
#[cfg(feature = "metrics")]
mod recorder;
mod sharding;
#[cfg(unix)]
mod shutdown_signal;
mod wait;
mod website;
mod writes;
