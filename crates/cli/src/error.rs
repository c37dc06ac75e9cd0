//! [`CliError`], the error of a command, with kubectl's messages and exit codes.

mod go;

pub(crate) use go::{connection_error, error_string};

use std::fmt::Write;
use std::io;

use klient_apimachinery::go::quoted;
use klient_apimachinery::meta::Reason;
use klient_apimachinery::meta::v1::{Status, StatusCause};
use klient_client::{Error, NoMatch};

use crate::interrupt::{self, Signal};

/// The error of a command.
#[derive(Debug)]
pub(crate) enum CliError {
    /// A message, printed after `error: `.
    Message(String),
    /// An error of the server or of the connection.
    Client {
        error: Box<Error>,
        /// The operation that failed, as in `error when creating "FILE"`.
        context: Option<String>,
    },
    /// A resource or kind that the server does not serve.
    NoMatch(NoMatch),
    /// Several errors (`utilerrors.Aggregate`), printed one per line.
    Aggregate(Vec<CliError>),
    /// A message printed without a prefix.
    Verbatim(String),
    /// The text of `--help`, which goes to standard output with exit code 0.
    Help(String),
    /// `diff` found differences: exit code 1, no message.
    Differences,
    /// An error of `diff`: exit code 2, since 1 means differences.
    Diff(Box<CliError>),
    /// Standard output is closed (a broken pipe): SIGPIPE ends the program, as it ends kubectl, and no message.
    OutputClosed,
    /// A signal ended the command, and ends the program, without a message.
    Interrupted(Signal),
    /// An exit code without a message.
    Exit(u8),
    /// An exit code other than 1, with a message that is printed without a prefix.
    ExitCode { message: String, code: u8 },
}

impl From<Error> for CliError {
    fn from(error: Error) -> Self {
        if let Some(no_match) = error.no_match() {
            return CliError::NoMatch(no_match.clone());
        }
        CliError::Client { error: Box::new(error), context: None }
    }
}

impl From<NoMatch> for CliError {
    fn from(error: NoMatch) -> Self {
        CliError::NoMatch(error)
    }
}

impl CliError {
    /// Returns an error with a message.
    pub(crate) fn message(text: impl Into<String>) -> Self {
        CliError::Message(text.into())
    }

    /// Returns an error about the arguments of a command (kubectl's `UsageErrorf`).
    pub(crate) fn usage(program: &str, command: &str, text: &str) -> Self {
        CliError::Message(format!("{text}\nSee '{program} {command} -h' for help and examples"))
    }

    /// Converts an error of a write to standard output.
    pub(crate) fn from_output(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => CliError::OutputClosed,
            _ => CliError::Message(format!("standard output: {error}")),
        }
    }

    /// Adds the operation and the file, as in `error when creating "FILE": …`.
    pub(crate) fn with_context(self, verb: &str, source: &str) -> Self {
        let context = format!("error when {verb} {}", quoted(source));
        match self {
            CliError::Client { error, context: inner } => {
                let context = inner.map_or_else(|| context.clone(), |inner| format!("{context}: {inner}"));
                CliError::Client { error, context: Some(context) }
            }
            CliError::Message(text) => CliError::Message(format!("{context}: {text}")),
            other => other,
        }
    }

    /// Returns the one error of a list, an aggregate of several, or success for none.
    pub(crate) fn aggregate(mut failures: Vec<CliError>) -> Result<(), CliError> {
        match failures.len() {
            0 => Ok(()),
            1 => Err(failures.remove(0)),
            _ => Err(CliError::Aggregate(failures)),
        }
    }

    /// Returns the exit code of the program, unless a signal ends it.
    fn exit_code(&self) -> u8 {
        match self {
            CliError::Diff(_) => 2,
            CliError::Exit(code) | CliError::ExitCode { code, .. } => *code,
            _ => 1,
        }
    }

    /// Ends the program with the exit code, or by the signal.
    pub(crate) fn end_program(&self) -> ! {
        match self {
            CliError::OutputClosed => interrupt::end_program(interrupt::BROKEN_PIPE),
            CliError::Interrupted(signal) => interrupt::end_program(signal.number()),
            _ => std::process::exit(self.exit_code().into()),
        }
    }

    /// Returns the output for standard error (kubectl's `CheckErr`); it ends with a line break unless it is empty.
    pub(crate) fn stderr_text(&self) -> String {
        let text = match self {
            CliError::Aggregate(failures) => {
                return failures.iter().map(|failure| failure.standard_message() + "\n").collect();
            }
            CliError::OutputClosed | CliError::Differences | CliError::Interrupted(_) | CliError::Exit(_) => {
                return String::new();
            }
            CliError::Diff(failure) => return failure.stderr_text(),
            CliError::Help(text) => return text.clone(),
            CliError::Verbatim(text) | CliError::ExitCode { message: text, .. } => text.clone(),
            CliError::NoMatch(no_match) if matches!(no_match, NoMatch::Resource(..)) => {
                format!("error: {no_match}")
            }
            CliError::Client { error, .. } => match error.as_status() {
                Some(status) if status.known_reason() == Some(Reason::Invalid) => invalid(status),
                _ => self.with_prefix(),
            },
            _ => self.with_prefix(),
        };
        if text.ends_with('\n') { text } else { text + "\n" }
    }

    fn with_prefix(&self) -> String {
        let text = self.standard_message();
        let has_prefix = match self {
            CliError::Client { error, .. } => go::standard_error_message(error).is_some(),
            _ => text.starts_with("error: "),
        };
        if has_prefix { text } else { format!("error: {text}") }
    }

    /// Returns the message without the prefix `error: ` (kubectl's `StandardErrorMessage`).
    fn standard_message(&self) -> String {
        match self {
            CliError::Message(text)
            | CliError::Verbatim(text)
            | CliError::Help(text)
            | CliError::ExitCode { message: text, .. } => text.clone(),
            CliError::NoMatch(no_match) => no_match.to_string(),
            CliError::Aggregate(failures) => {
                let texts: Vec<String> = failures.iter().map(CliError::standard_message).collect();
                format!("[{}]", texts.join(", "))
            }
            CliError::OutputClosed | CliError::Differences | CliError::Interrupted(_) | CliError::Exit(_) => {
                String::new()
            }
            CliError::Diff(failure) => failure.standard_message(),
            CliError::Client { error, context } => match (go::standard_error_message(error), context) {
                (Some(standard), None) => standard,
                (Some(_), Some(context)) => go::standard_error_message_while(error, context),
                (None, None) => go::error_string(error),
                (None, Some(context)) => format!("{context}: {}", go::error_string(error)),
            },
        }
    }

    /// Returns the result of `Error()` in client-go, without kubectl's additions such as `Error from server`.
    pub(crate) fn go_error(&self) -> String {
        match self {
            CliError::Client { error, .. } => go::error_string(error),
            other => other.standard_message(),
        }
    }
}

/// Returns the message of an `Invalid` status: a single cause on the same line, several on a line each.
fn invalid(status: &Status) -> String {
    let message = status.message.as_deref().unwrap_or_default();
    let mut text = "The request is invalid".to_owned();
    let Some(details) = &status.details else {
        if !message.is_empty() {
            let _ = write!(text, ": {message}");
        }
        return text;
    };
    let [kind, name] = [&details.kind, &details.name].map(|text| text.as_deref().unwrap_or_default());
    if !kind.is_empty() || !name.is_empty() {
        text = format!("The {kind} {} is invalid", quoted(name));
    } else if details.causes.is_empty() && !message.is_empty() {
        let _ = write!(text, ": {message}");
    }
    let mut causes: Vec<String> = Vec::new();
    for cause in details.causes.iter().map(cause_message) {
        if !causes.contains(&cause) {
            causes.push(cause);
        }
    }
    match &causes[..] {
        [] => {}
        [cause] => {
            let _ = writeln!(text, ": {cause}");
        }
        _ => {
            text.push_str(": \n");
            for cause in causes {
                let _ = writeln!(text, "* {cause}");
            }
        }
    }
    text
}

fn cause_message(cause: &StatusCause) -> String {
    let message = cause.message.as_deref().unwrap_or_default();
    match cause.field.as_deref() {
        None | Some("") => message.to_owned(),
        Some(field) => format!("{field}: {message}"),
    }
}

#[cfg(test)]
mod tests {
    use klient_apimachinery::meta::v1::StatusDetails;

    use super::*;

    #[test]
    fn a_cause_that_ends_with_a_line_break_is_followed_by_an_empty_line() {
        let invalid = |message: &str| {
            let cause = StatusCause {
                field: Some("spec".into()),
                message: Some(message.into()),
                ..StatusCause::default()
            };
            let details = StatusDetails {
                kind: Some("Pod".into()),
                name: Some("p".into()),
                causes: vec![cause],
                ..StatusDetails::default()
            };
            invalid(&Status { details: Some(Box::new(details)), ..Status::default() })
        };
        assert_eq!(invalid("Forbidden"), "The Pod \"p\" is invalid: spec: Forbidden\n");
        // The API server ends the diff of a forbidden pod update with a line break.
        assert_eq!(invalid("Forbidden: a\n+b\n"), "The Pod \"p\" is invalid: spec: Forbidden: a\n+b\n\n");
    }
}
