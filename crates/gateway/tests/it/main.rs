//! Tests of the gateway over HTTP, in front of the embedded server.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod access;
mod attacks;
mod contexts;
mod deployed;
mod faults;
mod limits;
mod live;
mod manifest;
mod owned;
mod proxied;
mod routes;
mod seed;
mod stage;
