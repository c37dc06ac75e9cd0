//! Building what is measured, and measuring a build.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::root;

/// Runs cargo in a folder.
pub(super) fn cargo(folder: &Path, arguments: &[&str]) -> Result<(), String> {
    done(Command::new(env!("CARGO")).args(arguments).current_dir(folder), "cargo")
}

/// Runs cargo in a folder, and returns what it prints.
pub(super) fn cargo_output(folder: &Path, arguments: &[&str]) -> Result<String, String> {
    let mut command = Command::new(env!("CARGO"));
    let output = command.args(arguments).current_dir(folder).stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| format!("cannot run cargo: {error}"))?;
    if !output.status.success() {
        return Err(format!("cargo {arguments:?} has failed"));
    }
    String::from_utf8(output.stdout).map_err(|error| format!("cargo {arguments:?}: {error}"))
}

/// Builds a Go program.
pub(super) fn go(folder: &Path, binary: &Path) -> Result<(), String> {
    done(Command::new("go").args(["build", "-o"]).arg(binary).arg(".").current_dir(folder), "go")
}

fn done(command: &mut Command, name: &str) -> Result<(), String> {
    let status = command.status().map_err(|error| format!("cannot run {name}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{name} {:?} has failed", command.get_args())) }
}

/// The processor seconds that building klient-api with all groups takes when all it builds on is built.
pub(super) fn api_build_seconds(release: bool) -> Result<f64, String> {
    let target = root().join("bench/target/api");
    let mut words = vec!["build", "--package", "klient-api", "--features", "all"];
    words.extend(release.then_some("--release"));
    let build = || {
        let mut command = Command::new(env!("CARGO"));
        command
            .args(&words)
            .current_dir(root())
            .env("CARGO_TARGET_DIR", &target)
            .env("CARGO_INCREMENTAL", "0");
        done(&mut command, "cargo")
    };
    build()?;
    // Built again, and alone.
    let library = root().join("crates/api/src/lib.rs");
    let text = fs::read(&library).map_err(|error| error.to_string())?;
    fs::write(&library, text).map_err(|error| error.to_string())?;
    let before = children_seconds()?;
    build()?;
    Ok(children_seconds()? - before)
}

/// The processor time of all children that have ended.
pub(crate) fn children_seconds() -> Result<f64, String> {
    /// The positions of `cutime` and `cstime` behind the name, which may contain spaces.
    const CHILDREN: std::ops::Range<usize> = 13..15;
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = fs::read_to_string("/proc/self/stat").map_err(|error| error.to_string())?;
    let (_, behind_name) = stat.rsplit_once(')').ok_or("no name in /proc/self/stat")?;
    let fields: Vec<&str> = behind_name.split_whitespace().collect();
    let ticks = fields.get(CHILDREN).ok_or("too few fields in /proc/self/stat")?;
    Ok(ticks.iter().filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / TICKS_PER_SECOND)
}
