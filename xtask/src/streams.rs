//! `cargo xtask e2e streams`: klient's ends of exec and port-forward against those of client-go and of kubelet's server.
//!
//! It needs Go, with which these are built.

use std::process::Command;

use crate::{go, root};

/// Builds the ends in Go, and runs the tests against them.
pub(crate) fn run() -> Result<(), String> {
    let program = go::build("streams")?;
    let status = Command::new(env!("CARGO"))
        .args(["test", "--quiet", "--package", "klient-streams", "--test", "it", "--"])
        .args(["--ignored", "--nocapture", "beside_go::"])
        .env("KLIENT_GO_STREAMS", &program)
        .current_dir(root())
        .status()
        .map_err(|error| format!("cannot run cargo: {error}"))?;
    if status.success() {
        Ok(())
    } else {
        Err("klient and Go do not understand each other: see above".to_owned())
    }
}
