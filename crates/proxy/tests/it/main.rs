//! Tests of the reverse proxy through HTTP, in front of the embedded server or of one that the test plays.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cluster;
mod headers;
mod limits;
mod origin;
mod through;
