//! [`Logger`], the name and the values that lines have in common.

use std::fmt;

use tracing::{Instrument as _, Span, info_span};

/// The name and the values of a contextual logger (`klog.FromContext`). They are those of a span of `tracing`, so that all
/// events in the span have them, also those of klient's crates, and all layers see them.
///
/// Lines have the values of every span of `tracing` that is at the level `INFO` or above it. Spans of more detail are for
/// profiles.
///
/// ```
/// use klient_klog::{Logger, Recorder, info_s, with_values};
///
/// let recorder = Recorder::start(0);
/// let logger = with_values!(Logger::current().with_name("nodes"), node = "n1");
/// info_s!(logger: logger, "Syncing", attempt = 2);
/// logger.with_name("lease").in_scope(|| info_s!("Renewed"));
/// assert_eq!(recorder.lines(), [
///     r#"I "Syncing" logger="nodes" node="n1" attempt=2"#,
///     r#"I "Renewed" logger="nodes.lease" node="n1""#,
/// ]);
/// ```
#[derive(Clone)]
pub struct Logger(Span);

impl Logger {
    /// Returns the logger of the present span (`klog.FromContext`, and `klog.Background` outside of spans).
    pub fn current() -> Self {
        Logger(Span::current())
    }

    /// Returns a logger with a further name, behind a dot.
    #[must_use = "the logger itself is not changed"]
    pub fn with_name(&self, name: &str) -> Self {
        Logger(info_span!(parent: self.0.id(), "logger", logger = name))
    }

    /// Runs a function with the logger as the present one.
    pub fn in_scope<T>(&self, f: impl FnOnce() -> T) -> T {
        self.0.in_scope(f)
    }

    /// Returns a future that runs with the logger as the present one (`klog.NewContext`).
    pub fn instrument<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        future.instrument(self.0.clone())
    }

    /// For [`with_values!`](crate::with_values).
    #[doc(hidden)]
    pub fn of_span(span: Span) -> Self {
        Logger(span)
    }

    /// For the macros, which take a logger.
    #[doc(hidden)]
    pub fn span(&self) -> &Span {
        &self.0
    }
}

impl fmt::Debug for Logger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Logger").field(&self.0.metadata().map(tracing::Metadata::name)).finish()
    }
}
