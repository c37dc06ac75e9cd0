//! Files of `--from-env-file`: lines of `KEY=VALUE`.

use std::path::Path;

use klient_apimachinery::go::{os_error, quoted};
use klient_apimachinery::validation;

use crate::error::CliError;

/// Reads a file. Each line is `KEY=VALUE`, `KEY` with the value of that environment variable, a comment that begins
/// with `#`, or empty.
///
/// # Errors
///
/// If the file cannot be read, a key is no valid name of an environment variable, or `add` fails.
pub(super) fn read(
    path: &str,
    mut add: impl FnMut(&str, &str) -> Result<(), CliError>,
) -> Result<(), CliError> {
    let refuse = |error| CliError::Message(format!("error reading {path}: {}", os_error(&error)));
    if Path::new(path).metadata().map_err(refuse)?.is_dir() {
        return Err(CliError::message("env config file cannot be a directory"));
    }
    let bytes = std::fs::read(path).map_err(refuse)?;
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&bytes);
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let line = str::from_utf8(line.strip_suffix(b"\r").unwrap_or(line)).map_err(|_| {
            let number = index + 1;
            let bytes: Vec<String> = line.iter().map(u8::to_string).collect();
            let bytes = bytes.join(" ");
            CliError::Message(format!(
                "env file {path} contains invalid utf8 bytes at line {number}: [{bytes}]"
            ))
        })?;
        let line = line.trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (key, value) = match line.split_once('=') {
            Some((key, value)) => (key, value.to_owned()),
            None => (line, std::env::var(line).unwrap_or_default()),
        };
        let problems = validation::env_var_name(key);
        if !problems.is_empty() {
            return Err(CliError::Message(format!(
                "{key} is not a valid key name: {}",
                problems.join(";"),
                key = quoted(key)
            )));
        }
        add(key, &value)?;
    }
    Ok(())
}
