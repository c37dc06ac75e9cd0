//! Running a program that compares two folders.

use std::io::ErrorKind;

use klient_apimachinery::go::quoted;
use tokio::process::Command;

use super::folder::Folder;
use crate::failure::Failure;
use crate::session::Session;

/// Names another program than `diff -u -N`, with its arguments.
const PROGRAM: &str = "KUBECTL_EXTERNAL_DIFF";

/// Lets the program compare two folders and print what differs.
///
/// # Errors
///
/// [`Failure::Differences`] if something does; if the program cannot be run or ends with more than 1.
pub(super) async fn run(live: &Folder, merged: &Folder, session: &mut Session) -> Result<(), Failure> {
    session.console.write("")?;
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
            // As kubectl does, arguments stand behind the folders, and are passed over if there is more to them.
            command.arg(live.path()).arg(merged.path()).args(words.filter(|word| is_plain(word)));
            program
        }
    };
    let failed = |problem: String| {
        Err(Failure::Message(format!("failed to run {program}: {problem}", program = quoted(program))))
    };
    // With this program it ends too.
    match command.kill_on_drop(true).status().await {
        Ok(status) if status.success() => Ok(()),
        Ok(status) if status.code() == Some(1) => Err(Failure::Differences),
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

/// Whether an argument has letters, digits, `-` and `=` only.
fn is_plain(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '='))
}
