//! Values of flags, read as kubectl reads them.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{OsStringValueParser, TypedValueParser};
use klient_apimachinery::go::quoted;

/// A token or a password. It is not shown in `Debug`.
#[derive(Clone)]
pub struct SecretFlag(String);

impl SecretFlag {
    /// The secret.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretFlag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl From<&str> for SecretFlag {
    fn from(text: &str) -> Self {
        SecretFlag(text.to_owned())
    }
}

/// The value of `--request-timeout`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestTimeout(klient_apimachinery::Duration);

impl RequestTimeout {
    /// The time-out; `None` for none.
    pub fn duration(self) -> Option<Duration> {
        self.0.to_std().filter(|time| *time > Duration::ZERO)
    }
}

/// An invalid value of `--request-timeout`, with kubectl's message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidRequestTimeout(());

impl fmt::Display for InvalidRequestTimeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "Invalid timeout value. Timeout must be a single integer in seconds, or an integer followed by a \
             corresponding time unit (e.g. 1s | 2m | 3h)",
        )
    }
}

impl std::error::Error for InvalidRequestTimeout {}

/// Parses `--request-timeout`: a duration in Go's syntax, or whole seconds; empty for none.
pub(crate) fn request_timeout(text: &str) -> Result<RequestTimeout, InvalidRequestTimeout> {
    if text.is_empty() {
        return Ok(RequestTimeout::default());
    }
    let with_unit = if text.parse::<u64>().is_ok() { format!("{text}s") } else { text.to_owned() };
    with_unit.parse().map(RequestTimeout).map_err(|_| InvalidRequestTimeout(()))
}

/// Parser of a path. An empty path is the same as no flag.
pub fn path() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}

/// Parses a boolean as Go's `strconv.ParseBool`.
///
/// # Errors
///
/// If it is another word, in Go's words.
pub fn go_bool(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(format!("strconv.ParseBool: parsing {text}: invalid syntax", text = quoted(text))),
    }
}
