//! Values that have a form of their own in the lines of a log.
//!
//! A field of a `tracing` event reaches a subscriber as `Debug` only. A log that writes text or JSON formats it with
//! [`format_value`], which says so in a thread-local. A value asks for the format by [`line_format`], and writes its own
//! form with [`write_raw`]; to all others it prints as any value. So crates log maps and references without a dependency
//! on the log.
//!
//! ```
//! use std::fmt;
//! use klient_apimachinery::log_value::{Form, LogFormat, format_value, line_format, write_raw};
//!
//! struct Addresses(Vec<&'static str>);
//!
//! impl fmt::Debug for Addresses {
//!     fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
//!         match line_format() {
//!             Some(LogFormat::Json) => write_raw(f, &format!("{:?}", self.0)),
//!             _ => f.write_str(&self.0.join(",")),
//!         }
//!     }
//! }
//!
//! let addresses = Addresses(vec!["10.0.0.1", "10.0.0.2"]);
//! let mut line = String::new();
//! assert_eq!(format_value(LogFormat::Json, format_args!("{addresses:?}"), &mut line), Form::Raw);
//! assert_eq!(line, r#"["10.0.0.1", "10.0.0.2"]"#);
//! assert_eq!(format!("{addresses:?}"), "10.0.0.1,10.0.0.2");
//! ```

use std::any::Any;
use std::cell::Cell;
use std::fmt::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::str::FromStr;

use crate::go::quoted;

/// The format of the lines of a log (`--logging-format`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// klog's text: `I1129 14:35:31.123456   12345 main.rs:58] "message" key="value"`.
    #[default]
    Text,
    /// A JSON object per line, as kube-apiserver writes it.
    Json,
}

impl FromStr for LogFormat {
    type Err = UnknownLogFormat;

    /// Parses `text` or `json`; the empty string is `text`.
    fn from_str(text: &str) -> Result<Self, UnknownLogFormat> {
        match text {
            "text" | "" => Ok(LogFormat::Text),
            "json" => Ok(LogFormat::Json),
            _ => Err(UnknownLogFormat(text.into())),
        }
    }
}

/// A name that is not that of a log format. The message names those that exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownLogFormat(Box<str>);

impl fmt::Display for UnknownLogFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invalid log format {}: permitted formats: json, text", quoted(&self.0))
    }
}

impl std::error::Error for UnknownLogFormat {}

/// The form of a formatted value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Text that is to be quoted.
    Text,
    /// The value's own form in the format, to be written as it is.
    Raw,
    /// The message of the panic of the value's `Debug` or `Display`.
    Panic,
}

thread_local! {
    /// The format of the line for which a value is being formatted.
    static FORMAT: Cell<Option<LogFormat>> = const { Cell::new(None) };
    /// The bytes of a value's own form, while they are being written.
    static RAW_BYTES: Cell<Option<usize>> = const { Cell::new(None) };
}

/// Returns the format of the line for which a value is being formatted on this thread.
pub fn line_format() -> Option<LogFormat> {
    FORMAT.get()
}

/// Writes the form of a value in the format of the line, in which it stands as it is. It is the whole value: beside other
/// text a value prints as it does elsewhere.
pub fn write_raw(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    let before = RAW_BYTES.replace(Some(text.len()));
    let done = f.write_str(text);
    RAW_BYTES.set(before);
    done
}

/// Runs a function in which values print as they do elsewhere, such as for the text of an error.
pub fn without_format<T>(f: impl FnOnce() -> T) -> T {
    let _restored = Restored(FORMAT.take());
    f()
}

/// The format before, which is set again, also by a panic.
struct Restored(Option<LogFormat>);

impl Drop for Restored {
    fn drop(&mut self) {
        FORMAT.set(self.0);
    }
}

/// Formats a value for a line, and appends it to a string. A panic of the value is contained.
///
/// A value of which only a part has a form of its own, such as an error that names an object, is formatted a second time,
/// as it prints elsewhere.
pub fn format_value(format: LogFormat, value: fmt::Arguments<'_>, out: &mut String) -> Form {
    let begin = out.len();
    let form = format_in(Some(format), value, out);
    form.unwrap_or_else(|| {
        out.truncate(begin);
        format_plain(value, out)
    })
}

/// Formats a value as it prints elsewhere, such as the message of a line, and appends it to a string. A panic of the value
/// is contained.
pub fn format_plain(value: fmt::Arguments<'_>, out: &mut String) -> Form {
    format_in(None, value, out).unwrap_or(Form::Text)
}

/// Returns `None` if a part of the value, but not all of it, is in its own form.
fn format_in(format: Option<LogFormat>, value: fmt::Arguments<'_>, out: &mut String) -> Option<Form> {
    let begin = out.len();
    let format_before = FORMAT.replace(format);
    let raw_before = RAW_BYTES.take();
    let mut line = Line { out, has_text: false, raw_values: 0 };
    let done = catch_unwind(AssertUnwindSafe(|| line.write_fmt(value)));
    let (has_text, raw_values) = (line.has_text, line.raw_values);
    FORMAT.set(format_before);
    RAW_BYTES.set(raw_before);
    match done {
        // A value that fails keeps what it has written.
        Ok(_) if raw_values == 0 => Some(Form::Text),
        Ok(_) => (raw_values == 1 && !has_text).then_some(Form::Raw),
        Err(payload) => {
            out.truncate(begin);
            out.push_str(panic_message(&*payload));
            Some(Form::Panic)
        }
    }
}

fn panic_message(payload: &(dyn Any + Send)) -> &str {
    let literal = payload.downcast_ref::<&str>().copied();
    literal.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("unknown")
}

/// A value in a line. It tells apart what a value writes there in its own form, and what it formats elsewhere.
struct Line<'a> {
    out: &'a mut String,
    has_text: bool,
    raw_values: usize,
}

impl Write for Line<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if text.is_empty() {
            return Ok(());
        }
        match RAW_BYTES.get() == Some(text.len()) {
            true => self.raw_values += 1,
            false => self.has_text = true,
        }
        self.out.push_str(text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A value in its own form, or as plain text.
    struct Quoted(&'static str);

    impl fmt::Display for Quoted {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            match line_format() {
                Some(_) => write_raw(f, &format!("{:?}", self.0)),
                None => f.write_str(self.0),
            }
        }
    }

    /// A value that is formatted by a function.
    struct By(fn(&mut fmt::Formatter<'_>) -> fmt::Result);

    impl fmt::Debug for By {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0(f)
        }
    }

    #[test]
    fn formats_have_names() {
        let parse = |text: &str| text.parse::<LogFormat>();
        assert_eq!(
            [parse("text"), parse("json"), parse("")],
            [Ok(LogFormat::Text), Ok(LogFormat::Json), Ok(LogFormat::Text)]
        );
        let problem = parse("xml").unwrap_err().to_string();
        assert_eq!(problem, "invalid log format \"xml\": permitted formats: json, text");
    }

    #[track_caller]
    fn check(value: fn(&mut fmt::Formatter<'_>) -> fmt::Result, form: Form, expected: &str) {
        let mut out = "before ".to_owned();
        assert_eq!(format_value(LogFormat::Text, format_args!("{:?}", By(value)), &mut out), form);
        assert_eq!(out, format!("before {expected}"));
        assert_eq!(line_format(), None);
    }

    #[test]
    fn a_value_is_raw_only_if_it_is_nothing_else() {
        check(|f| write!(f, "{}", Quoted("a")), Form::Raw, "\"a\"");
        check(|f| write!(f, "{} ", Quoted("a")), Form::Text, "a ");
        check(|f| write!(f, "{}{}", Quoted("a"), Quoted("b")), Form::Text, "ab");
        check(|f| write!(f, "{:?}", Some(format_args!("{}", Quoted("a")))), Form::Text, "Some(a)");
        check(|f| f.write_str(&without_format(|| Quoted("a").to_string())), Form::Text, "a");
        check(|_| Ok(()), Form::Text, "");
        check(|f| write_raw(f, ""), Form::Text, "");
        check(|f| f.write_str("a"), Form::Text, "a");
    }

    #[test]
    fn what_a_value_formats_elsewhere_is_not_its_form() {
        check(
            |f| {
                let text = Quoted("a").to_string();
                f.write_str(if text == "\"a\"" { "x\ny" } else { "" })
            },
            Form::Text,
            "x\ny",
        );
        check(
            |f| {
                let mut inner = String::new();
                let value = By(|f| write_raw(f, "{}"));
                let form = format_value(LogFormat::Json, format_args!("{value:?}"), &mut inner);
                assert_eq!(form, Form::Raw);
                assert_eq!(line_format(), Some(LogFormat::Text));
                f.write_str("[]")
            },
            Form::Text,
            "[]",
        );
    }

    #[test]
    fn a_panic_is_contained() {
        check(
            |f| {
                f.write_str("half")?;
                panic!("it panics")
            },
            Form::Panic,
            "it panics",
        );
        check(|_| std::panic::panic_any(7), Form::Panic, "unknown");
    }
}
