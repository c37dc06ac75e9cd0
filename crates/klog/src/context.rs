//! [`Context`], the name and the values that a span adds to the lines of events in it.

use std::fmt::Write as _;

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer;
use tracing_subscriber::registry::{LookupSpan, SpanRef};

use crate::LogFormat;
use crate::key_values::KeyValues;
use crate::visitor::{Fields, LOGGER, Special};

/// The name and the values that a span adds to lines, for each format that a layer has asked for.
#[derive(Debug, Default)]
struct Contexts {
    text: Context,
    json: Context,
}

impl Contexts {
    fn of(&self, format: LogFormat) -> &Context {
        match format {
            LogFormat::Text => &self.text,
            LogFormat::Json => &self.json,
        }
    }

    fn of_mut(&mut self, format: LogFormat) -> &mut Context {
        match format {
            LogFormat::Text => &mut self.text,
            LogFormat::Json => &mut self.json,
        }
    }
}

/// The name and the values of a span.
#[derive(Debug, Default)]
struct Context {
    name: Option<String>,
    /// Keys, and values with their keys in the format.
    values: Vec<(&'static str, String)>,
}

/// Keeps the values of a span that is created, or that gets more values.
pub(crate) fn keep<S>(format: LogFormat, span: &SpanRef<'_, S>, record: impl FnOnce(&mut dyn Visit))
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let mut visitor = Visitor { format, context: Context::default(), fields: Fields::default() };
    record(&mut visitor);
    let new = visitor.context;
    let mut extensions = span.extensions_mut();
    if extensions.get_mut::<Contexts>().is_none() {
        extensions.insert(Contexts::default());
    }
    let contexts = extensions.get_mut::<Contexts>().expect("it has been inserted");
    let context = contexts.of_mut(format);
    context.name = new.name.or(context.name.take());
    // A value that is recorded again is replaced.
    context.values.retain(|(existing, _)| new.values.iter().all(|(key, _)| key != existing));
    context.values.extend(new.values);
}

/// Visits one field after the other.
struct Visitor {
    format: LogFormat,
    context: Context,
    fields: Fields,
}

impl Visitor {
    fn push(&mut self, field: &Field, record: impl FnOnce(&mut Fields)) {
        // All fields of a span are values.
        self.fields.reset(self.format, Special::default());
        record(&mut self.fields);
        if !self.fields.values.is_empty() {
            self.context.values.push((field.name(), self.fields.values.as_str().to_owned()));
        }
    }
}

impl Visit for Visitor {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            LOGGER => self.context.name = Some(value.to_owned()),
            _ => self.push(field, |fields| fields.record_str(field, value)),
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.push(field, |fields| fields.record_i64(field, value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.push(field, |fields| fields.record_u64(field, value));
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.push(field, |fields| fields.record_i128(field, value));
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.push(field, |fields| fields.record_u128(field, value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.push(field, |fields| fields.record_bool(field, value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.push(field, |fields| fields.record_f64(field, value));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.push(field, |fields| fields.record_error(field, value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.push(field, |fields| fields.record_debug(field, value));
    }
}

/// Collects the names and values of an event's spans, outermost first.
pub(crate) fn collect<S>(
    format: LogFormat,
    event: &Event<'_>,
    context: &layer::Context<'_, S>,
    names: &mut String,
    values: &mut KeyValues,
) where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let Some(scope) = context.event_scope(event) else { return };
    for span in scope.from_root() {
        let extensions = span.extensions();
        let Some(contexts) = extensions.get::<Contexts>() else { continue };
        let Context { name, values: of_span } = contexts.of(format);
        if let Some(name) = name {
            let dot = if names.is_empty() { "" } else { "." };
            write!(names, "{dot}{name}").expect("a String takes all text");
        }
        for (key, value) in of_span {
            values.push(format, key, |out| out.push_str(value));
        }
    }
}
