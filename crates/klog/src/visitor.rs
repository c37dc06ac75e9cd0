//! [`Fields`], the message and the values of an event or a span as they are visited.

use std::error::Error;
use std::fmt::{self, Write as _};

use klient_apimachinery::log_value::{Form, format_plain, format_value};
use tracing::field::{Field, Visit};

use crate::LogFormat;
use crate::call::VERBOSITY;
use crate::format::{push_float, push_raw, push_string};
use crate::key_values::KeyValues;
use crate::value::causes;

/// The field of the error of a call of `error_s!`: first in text, last in JSON.
pub(crate) const ERROR: &str = "err";

/// The place of that field, which is there without an error, too: behind the message.
const ERROR_INDEX: usize = 1;

/// The field of the message.
const MESSAGE: &str = "message";

/// The name of a field that names the logger, in contexts.
pub(crate) const LOGGER: &str = "logger";

/// The prefix of the fields of records of the crate `log`, which are in their metadata.
const LOG_FIELDS: &str = "log.";

/// Fields that are no values of a line, the first time that each comes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Special {
    /// `message`.
    pub(crate) message: bool,
    /// `v`, if it is a number.
    pub(crate) verbosity: bool,
    /// `err`, the error of a call.
    pub(crate) error: bool,
    /// Fields of a record of the crate `log`.
    pub(crate) log: bool,
}

/// The parts of a line, in a format.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    format: LogFormat,
    special: Special,
    /// The message as it is.
    pub(crate) message: String,
    /// Keys and values, in the format.
    pub(crate) values: KeyValues,
    /// The error of the call, in the format.
    pub(crate) error: String,
    /// The field `v`.
    pub(crate) verbosity: Option<i64>,
    scratch: String,
}

impl Fields {
    /// The bytes of memory that the parts have.
    pub(crate) fn capacity(&self) -> usize {
        let strings = [&self.message, &self.error, &self.scratch];
        self.values.capacity() + strings.map(String::capacity).iter().sum::<usize>()
    }

    /// Empties the parts; their memory stays for the next line.
    pub(crate) fn reset(&mut self, format: LogFormat, special: Special) {
        self.format = format;
        self.special = special;
        self.verbosity = None;
        self.values.clear();
        for part in [&mut self.message, &mut self.error] {
            part.clear();
        }
    }

    /// Returns true for the message of the event.
    fn is_message(&mut self, field: &Field) -> bool {
        field.name() == MESSAGE && std::mem::take(&mut self.special.message)
    }

    /// Takes the verbosity of the event, or leaves a value.
    fn takes_verbosity(&mut self, field: &Field, verbosity: i64) -> bool {
        let takes = field.name() == VERBOSITY && std::mem::take(&mut self.special.verbosity);
        if takes {
            self.verbosity = Some(verbosity);
        }
        takes
    }

    /// Appends a value, unless it is in the metadata already.
    fn push(&mut self, field: &Field, write: impl FnOnce(&mut String, &'static str)) {
        let name = field.name();
        if name == ERROR && field.index() == ERROR_INDEX && self.special.error {
            write(&mut self.error, name);
        } else if !(self.special.log && name.starts_with(LOG_FIELDS)) {
            self.values.push(self.format, name, |out| write(out, name));
        }
    }

    fn push_number(&mut self, field: &Field, number: fmt::Arguments<'_>) {
        let format = self.format;
        if self.is_message(field) {
            self.message.write_fmt(number).expect("a String takes all text");
            return;
        }
        let mut text = std::mem::take(&mut self.scratch);
        text.clear();
        text.write_fmt(number).expect("a String takes all text");
        self.push(field, |out, name| push_raw(format, out, name, &text));
        self.scratch = text;
    }

    /// Appends the message. Values in it are as they print elsewhere.
    fn push_message(&mut self, value: &dyn fmt::Debug) {
        let begin = self.message.len();
        if format_plain(format_args!("{value:?}"), &mut self.message) == Form::Panic {
            let panic = panicked(self.format, &self.message[begin..]);
            self.message.truncate(begin);
            self.message.push_str(&panic);
        }
    }
}

/// The message of a value's panic, as klog and zap write it.
fn panicked(format: LogFormat, message: &str) -> String {
    match format {
        LogFormat::Text => format!("<panic: {message}>"),
        LogFormat::Json => format!("PANIC={message}"),
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        let format = self.format;
        match self.is_message(field) {
            true => self.message.push_str(value),
            false => self.push(field, |out, name| push_string(format, out, name, value)),
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        if !self.takes_verbosity(field, value) {
            self.push_number(field, format_args!("{value}"));
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if !self.takes_verbosity(field, i64::try_from(value).unwrap_or(i64::MAX)) {
            self.push_number(field, format_args!("{value}"));
        }
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.push_number(field, format_args!("{value}"));
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.push_number(field, format_args!("{value}"));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.push_number(field, format_args!("{value}"));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        let format = self.format;
        match self.is_message(field) {
            true => self.push_message(&value),
            false => self.push(field, |out, name| push_float(format, out, name, value)),
        }
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.record_debug(field, &causes(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if self.is_message(field) {
            return self.push_message(value);
        }
        let format = self.format;
        let mut text = std::mem::take(&mut self.scratch);
        text.clear();
        let form = format_value(format, format_args!("{value:?}"), &mut text);
        if form == Form::Panic {
            text = panicked(format, &text);
        }
        self.push(field, |out, name| match form {
            Form::Raw => push_raw(format, out, name, &text),
            // As zap, which is kube-apiserver's.
            Form::Panic if format == LogFormat::Json => {
                push_string(format, out, &format!("{name}Error"), &text);
            }
            Form::Text | Form::Panic => push_string(format, out, name, &text),
        });
        self.scratch = text;
    }
}
