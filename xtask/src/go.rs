//! Programs of `e2e/` in Go.

use std::path::PathBuf;
use std::process::Command;

use crate::root;
use crate::servers;

/// Builds the program in a folder of `e2e/`.
///
/// # Errors
///
/// Without Go, and if it cannot be built.
pub(crate) fn build(name: &str) -> Result<PathBuf, String> {
    let program = servers::folder().join(name);
    let mut build = Command::new("go");
    build.args(["build", "-trimpath", "-o"]).arg(&program).arg(".");
    build.env("CGO_ENABLED", "0").current_dir(root().join("e2e").join(name));
    let status =
        build.status().map_err(|error| format!("cannot run go, with which e2e/{name} is built: {error}"))?;
    if status.success() { Ok(program) } else { Err(format!("e2e/{name} cannot be built: see above")) }
}
