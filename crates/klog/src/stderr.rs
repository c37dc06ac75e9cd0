//! Standard error, to which whole lines go.

use std::io::{self, Write as _};

/// Writes a whole line at once. A standard error that is closed or full is where nothing can be told.
pub(crate) fn write_stderr(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}
