//! Code for definitions that have every shape: its text, and what it does on a server.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod apply;
mod errors;
mod files;
mod generated;
mod names;
mod round_trip;
mod shapes;
