//! [`Console`], standard output and standard error.

use std::fmt::Display;
use std::io::{self, Write};

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
        let _ = self.out.flush();
        let _ = writeln!(self.err, "{line}");
    }

    /// Writes a string to standard error. Errors of the write are ignored.
    pub(crate) fn eprint(&mut self, text: &str) {
        let _ = self.out.flush();
        let _ = self.err.write_all(text.as_bytes());
    }
}
