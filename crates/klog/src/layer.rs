//! [`Layer`], which writes events as lines.

use std::cell::Cell;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use tracing_log::NormalizeEvent as _;
use tracing_subscriber::layer;
use tracing_subscriber::registry::LookupSpan;

use crate::backtrace_at::BacktraceAt;
use crate::call::{Call, Shape, has_verbosity_field};
use crate::context;
use crate::filter::clamped;
use crate::format::{push_json_string, push_quoted, push_string};
use crate::header::{Position, push_header};
use crate::key_values::KeyValues;
use crate::log_line::LogLine;
use crate::output::Output;
use crate::stack::stack;
use crate::verbosity::Verbosity;
use crate::visitor::{ERROR, Fields, LOGGER, Special};
use crate::{LogFormat, Severity};

/// A line with the severity `F` was written: the program that ends with it need not say why.
pub(crate) static HAS_FATAL_LINE: AtomicBool = AtomicBool::new(false);

/// Writes events as lines of klog, without a decision about their verbosity.
#[derive(Debug)]
pub(crate) struct Layer {
    pub(crate) verbosity: Verbosity,
    pub(crate) format: LogFormat,
    pub(crate) skips_headers: bool,
    pub(crate) has_folder: bool,
    pub(crate) backtrace_at: Option<BacktraceAt>,
    pub(crate) output: Arc<Output>,
}

/// The memory of a line, which each thread keeps for the next.
#[derive(Debug, Default)]
struct Buffers {
    line: String,
    fields: Fields,
    names: String,
    context: KeyValues,
    merged: KeyValues,
}

thread_local! {
    static BUFFERS: Cell<Option<Box<Buffers>>> = const { Cell::new(None) };
}

impl Buffers {
    /// The bytes of memory that the buffers have.
    fn capacity(&self) -> usize {
        let values = self.fields.capacity() + self.context.capacity() + self.merged.capacity();
        values + self.line.capacity() + self.names.capacity()
    }
}

/// Memory above this size is not kept.
const KEPT: usize = 64 * 1024;

impl<S> layer::Layer<S> for Layer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: layer::Context<'_, S>) {
        if let Some(span) = context.span(id).filter(|_| !attributes.fields().is_empty()) {
            context::keep(self.format, &span, |visitor| attributes.record(visitor));
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: layer::Context<'_, S>) {
        if let Some(span) = context.span(id) {
            context::keep(self.format, &span, |visitor| values.record(visitor));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: layer::Context<'_, S>) {
        // A value that logs while it is formatted gets buffers of its own, and so does a thread that is ending.
        let mut buffers = BUFFERS.try_with(Cell::take).ok().flatten().unwrap_or_default();
        self.write(event, &context, &mut buffers);
        if buffers.capacity() <= KEPT {
            let _ = BUFFERS.try_with(|kept| kept.set(Some(buffers)));
        }
    }
}

impl Layer {
    /// Returns true if a call without values is logged.
    pub(crate) fn is_enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.verbosity.is_logged(self.verbosity.call(metadata).verbosity, metadata.file())
    }

    fn write<S>(&self, event: &Event<'_>, context: &layer::Context<'_, S>, buffers: &mut Buffers)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let normalized = event.normalized_metadata();
        let metadata = normalized.as_ref().unwrap_or_else(|| event.metadata());
        let call = self.verbosity.call(metadata);
        // A filter of tracing-subscriber loses its decision if a value of the event is an event or a span itself.
        let has_field = has_verbosity_field(metadata);
        if !has_field && !self.verbosity.is_logged(call.verbosity, metadata.file()) {
            return;
        }
        let Buffers { line, fields, names, context: of_spans, merged } = buffers;
        let special = Special {
            message: true,
            verbosity: has_field,
            error: call.shape != Shape::Event && call.severity == Severity::Error,
            log: normalized.is_some(),
        };
        fields.reset(self.format, special);
        event.record(fields);
        if fields
            .verbosity
            .is_some_and(|verbosity| !self.verbosity.is_logged(clamped(verbosity), metadata.file()))
        {
            return;
        }
        names.clear();
        of_spans.clear();
        if call.shape != Shape::Printed {
            context::collect(self.format, event, context, names, of_spans);
        }
        line.clear();
        // The file of a record of the crate `log` may come from anywhere.
        let is_name = |file: &&str| normalized.is_none() || !file.contains(char::is_control);
        let position = Position::new(metadata.file().filter(is_name), metadata.line());
        let parts = Parts { call, position, fields, names, context: of_spans };
        let header = match self.format {
            LogFormat::Text => self.push_text(line, &parts, merged),
            LogFormat::Json => {
                push_json(line, metadata, &parts, self.has_backtrace(&parts));
                0
            }
        };
        if call.severity == Severity::Fatal {
            HAS_FATAL_LINE.store(true, Ordering::Relaxed);
        }
        let verbosity = parts.verbosity();
        self.output.write(&LogLine { severity: call.severity, verbosity, text: line, header });
    }

    /// Appends a line of text, and returns the length of its header.
    fn push_text(&self, line: &mut String, parts: &Parts<'_>, merged: &mut KeyValues) -> usize {
        let Parts { call, position, fields, names, context } = *parts;
        if !self.skips_headers {
            push_header(line, call.severity, position, self.has_folder);
        }
        let header = line.len();
        let is_structured = match call.shape {
            Shape::Printed => false,
            Shape::Structured => true,
            Shape::Event => {
                let has_values = !(fields.values.is_empty() && context.is_empty() && names.is_empty());
                has_values || fields.message.contains(|c: char| c.is_control())
            }
        };
        if is_structured {
            push_quoted(line, &fields.message);
        } else {
            line.push_str(&fields.message);
        }
        parts.push_values(line, merged);
        if !line.ends_with('\n') {
            line.push('\n');
        }
        if self.has_backtrace(parts) {
            line.push_str(&stack());
            line.push('\n');
        }
        header
    }

    /// Returns true at the position of `--log-backtrace-at`, and for a fatal line in a file.
    fn has_backtrace(&self, parts: &Parts<'_>) -> bool {
        let is_asked_for = self.backtrace_at.as_ref().is_some_and(|at| at.is(parts.position));
        is_asked_for || parts.call.is_fatal && self.output.has_files()
    }
}

/// The parts of a line.
#[derive(Clone, Copy)]
struct Parts<'a> {
    call: Call,
    position: Position<'a>,
    fields: &'a Fields,
    /// The names of the loggers.
    names: &'a str,
    /// The values of the spans.
    context: &'a KeyValues,
}

impl Parts<'_> {
    /// Appends the keys and values of a line of text, in klog's order: error, logger, spans, event.
    fn push_values(&self, line: &mut String, merged: &mut KeyValues) {
        const TEXT: LogFormat = LogFormat::Text;
        let Parts { fields, names, context, .. } = *self;
        let repeats_error = !fields.error.is_empty() && fields.values.has(ERROR);
        if names.is_empty() && context.is_empty() && !repeats_error {
            line.push_str(&fields.error);
            line.push_str(fields.values.as_str());
            return;
        }
        merged.clear();
        if !fields.error.is_empty() {
            merged.push(TEXT, ERROR, |out| out.push_str(&fields.error));
        }
        if !names.is_empty() {
            merged.push(TEXT, LOGGER, |out| push_string(TEXT, out, LOGGER, names));
        }
        for (key, text) in context.iter().chain(fields.values.iter()) {
            merged.push(TEXT, key, |out| out.push_str(text));
        }
        line.push_str(merged.as_str());
    }

    /// The verbosity of the call; 0 if it has none.
    fn verbosity(&self) -> i32 {
        self.fields.verbosity.map_or(self.call.verbosity, clamped).max(0)
    }
}

/// Appends a line of JSON with the keys of kube-apiserver, in its order, and the stack.
fn push_json(line: &mut String, metadata: &Metadata<'_>, parts: &Parts<'_>, has_backtrace: bool) {
    let Parts { call, position, fields, names, context } = *parts;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let millis = now.as_nanos() as f64 / 1e6;
    write!(line, "{{\"ts\":{millis}").expect("a String takes all text");
    if !names.is_empty() {
        push_string(LogFormat::Json, line, LOGGER, names);
    }
    line.push_str(",\"caller\":");
    if metadata.file().is_some() {
        push_json_string(line, &format!("{}:{}", position.file(true), position.line()));
    } else {
        line.push_str("\"undefined\"");
    }
    line.push_str(",\"msg\":");
    // zap gets unstructured messages without the line end that klog adds.
    let message = match call.shape {
        Shape::Printed => fields.message.strip_suffix('\n').unwrap_or(&fields.message),
        Shape::Structured | Shape::Event => &fields.message,
    };
    push_json_string(line, message);
    line.push_str(context.as_str());
    if call.severity != Severity::Error {
        write!(line, ",\"v\":{}", parts.verbosity()).expect("a String takes all text");
    }
    line.push_str(fields.values.as_str());
    line.push_str(&fields.error);
    if has_backtrace {
        push_string(LogFormat::Json, line, "stacktrace", &stack());
    }
    line.push_str("}\n");
}
