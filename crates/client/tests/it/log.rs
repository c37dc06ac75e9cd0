//! [`Log`], a subscriber that keeps what is logged.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span;

/// Collects the fields of all events and spans, a line each.
#[derive(Clone, Default)]
pub(crate) struct Log {
    lines: Arc<Mutex<String>>,
    /// The only target that is logged.
    target: Option<&'static str>,
}

impl Log {
    /// Collects one target alone.
    pub(crate) fn of(target: &'static str) -> Log {
        Log { target: Some(target), ..Log::default() }
    }

    /// Returns the lines so far.
    pub(crate) fn text(&self) -> String {
        self.lines.lock().unwrap().clone()
    }
}

impl Visit for Log {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        writeln!(self.lines.lock().unwrap(), "{field}: {value:?}").unwrap();
    }
}

impl tracing::Subscriber for Log {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        self.target.is_none_or(|target| target == metadata.target())
    }

    fn new_span(&self, span: &span::Attributes<'_>) -> span::Id {
        span.record(&mut self.clone());
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, values: &span::Record<'_>) {
        values.record(&mut self.clone());
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        event.record(&mut self.clone());
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

/// A second subscriber, for as long as it lives. If there is one alone, the thread that comes by an event first decides
/// for all threads whether the event is logged: another test at the same time would switch it off.
pub(crate) fn second_subscriber() -> tracing::Dispatch {
    tracing::Dispatch::new(Log::default())
}
