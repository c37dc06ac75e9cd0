//! Controllers with the well-known mistakes, which are found, and without them.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod clocks;
mod copies;
mod faults;
mod findings;
mod loops;
mod mistakes;
mod names;
mod replay;
mod values;
mod worlds;
mod writes;
