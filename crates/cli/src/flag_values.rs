//! Values of flags: tokens, durations and booleans, read as kubectl reads them.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::{OsStringValueParser, TypedValueParser};
use klient_apimachinery::go::quoted;

/// A bearer token. It is not shown in `Debug`.
#[derive(Clone)]
pub(crate) struct Token(pub(crate) String);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl From<&str> for Token {
    fn from(text: &str) -> Self {
        Token(text.to_owned())
    }
}

/// A duration in Go's syntax (`1m30s`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Timeout(pub(crate) klient_apimachinery::Duration);

impl FromStr for Timeout {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refuse = |_| match text.parse::<f64>() {
            Ok(_) => format!("time: missing unit in duration {text}", text = quoted(text)),
            Err(_) => format!("time: invalid duration {text}", text = quoted(text)),
        };
        if text == "0" { Ok(Timeout::default()) } else { text.parse().map(Timeout).map_err(refuse) }
    }
}

/// Parses `--request-timeout`: a duration, or whole seconds; empty for none.
pub(crate) fn request_timeout(text: &str) -> Result<Timeout, FlagValueError> {
    if text.is_empty() {
        return Ok(Timeout::default());
    }
    let with_unit = if text.parse::<u64>().is_ok() { format!("{text}s") } else { text.to_owned() };
    with_unit.parse().map_err(|_| {
        FlagValueError::new(
            "Invalid timeout value. Timeout must be a single integer in seconds, or an integer followed by a \
             corresponding time unit (e.g. 1s | 2m | 3h)",
        )
    })
}

/// Parser of a path. An empty path is the same as no flag.
pub(crate) fn path() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}

/// An invalid value of a flag, with kubectl's message, which is printed without the name of the flag.
#[derive(Clone, Debug)]
pub(crate) struct FlagValueError(String);

impl FlagValueError {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        FlagValueError(text.into())
    }
}

impl fmt::Display for FlagValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for FlagValueError {}

/// Parses a boolean as Go's `strconv.ParseBool`.
pub(crate) fn go_bool(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(format!("strconv.ParseBool: parsing {text}: invalid syntax", text = quoted(text))),
    }
}
