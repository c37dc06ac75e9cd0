//! `cargo xtask e2e leaderelection`: candidates of client-go and of klient on one Lease.
//!
//! It needs Go, with which client-go's candidate is built. `KLIENT_SEED` repeats a run.

use std::process::Command;

use crate::{go, root};

/// Builds client-go's candidate, and runs the test in which it takes part.
pub(crate) fn run() -> Result<(), String> {
    let candidate = go::build("leaderelection")?;
    let status = Command::new(env!("CARGO"))
        .args(["test", "--quiet", "--package", "klient-controller", "--test", "it", "--"])
        .args(["--ignored", "--nocapture", "beside_client_go::"])
        .env("KLIENT_CLIENT_GO_CANDIDATE", &candidate)
        .current_dir(root())
        .status()
        .map_err(|error| format!("cannot run cargo: {error}"))?;
    if status.success() { Ok(()) } else { Err("the candidates do not agree: see above".to_owned()) }
}
