//! [`Filter`], the decision for each call site.

use tracing::field::{Field, Visit};
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_log::NormalizeEvent as _;
use tracing_subscriber::layer;

use crate::call::{VERBOSITY, has_verbosity_field};
use crate::verbosity::Verbosity;

/// The target of the events that records of the crate `log` become.
const LOG: &str = "log";

/// Decides by verbosity and file. `tracing` keeps the decision of each call site until the verbosity changes.
#[derive(Clone, Debug)]
pub(crate) struct Filter(pub(crate) Verbosity);

impl Filter {
    /// `None` if it depends on the values of the event.
    fn decide(&self, metadata: &Metadata<'_>) -> Option<bool> {
        if metadata.is_span() {
            // Spans of more detail are for profiles. The context of a line does not depend on the verbosity.
            return Some(*metadata.level() <= Level::INFO);
        }
        if has_verbosity_field(metadata) || metadata.target() == LOG {
            return None;
        }
        Some(self.0.is_logged(self.0.call(metadata).verbosity, metadata.file()))
    }
}

impl<S: Subscriber> layer::Filter<S> for Filter {
    fn enabled(&self, metadata: &Metadata<'_>, _: &layer::Context<'_, S>) -> bool {
        // A record of `log` is asked for without its file.
        let is_of_unknown_file = metadata.file().is_none() && self.0.has_vmodule();
        is_of_unknown_file || self.decide(metadata).unwrap_or(true)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        match self.decide(metadata) {
            Some(true) => Interest::always(),
            Some(false) => Interest::never(),
            None => Interest::sometimes(),
        }
    }

    fn event_enabled(&self, event: &Event<'_>, _: &layer::Context<'_, S>) -> bool {
        let metadata = event.metadata();
        if metadata.target() == LOG
            && let Some(metadata) = event.normalized_metadata()
        {
            return self.0.is_logged(self.0.call(&metadata).verbosity, metadata.file());
        }
        !has_verbosity_field(metadata) || self.0.is_logged(verbosity(event), metadata.file())
    }
}

/// The verbosity in the field of an event; 0 if it is no number.
fn verbosity(event: &Event<'_>) -> i32 {
    struct Visitor(Option<i32>);

    impl Visit for Visitor {
        fn record_i64(&mut self, field: &Field, value: i64) {
            if field.name() == VERBOSITY && self.0.is_none() {
                self.0 = Some(clamped(value));
            }
        }

        fn record_u64(&mut self, field: &Field, value: u64) {
            self.record_i64(field, i64::try_from(value).unwrap_or(i64::MAX));
        }

        fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
    }

    let mut visitor = Visitor(None);
    event.record(&mut visitor);
    visitor.0.unwrap_or_default()
}

/// The verbosity in a field. One above those of the flag is never logged.
pub(crate) fn clamped(verbosity: i64) -> i32 {
    let limit = if verbosity < 0 { i32::MIN } else { i32::MAX };
    i32::try_from(verbosity).unwrap_or(limit)
}
