//! Controllers with the well-known mistakes, which are found, and without them.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod copies;
mod findings;
mod mistakes;
mod replay;
