//! Values of other kinds: JSON, bytes, durations, errors.

use std::error::Error as StdError;
use std::fmt::{self, Write as _};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use klient_apimachinery::go::{JsonNumbers, is_printable};
use klient_apimachinery::log_value::without_format;
use serde::Serialize;
use serde_json::ser::Serializer;

use crate::LogFormat;
use crate::encoding::write_value;
use crate::format::push_json_string;

/// Returns a value that is logged as JSON, as klog logs structs, maps and slices.
///
/// Everything that the value serializes is logged: of objects that hold secrets, log a reference ([`kobj`](crate::kobj)),
/// or their `Debug`, which leaves secrets out.
///
/// ```
/// use klient_klog::{Recorder, info_s, json};
///
/// let recorder = Recorder::start(0);
/// info_s!("Request finished", request = %json(&serde_json::json!({"Method": "GET", "Timeout": 30})));
/// assert_eq!(recorder.lines(), [r#"I "Request finished" request={"Method":"GET","Timeout":30}"#]);
/// ```
pub fn json<T: Serialize + ?Sized>(value: &T) -> Json<'_, T> {
    Json(value)
}

/// A value that is logged as JSON: see [`json()`].
#[derive(Clone, Copy)]
pub struct Json<'a, T: ?Sized>(&'a T);

impl<T: Serialize + ?Sized> Json<'_, T> {
    fn push(&self, format: LogFormat, out: &mut String) {
        let mut bytes = Vec::new();
        let written = self.0.serialize(&mut Serializer::with_formatter(&mut bytes, JsonNumbers));
        match written.map(|()| String::from_utf8(bytes)) {
            Ok(Ok(text)) => push_escaped(format, out, &text),
            Ok(Err(error)) => push_json_string(out, &format!("<internal error: {error}>")),
            Err(error) => push_json_string(out, &format!("<internal error: {error}>")),
        }
    }
}

impl<T: Serialize + ?Sized> fmt::Display for Json<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = |f: &mut fmt::Formatter<'_>| {
            let mut out = String::new();
            self.push(LogFormat::Json, &mut out);
            f.write_str(&out)
        };
        write_value(f, |format, out| self.push(format, out), plain)
    }
}

impl<T: Serialize + ?Sized> fmt::Debug for Json<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Appends JSON as Go's `encoding/json` writes it, in text with its escapes for HTML. These characters are in strings only.
fn push_escaped(format: LogFormat, out: &mut String, json: &str) {
    let is_escaped = |c: char| match c {
        '<' | '>' | '&' => format == LogFormat::Text,
        c => matches!(c, '\u{2028}' | '\u{2029}'),
    };
    for c in json.chars() {
        match is_escaped(c) {
            true => write!(out, "\\u{:04x}", u32::from(c)).expect("a String takes all text"),
            false => out.push(c),
        }
    }
}

/// Returns bytes that are logged as Go's `%+q` formats them, in JSON as base64.
///
/// ```
/// use klient_klog::{Recorder, bytes, info_s};
///
/// let recorder = Recorder::start(0);
/// info_s!("Read", data = %bytes(b"a\xff\n"));
/// assert_eq!(recorder.lines(), [r#"I "Read" data="a\xff\n""#]);
/// ```
pub fn bytes(bytes: &[u8]) -> Bytes<'_> {
    Bytes(bytes)
}

/// Bytes that are logged: see [`bytes()`].
#[derive(Clone, Copy)]
pub struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn push(self, format: LogFormat, out: &mut String) {
        out.push('"');
        match format {
            LogFormat::Json => STANDARD.encode_string(self.0, out),
            LogFormat::Text => self.push_escaped(out),
        }
        out.push('"');
    }

    fn push_escaped(self, out: &mut String) {
        for chunk in self.0.utf8_chunks() {
            for c in chunk.valid().chars() {
                let done = match c {
                    '"' | '\\' => write!(out, "\\{c}"),
                    '\u{7}' => write!(out, "\\a"),
                    '\u{8}' => write!(out, "\\b"),
                    '\t' => write!(out, "\\t"),
                    '\n' => write!(out, "\\n"),
                    '\u{b}' => write!(out, "\\v"),
                    '\u{c}' => write!(out, "\\f"),
                    '\r' => write!(out, "\\r"),
                    c if c.is_ascii() && is_printable(c) => write!(out, "{c}"),
                    c if c.is_ascii() => write!(out, "\\x{:02x}", u32::from(c)),
                    c if u32::from(c) < 0x1_0000 => write!(out, "\\u{:04x}", u32::from(c)),
                    c => write!(out, "\\U{:08x}", u32::from(c)),
                };
                done.expect("a String takes all text");
            }
            for byte in chunk.invalid() {
                write!(out, "\\x{byte:02x}").expect("a String takes all text");
            }
        }
    }
}

impl fmt::Display for Bytes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = |f: &mut fmt::Formatter<'_>| {
            let mut out = String::new();
            self.push(LogFormat::Text, &mut out);
            f.write_str(&out)
        };
        write_value(f, |format, out| self.push(format, out), plain)
    }
}

impl fmt::Debug for Bytes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Returns a duration that is logged as Go prints it: `1m30s`.
///
/// ```
/// use std::time::Duration;
/// use klient_klog::{Recorder, duration, info_s};
///
/// let recorder = Recorder::start(0);
/// info_s!("Finished", latency = %duration(Duration::from_secs(90)));
/// assert_eq!(recorder.lines(), [r#"I "Finished" latency="1m30s""#]);
/// ```
pub fn duration(duration: Duration) -> impl fmt::Display + fmt::Debug + Copy {
    klient_apimachinery::Duration::from(duration)
}

/// Returns an error that is logged with its causes, as Go's errors print them: `cannot sync: connection refused`.
///
/// ```
/// use klient_klog::{Recorder, causes, info_s};
///
/// let error = "x".parse::<u8>().unwrap_err();
/// let recorder = Recorder::start(0);
/// info_s!("Retrying", err = %causes(&error));
/// assert_eq!(recorder.lines(), [r#"I "Retrying" err="invalid digit found in string""#]);
/// ```
pub fn causes<'a>(error: &'a (dyn StdError + 'a)) -> Causes<'a> {
    Causes(error)
}

/// An error and its causes: see [`causes`].
#[derive(Clone, Copy)]
pub struct Causes<'a>(&'a (dyn StdError + 'a));

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&without_format(|| self.text()))
    }
}

impl Causes<'_> {
    fn text(&self) -> String {
        let mut text = self.0.to_string();
        let mut source = self.0.source();
        while let Some(cause) = source {
            let cause_text = cause.to_string();
            // Many errors print their causes themselves.
            if !text.ends_with(&cause_text) {
                text.push_str(": ");
                text.push_str(&cause_text);
            }
            source = cause.source();
        }
        text
    }
}

impl fmt::Debug for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
