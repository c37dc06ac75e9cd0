//! [`Console`], standard output and standard error.
//!
//! Messages on standard error have no character that a terminal obeys: servers and containers have a say in many.

use std::borrow::Cow;
use std::fmt::Display;
use std::io::{self, Write};

use klient_apimachinery::go::quoted;

use crate::error::CliError;

/// Standard output and standard error.
pub(crate) struct Console {
    out: io::Stdout,
    err: io::Stderr,
}

impl Console {
    pub(crate) fn new() -> Self {
        Console { out: io::stdout(), err: io::stderr() }
    }

    /// Writes a line to standard output.
    pub(crate) fn println(&mut self, line: impl Display) -> Result<(), CliError> {
        writeln!(self.out, "{line}").map_err(CliError::from_output)
    }

    /// Writes a string to standard output, and flushes it.
    pub(crate) fn print(&mut self, text: &str) -> Result<(), CliError> {
        self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush()).map_err(CliError::from_output)
    }

    /// Writes a line to standard error. Errors of the write are ignored.
    pub(crate) fn eprintln(&mut self, line: impl Display) {
        self.eprint(&format!("{line}\n"));
    }

    /// Writes a string to standard error. Errors of the write are ignored.
    pub(crate) fn eprint(&mut self, text: &str) {
        if text.is_empty() {
            // Nothing is to be ordered, and output without a reader would not let a signal end the program.
            return;
        }
        let _ = self.out.flush();
        let _ = self.err.write_all(visible(text).as_bytes());
    }
}

/// The text with its control characters escaped as in Go, other than line breaks and tabs.
fn visible(text: &str) -> Cow<'_, str> {
    let is_obeyed = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    if !text.contains(is_obeyed) {
        return text.into();
    }
    let mut visible = String::with_capacity(text.len());
    for part in text.split_inclusive(is_obeyed) {
        let plain = part.trim_end_matches(is_obeyed);
        visible.push_str(plain);
        visible.push_str(quoted(&part[plain.len()..]).trim_matches('"'));
    }
    visible.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_escaped() {
        assert_eq!(visible("a\tb\n\"c\\é\u{1f600}"), "a\tb\n\"c\\é\u{1f600}");
        assert_eq!(visible("bad\u{1b}[2J\u{7}\u{9b} x\r\n"), r"bad\x1b[2J\a\u009b x\r".to_owned() + "\n");
    }
}
