//! [`Output`], the destinations of lines.

use crate::entries::Entries;
use crate::files::Files;
use crate::log_line::LogLine;
use crate::stderr::write_stderr;

/// The destinations of lines.
#[derive(Debug)]
pub(crate) enum Output {
    Stderr,
    Files(Box<Files>),
    Entries(Entries),
}

impl Output {
    pub(crate) fn write(&self, line: &LogLine<'_>) {
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

    /// Writes what is buffered to the disk for the last time.
    pub(crate) fn finish(&self) {
        if let Output::Files(files) = self {
            files.finish();
        }
    }

    pub(crate) fn has_files(&self) -> bool {
        matches!(self, Output::Files(_))
    }
}
