//! `#[derive(CustomResource)]`, on the embedded server.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod definitions;
mod install;
mod misuse;
mod schemas;
mod versions;
#[cfg(feature = "webhook")]
mod webhook;
