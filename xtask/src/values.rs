//! `cargo xtask e2e values [--seed N] [--inputs N] [--only NAME] [--record]`: random times, quantities, selectors and
//! bytes, read and written by klient and by Kubernetes' own packages, and what they differ in.
//!
//! It needs Go, with which the program of those packages is built.

use std::process::Command;

use crate::root;
use crate::servers;

/// Asks both; the arguments are those of `klient-values`.
pub(crate) fn run(arguments: &[&str]) -> Result<(), String> {
    let judge = servers::folder().join("values");
    let mut build = Command::new("go");
    build.args(["build", "-trimpath", "-o"]).arg(&judge).arg(".");
    build.env("CGO_ENABLED", "0").current_dir(root().join("e2e/values"));
    let status = build
        .status()
        .map_err(|error| format!("cannot run go, with which Kubernetes' packages are built: {error}"))?;
    if !status.success() {
        return Err("the program of Kubernetes' packages cannot be built: see above".to_owned());
    }
    let status = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--package", "klient-values", "--", "--judge"])
        .arg(&judge)
        .args(arguments)
        .current_dir(root())
        .status()
        .map_err(|error| format!("cannot run cargo: {error}"))?;
    if status.success() { Ok(()) } else { Err("the answers differ: see above".to_owned()) }
}
