//! Controllers through the public API, on the embedded server.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cluster;
mod controller;
mod events;
mod finalizer;
mod fixture;
mod leader_election;
mod owner;
mod wait;
mod writes;
