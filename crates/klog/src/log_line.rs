//! [`LogLine`], a line to be written.

use crate::Severity;

/// A line to be written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LogLine<'a> {
    pub(crate) severity: Severity,
    pub(crate) verbosity: i32,
    /// The whole line, with its end.
    pub(crate) text: &'a str,
    /// The length of the header.
    pub(crate) header: usize,
}
