//! `cargo xtask e2e values [--seed N] [--inputs N] [--only NAME] [--record]`: random times, quantities, selectors and
//! bytes, read and written by klient and by Kubernetes' own packages, and what they differ in.
//!
//! It needs Go, with which the program of those packages is built.

use std::process::Command;

use crate::{go, root};

/// Asks both; the arguments are those of `klient-values`.
pub(crate) fn run(arguments: &[&str]) -> Result<(), String> {
    let judge = go::build("values")?;
    let status = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--package", "klient-values", "--", "--judge"])
        .arg(&judge)
        .args(arguments)
        .current_dir(root())
        .status()
        .map_err(|error| format!("cannot run cargo: {error}"))?;
    if status.success() { Ok(()) } else { Err("the answers differ: see above".to_owned()) }
}
