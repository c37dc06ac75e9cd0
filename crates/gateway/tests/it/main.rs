//! Tests of the gateway over HTTP, in front of the embedded server.

mod access;
mod attacks;
mod limits;
mod live;
mod proxied;
mod routes;
mod seed;
mod stage;
