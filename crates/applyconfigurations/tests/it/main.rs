//! Configurations as programs make, read and extract them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod every_kind;
mod extract;
mod reading;
mod setters;
