//! Values of flags: durations and booleans, read as kubectl reads them.

use std::fmt;
use std::str::FromStr;

use klient_apimachinery::go::quoted;
pub(crate) use klient_config_flags::go_bool;

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

impl Timeout {
    /// The value of `--pod-running-timeout`.
    ///
    /// # Errors
    ///
    /// The problem in kubectl's words, if it is not above zero.
    pub(crate) fn of_running_pod(self) -> Result<std::time::Duration, &'static str> {
        let timeout = self.0.to_std().filter(|timeout| !timeout.is_zero());
        timeout.ok_or("--pod-running-timeout must be higher than zero")
    }
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
