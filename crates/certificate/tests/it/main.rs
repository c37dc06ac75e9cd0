//! Certificates through the public API, with the signers of the embedded server.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod certificate;
mod cluster;
mod failures;
mod file_store;
mod rotation;
mod self_signed;
mod serving;
mod start;
