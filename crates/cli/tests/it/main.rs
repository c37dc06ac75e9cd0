//! The program as people and scripts use it.

mod api_resources;
mod cases;
mod front;
mod playground;
mod recorded;
mod watch;

/// The program under test.
const KLIENT: &str = env!("CARGO_BIN_EXE_klient");
