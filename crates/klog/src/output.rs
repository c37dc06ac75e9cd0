//! [`Output`], the destinations of lines.

use std::io::{self, Write as _};

use crate::Severity;
use crate::files::Files;
use crate::recorder::Entries;

/// A line to be written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line<'a> {
    pub(crate) severity: Severity,
    pub(crate) verbosity: i32,
    /// The whole line, with its end.
    pub(crate) text: &'a str,
    /// The length of the header.
    pub(crate) header: usize,
}

/// The destinations of lines.
#[derive(Debug)]
pub(crate) enum Output {
    Stderr,
    Files(Files),
    Entries(Entries),
}

impl Output {
    pub(crate) fn write(&self, line: &Line<'_>) {
        match self {
            Output::Stderr => write_stderr(line.text),
            Output::Files(files) => files.write(line),
            Output::Entries(entries) => entries.push(line),
        }
    }

    /// Writes what is buffered to the disk.
    pub(crate) fn flush(&self) {
        if let Output::Files(files) = self {
            files.flush();
        }
    }

    pub(crate) fn has_files(&self) -> bool {
        matches!(self, Output::Files(_))
    }
}

/// Writes a whole line at once. A standard error that is closed or full is where nothing can be told.
pub(crate) fn write_stderr(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}
