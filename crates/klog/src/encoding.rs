//! Values that know the format of the line they are written to.

use std::fmt;

use klient_apimachinery::log_value::{line_format, write_raw};

use crate::LogFormat;

/// Writes a value: its own form if it is formatted for a line, its plain text otherwise.
pub(crate) fn write_value(
    f: &mut fmt::Formatter<'_>,
    raw: impl FnOnce(LogFormat, &mut String),
    plain: impl FnOnce(&mut fmt::Formatter<'_>) -> fmt::Result,
) -> fmt::Result {
    let Some(format) = line_format() else { return plain(f) };
    let mut text = String::new();
    raw(format, &mut text);
    write_raw(f, &text)
}
