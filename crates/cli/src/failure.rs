//! [`Failure`], why a command came to nothing, and how kubectl says it.

mod go;

pub(crate) use go::io_text;

use std::fmt::Write;
use std::io;

use klient_apimachinery::go::quoted;
use klient_apimachinery::meta::Reason;
use klient_apimachinery::meta::v1::{Status, StatusCause};
use klient_client::{Error, NoMatch};

use crate::interrupt::Signal;

/// Why a command came to nothing.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Text, which `error: ` goes before.
    Message(String),
    /// The server or the connection to it failed, while something was done.
    Client {
        error: Box<Error>,
        /// What was being done with which file: `error when creating "FILE"`.
        doing: Option<String>,
    },
    /// A name that means nothing to the server.
    NoMatch(NoMatch),
    /// Several of them.
    Several(Vec<Failure>),
    /// Text that is printed as it is.
    Plain(String),
    /// Help was asked for, which is no failure.
    Help(String),
    /// Differences were found and shown, which is told by the exit code alone.
    Differences,
    /// A failure of a command that says something else by ending with 1, so that it ends with 2.
    Trouble(Box<Failure>),
    /// Nobody reads what is written.
    Closed,
    /// A signal ended the command, which is told by the exit code alone.
    Interrupted(Signal),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Client { error: Box::new(error), doing: None }
    }
}

impl From<NoMatch> for Failure {
    fn from(error: NoMatch) -> Self {
        Failure::NoMatch(error)
    }
}

impl Failure {
    /// A message.
    pub(crate) fn message(text: impl Into<String>) -> Self {
        Failure::Message(text.into())
    }

    /// What became of writing to standard output.
    pub(crate) fn output(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::Closed,
            _ => Failure::Message(format!("standard output: {error}")),
        }
    }

    /// Says what was being done with which file, around what was being done already.
    pub(crate) fn when(self, verb: &str, source: &str) -> Self {
        let context = format!("error when {verb} {}", quoted(source));
        match self {
            Failure::Client { error, doing } => {
                let doing = doing.map_or_else(|| context.clone(), |inner| format!("{context}: {inner}"));
                Failure::Client { error, doing: Some(doing) }
            }
            Failure::Message(text) => Failure::Message(format!("{context}: {text}")),
            other => other,
        }
    }

    /// One failure of several; none of none.
    pub(crate) fn collect(mut failures: Vec<Failure>) -> Result<(), Failure> {
        match failures.len() {
            0 => Ok(()),
            1 => Err(failures.remove(0)),
            _ => Err(Failure::Several(failures)),
        }
    }

    /// What the program ends with.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Failure::Trouble(_) => 2,
            Failure::Interrupted(signal) => signal.exit_code(),
            _ => 1,
        }
    }

    /// What goes to standard error, with the newline at its end.
    pub(crate) fn text(&self) -> String {
        let text = match self {
            Failure::Several(failures) => {
                return failures.iter().map(|failure| failure.short() + "\n").collect();
            }
            Failure::Closed | Failure::Differences | Failure::Interrupted(_) => return String::new(),
            Failure::Trouble(failure) => return failure.text(),
            Failure::Help(text) => return text.clone(),
            Failure::Plain(text) => text.clone(),
            Failure::NoMatch(no_match) if matches!(no_match, NoMatch::Resource(..)) => {
                format!("error: {no_match}")
            }
            Failure::Client { error, .. } => match error.as_status() {
                Some(status) if status.known_reason() == Some(Reason::Invalid) => invalid(status),
                _ => self.with_prefix(),
            },
            _ => self.with_prefix(),
        };
        if text.ends_with('\n') { text } else { text + "\n" }
    }

    fn with_prefix(&self) -> String {
        let text = self.short();
        let is_told = match self {
            Failure::Client { error, .. } => go::standard(error).is_some(),
            _ => text.starts_with("error: "),
        };
        if is_told { text } else { format!("error: {text}") }
    }

    /// The message alone, as it stands among several.
    fn short(&self) -> String {
        match self {
            Failure::Message(text) | Failure::Plain(text) | Failure::Help(text) => text.clone(),
            Failure::NoMatch(no_match) => no_match.to_string(),
            Failure::Several(failures) => {
                let texts: Vec<String> = failures.iter().map(Failure::short).collect();
                format!("[{}]", texts.join(", "))
            }
            Failure::Closed | Failure::Differences | Failure::Interrupted(_) => String::new(),
            Failure::Trouble(failure) => failure.short(),
            Failure::Client { error, doing } => match (go::standard(error), doing) {
                (Some(standard), None) => standard,
                (Some(_), Some(doing)) => go::standard_when(error, doing),
                (None, None) => go::text(error),
                (None, Some(doing)) => format!("{doing}: {}", go::text(error)),
            },
        }
    }

    /// The text an error has in Go, without what kubectl adds for people.
    pub(crate) fn go_text(&self) -> String {
        match self {
            Failure::Client { error, .. } => go::text(error),
            other => other.short(),
        }
    }
}

/// An object the server found invalid: what is wrong, one cause in the line and several below it.
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
    for cause in details.causes.iter().map(cause_text) {
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

fn cause_text(cause: &StatusCause) -> String {
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
