//! [`Fields`], the message and the values of an event or a span as they are visited.

use std::error::Error;
use std::fmt::{self, Write as _};

use klient_apimachinery::log_value::{Form, format_value};
use tracing::field::{Field, Visit};

use crate::LogFormat;
use crate::filter::VERBOSITY;
use crate::format::{push_float, push_raw, push_string};
use crate::value::causes;

/// The field of the error of a call of `error_s!`: first in text, last in JSON.
const ERROR: &str = "err";

/// The name of a field that names the logger, in contexts.
pub(crate) const LOGGER: &str = "logger";

/// The prefix of the fields of records of the crate `log`, which are in their metadata.
const LOG_FIELDS: &str = "log.";

/// The parts of a line, in a format.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    format: LogFormat,
    /// The call has an error, which has its own place.
    separates_error: bool,
    /// The message as it is.
    pub(crate) message: String,
    /// Keys and values, in the format.
    pub(crate) values: String,
    /// The error of the call, in the format.
    pub(crate) error: String,
    /// The field `v`.
    pub(crate) verbosity: Option<i64>,
    scratch: String,
}

impl Fields {
    /// The bytes of memory that the parts have.
    pub(crate) fn capacity(&self) -> usize {
        [&self.message, &self.values, &self.error, &self.scratch].map(String::capacity).iter().sum()
    }

    /// Empties the parts; their memory stays for the next line.
    pub(crate) fn reset(&mut self, format: LogFormat, separates_error: bool) {
        self.format = format;
        self.separates_error = separates_error;
        self.verbosity = None;
        for part in [&mut self.message, &mut self.values, &mut self.error] {
            part.clear();
        }
    }

    /// The place of a field; `None` if it is no value of the line.
    fn place(&mut self, field: &Field) -> Option<(&mut String, &'static str)> {
        match field.name() {
            ERROR if self.separates_error => Some((&mut self.error, ERROR)),
            name if name.starts_with(LOG_FIELDS) => None,
            name => Some((&mut self.values, name)),
        }
    }

    fn push_number(&mut self, field: &Field, number: fmt::Arguments<'_>) {
        let format = self.format;
        let mut text = std::mem::take(&mut self.scratch);
        text.clear();
        text.write_fmt(number).expect("a String takes all text");
        if let Some((out, name)) = self.place(field) {
            push_raw(format, out, name, &text);
        }
        self.scratch = text;
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        let format = self.format;
        if field.name() == "message" {
            self.message.push_str(value);
        } else if let Some((out, name)) = self.place(field) {
            push_string(format, out, name, value);
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        match field.name() {
            VERBOSITY => self.verbosity = Some(value),
            _ => self.push_number(field, format_args!("{value}")),
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            VERBOSITY => self.verbosity = i64::try_from(value).ok(),
            _ => self.push_number(field, format_args!("{value}")),
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
        if let Some((out, name)) = self.place(field) {
            push_float(format, out, name, value);
        }
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.record_debug(field, &causes(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let format = self.format;
        let mut text = std::mem::take(&mut self.scratch);
        text.clear();
        let form = format_value(format, format_args!("{value:?}"), &mut text);
        if form == Form::Panic {
            text = match format {
                LogFormat::Text => format!("<panic: {text}>"),
                LogFormat::Json => format!("PANIC={text}"),
            };
        }
        if field.name() == "message" {
            self.message.push_str(&text);
        } else if let Some((out, name)) = self.place(field) {
            match form {
                Form::Raw => push_raw(format, out, name, &text),
                // As zap, which is kube-apiserver's.
                Form::Panic if format == LogFormat::Json => {
                    push_string(format, out, &format!("{name}Error"), &text);
                }
                Form::Text | Form::Panic => push_string(format, out, name, &text),
            }
        }
        self.scratch = text;
    }
}
