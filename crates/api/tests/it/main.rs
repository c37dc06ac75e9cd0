//! Built-in types over the wire.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod encoded;
mod every_kind;
mod fixtures;
mod sizes;
