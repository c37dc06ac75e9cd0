//! Values that know the format of the line they are written to.

use std::fmt;

use klient_apimachinery::log_value::{LineFormat, line_format, write_raw};

use crate::Format;

impl From<Format> for LineFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::Text => LineFormat::Text,
            Format::Json => LineFormat::Json,
        }
    }
}

/// Writes a value: its own form if it is formatted for a line, its plain text otherwise.
pub(crate) fn write_value(
    f: &mut fmt::Formatter<'_>,
    raw: impl FnOnce(Format, &mut String),
    plain: impl FnOnce(&mut fmt::Formatter<'_>) -> fmt::Result,
) -> fmt::Result {
    let format = match line_format() {
        Some(LineFormat::Text) => Format::Text,
        Some(LineFormat::Json) => Format::Json,
        None => return plain(f),
    };
    let mut text = String::new();
    raw(format, &mut text);
    write_raw(f, &text)
}
