//! [`Console`], where a command writes.

use std::fmt::Display;
use std::io::{self, Write};

use crate::failure::Failure;

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
    pub(crate) fn line(&mut self, line: impl Display) -> Result<(), Failure> {
        writeln!(self.out, "{line}").map_err(Failure::output)
    }

    /// Writes text as it is to standard output.
    pub(crate) fn write(&mut self, text: &str) -> Result<(), Failure> {
        self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush()).map_err(Failure::output)
    }

    /// Writes a line to standard error. That nobody reads it is no reason to stop.
    pub(crate) fn note(&mut self, line: impl Display) {
        let _ = self.out.flush();
        let _ = writeln!(self.err, "{line}");
    }

    /// Writes text as it is to standard error.
    pub(crate) fn complain(&mut self, text: &str) {
        let _ = self.out.flush();
        let _ = self.err.write_all(text.as_bytes());
    }
}
