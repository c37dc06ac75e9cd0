//! [`Entry`], a recorded line, and [`Entries`], all of them.

use std::sync::{Mutex, PoisonError};

use crate::log_line::LogLine;
use crate::{LogFormat, Severity};

/// A recorded line.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// The severity.
    pub severity: Severity,
    /// The verbosity; 0 if the line is always logged.
    pub verbosity: i32,
    /// The header of a line of text, up to the space that ends it; empty in JSON.
    pub header: String,
    /// The line without its header and its end.
    pub text: String,
}

impl Entry {
    /// The line in a format. In text, the severity stands for the header.
    pub(crate) fn line(&self, format: LogFormat) -> String {
        match format {
            LogFormat::Text => format!("{} {}", self.severity.letter(), self.text),
            LogFormat::Json => self.text.clone(),
        }
    }
}

/// Lines in memory.
#[derive(Debug, Default)]
pub(crate) struct Entries(Mutex<Vec<Entry>>);

impl Entries {
    pub(crate) fn push(&self, line: &LogLine<'_>) {
        let (header, text) = line.text.split_at(line.header);
        let entry = Entry {
            severity: line.severity,
            verbosity: line.verbosity,
            header: header.to_owned(),
            text: text.strip_suffix('\n').unwrap_or(text).to_owned(),
        };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
    }

    pub(crate) fn all(&self) -> Vec<Entry> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
