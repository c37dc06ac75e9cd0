//! Values that know the format of the line they are written to.
//!
//! A field of `tracing` reaches a layer as `Debug` only. klog's own values look up the format in a thread-local, in which
//! the layer says that it is formatting; for other layers they print as plain text.

use std::any::Any;
use std::cell::Cell;
use std::fmt::{self, Debug, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::Format;

thread_local! {
    /// The format of the line for which a value is being formatted.
    static FORMAT: Cell<Option<Format>> = const { Cell::new(None) };
    /// The number of bytes of the last value that was written in that format.
    static RAW_BYTES: Cell<usize> = const { Cell::new(0) };
}

/// The form of a formatted value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Text that is to be quoted.
    Text,
    /// The value's own form in the format, to be written as it is.
    Raw,
    /// The message of the panic of a value's `Debug` or `Display`.
    Panic,
}

/// Formats a value into a string, which is empty before.
pub(crate) fn format_value(format: Format, value: &dyn Debug, out: &mut String) -> Form {
    let before = FORMAT.replace(Some(format));
    RAW_BYTES.set(0);
    let done = catch_unwind(AssertUnwindSafe(|| write!(out, "{value:?}")));
    FORMAT.set(before);
    match done {
        Ok(_) if !out.is_empty() && RAW_BYTES.get() == out.len() => Form::Raw,
        Ok(_) => Form::Text,
        Err(payload) => {
            out.clear();
            out.push_str(panic_message(&*payload));
            Form::Panic
        }
    }
}

fn panic_message(payload: &(dyn Any + Send)) -> &str {
    let literal = payload.downcast_ref::<&str>().copied();
    literal.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("unknown")
}

/// Writes a value: its own form if it is formatted for a line, its plain text otherwise.
pub(crate) fn write_value(
    f: &mut fmt::Formatter<'_>,
    raw: impl FnOnce(Format, &mut String),
    plain: impl FnOnce(&mut fmt::Formatter<'_>) -> fmt::Result,
) -> fmt::Result {
    let Some(format) = FORMAT.get() else { return plain(f) };
    let mut text = String::new();
    raw(format, &mut text);
    f.write_str(&text)?;
    RAW_BYTES.set(text.len());
    Ok(())
}
