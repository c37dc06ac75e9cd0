//! The external diff program.

use std::io::ErrorKind;

use klient_apimachinery::go::quoted;
use tokio::process::Command;

use super::directory::VersionDirectory;
use crate::error::CliError;
use crate::session::Session;

/// Environment variable with a program and its arguments, in place of `diff -u -N`.
const PROGRAM: &str = "KUBECTL_EXTERNAL_DIFF";

/// Runs the program on the two directories. Its output goes to standard output.
///
/// # Errors
///
/// [`CliError::Differences`] if the program exits with 1; another error if it cannot be run or exits with more than 1.
pub(super) async fn run(
    live: &VersionDirectory,
    merged: &VersionDirectory,
    session: &mut Session,
) -> Result<(), CliError> {
    session.console.print("")?;
    let named = std::env::var(PROGRAM).unwrap_or_default();
    let mut words = named.split(' ');
    let mut command;
    let program = match words.next() {
        None | Some("") => {
            command = Command::new("diff");
            command.args(["-u", "-N"]).arg(live.path()).arg(merged.path());
            "diff"
        }
        Some(program) => {
            command = Command::new(program);
            // As in kubectl, arguments follow the directories, and those with other characters are dropped.
            command.arg(live.path()).arg(merged.path()).args(words.filter(|word| is_plain(word)));
            program
        }
    };
    let failed = |problem: String| {
        Err(CliError::Message(format!("failed to run {program}: {problem}", program = quoted(program))))
    };
    // The program is killed if this command is interrupted.
    match command.kill_on_drop(true).status().await {
        Ok(status) if status.success() => Ok(()),
        Ok(status) if status.code() == Some(1) => Err(CliError::Differences),
        Ok(status) => match status.code() {
            Some(code) => failed(format!("exit status {code}")),
            None => failed(status.to_string()),
        },
        Err(error) if error.kind() == ErrorKind::NotFound => {
            failed("executable file not found in $PATH".to_owned())
        }
        Err(error) => failed(error.to_string()),
    }
}

/// Returns true if an argument consists of letters, digits, `-` and `=`.
fn is_plain(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '='))
}
