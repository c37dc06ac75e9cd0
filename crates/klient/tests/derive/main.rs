//! `#[derive(CustomResource)]`, on the embedded server.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod definitions;
mod misuse;
mod schemas;
mod versions;
