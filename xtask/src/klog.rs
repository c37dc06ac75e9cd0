//! `cargo xtask e2e klog [--record]`: a table of calls, made by klog and component-base in Go, and by klient-klog.
//!
//! The table is `e2e/klog/calls.jsonl`. The Go program reads it; the calls in Rust are generated from it, since keys are
//! part of a call site. `cargo test` compares the lines of those with the recorded lines of Go.

mod calls;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{go, root};

/// The formats, and the files with the lines of Go in them.
const FORMATS: [&str; 2] = ["text", "json"];

/// Runs the calls in Go and in Rust. With `--record` it generates the calls in Rust, and records the lines of Go.
pub(crate) fn run(arguments: &[&str]) -> Result<(), String> {
    let records = match arguments {
        [] => false,
        ["--record"] => true,
        _ => return Err("usage: cargo xtask e2e klog [--record]".to_owned()),
    };
    let table = table();
    let generated = calls::generate(&read(&table)?)?;
    keep(&folder().join("calls.rs"), &generated, records)?;
    let program = go::build("klog")?;
    for format in FORMATS {
        let output = Command::new(&program)
            .arg("-calls")
            .arg(&table)
            .args(["-format", format])
            .output()
            .map_err(|error| format!("cannot run {}: {error}", program.display()))?;
        if !output.status.success() {
            return Err(format!("{}: {}", program.display(), String::from_utf8_lossy(&output.stdout)));
        }
        let lines = String::from_utf8(output.stderr).map_err(|error| format!("e2e/klog: {error}"))?;
        keep(&folder().join(format!("go.{format}")), &timeless(&lines), records)?;
    }
    let status = Command::new(env!("CARGO"))
        .args(["test", "--quiet", "--package", "klient-klog", "--test", "it", "--", "table::"])
        .current_dir(root())
        .status()
        .map_err(|error| format!("cannot run cargo: {error}"))?;
    if status.success() {
        Ok(())
    } else {
        Err("klog and klient-klog write different lines: see above".to_owned())
    }
}

fn table() -> PathBuf {
    root().join("e2e/klog/calls.jsonl")
}

/// The folder of the test that compares.
fn folder() -> PathBuf {
    root().join("crates/klog/tests/it/table")
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

/// Writes a file, or compares it with what is there.
fn keep(path: &Path, text: &str, records: bool) -> Result<(), String> {
    if records {
        return fs::write(path, text).map_err(|error| format!("cannot write {}: {error}", path.display()));
    }
    if read(path)? == text {
        return Ok(());
    }
    Err(format!("{} is not what the table gives: cargo xtask e2e klog --record", path.display()))
}

/// Lines without their times, processes and positions.
fn timeless(lines: &str) -> String {
    let timeless = |line: &str| timeless_text(line).or_else(|| timeless_json(line));
    lines.split_inclusive('\n').map(|line| timeless(line).unwrap_or_else(|| line.to_owned())).collect()
}

/// `I1130 19:59:20.616683   14701 main.go:154] Info` without what differs.
fn timeless_text(line: &str) -> Option<String> {
    /// Severity, date, time and process with their spaces.
    const COLUMNS: usize = 30;
    let (columns, rest) = line.split_at_checked(COLUMNS)?;
    let shape: String = columns.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    let severity = shape.chars().next().filter(|severity| "IWEF".contains(*severity))?;
    let (_, message) = rest.split_once("] ")?;
    shape[1..].starts_with("0000 00:00:00.000000 ").then(|| format!("{severity} {message}"))
}

/// `{"ts":1796068760641.1987,"caller":"klog/main.go:154","msg":"Info","v":0}` without what differs.
fn timeless_json(line: &str) -> Option<String> {
    let rest = line.strip_prefix("{\"ts\":")?;
    let (_, rest) = rest.split_once(',')?;
    let (before, rest) = rest.split_once("\"caller\":\"")?;
    let (_, behind) = rest.split_once("\",")?;
    Some(format!("{{{before}{behind}"))
}

#[test]
fn the_calls_in_rust_are_those_of_the_table() {
    let generated = calls::generate(&read(&table()).unwrap()).unwrap();
    let kept = read(&folder().join("calls.rs")).unwrap();
    assert!(generated == kept, "run cargo xtask e2e klog --record");
}
