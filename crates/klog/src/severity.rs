//! [`Severity`], the letter at the beginning of a line.

use std::fmt;
use std::str::FromStr;

use klient_apimachinery::go::quoted;

use crate::Error;

/// The severity of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// `I`: all lines with a verbosity are of this severity.
    #[default]
    Info,
    /// `W`.
    Warning,
    /// `E`.
    Error,
    /// `F`: the program ends after the line.
    Fatal,
}

impl Severity {
    /// All severities, the lowest first.
    pub(crate) const ALL: [Severity; 4] =
        [Severity::Info, Severity::Warning, Severity::Error, Severity::Fatal];

    /// The texts that are severities.
    pub(crate) const EXPECTED: &str = "it must be INFO, WARNING, ERROR, FATAL, or a number from 0 to 3";

    /// The name of the severity, which is also in the names of log files.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Severity::Info => "INFO",
            Severity::Warning => "WARNING",
            Severity::Error => "ERROR",
            Severity::Fatal => "FATAL",
        }
    }

    /// The first letter of a line.
    pub(crate) fn letter(self) -> char {
        match self {
            Severity::Info => 'I',
            Severity::Warning => 'W',
            Severity::Error => 'E',
            Severity::Fatal => 'F',
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Severity {
    type Err = Error;

    /// Parses a name in any case, or a number from 0 (info) to 3 (fatal).
    fn from_str(text: &str) -> Result<Self, Error> {
        let by_name = Severity::ALL.into_iter().find(|severity| severity.name().eq_ignore_ascii_case(text));
        let by_number = || text.parse::<usize>().ok().and_then(|number| Severity::ALL.get(number).copied());
        by_name
            .or_else(by_number)
            .ok_or_else(|| Error::new(format!("invalid severity {}: {}", quoted(text), Severity::EXPECTED)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severities_are_names_in_any_case_or_numbers() {
        for (text, severity) in [
            ("INFO", Severity::Info),
            ("warning", Severity::Warning),
            ("2", Severity::Error),
            ("3", Severity::Fatal),
        ] {
            assert_eq!(text.parse::<Severity>().unwrap(), severity);
        }
        let error = "4".parse::<Severity>().unwrap_err();
        assert!(error.to_string().starts_with("invalid severity \"4\": it must be"), "{error}");
    }
}
