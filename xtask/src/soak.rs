//! `cargo xtask soak --minutes N`: the caches' random fault test, in release, for so long.
//!
//! Every round prints its seed; `KLIENT_SEED` begins with that one.

use std::process::Command;

use crate::root;

/// Runs the fault test, and those that say something only on a quiet machine.
pub(crate) fn run(minutes: &str) -> Result<(), String> {
    let is_number = minutes.parse::<f64>().is_ok_and(|minutes| minutes > 0.0);
    if !is_number {
        return Err(format!("{minutes:?} is no number of minutes"));
    }
    let tests = ["faults::", "--include-ignored", "--nocapture", "--test-threads", "1"];
    let status = Command::new(env!("CARGO"))
        .args(["test", "--release", "--package", "klient-cache", "--test", "it", "--"])
        .args(tests)
        .env("KLIENT_SOAK_MINUTES", minutes)
        .current_dir(root())
        .status()
        .map_err(|error| format!("cannot run cargo: {error}"))?;
    if status.success() { Ok(()) } else { Err("the soak failed: its seed is above".to_owned()) }
}
