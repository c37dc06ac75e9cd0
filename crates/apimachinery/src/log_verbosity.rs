//! [`LogVerbosity`], by which a crate asks the log of a subscriber how much it wants to know.

use std::fmt;

/// The verbosity of the log of a `tracing` subscriber, in which `Dispatch::downcast_ref` finds it. So a crate whose events
/// have details by verbosity asks for each subscriber, without a dependency on the log.
///
/// With the feature `tracing-subscriber` it is a layer, which does nothing, for logs to add to theirs.
pub struct LogVerbosity(Box<IsLogged>);

type IsLogged = dyn Fn(i32, &str) -> bool + Send + Sync;

impl LogVerbosity {
    /// Returns the verbosity of a log. The function returns true if lines of a verbosity in a source file are logged.
    pub fn new(is_logged: impl Fn(i32, &str) -> bool + Send + Sync + 'static) -> Self {
        LogVerbosity(Box::new(is_logged))
    }

    /// Returns true if lines of a verbosity in a source file are logged now.
    pub fn is_logged(&self, verbosity: i32, file: &str) -> bool {
        self.0(verbosity, file)
    }
}

impl fmt::Debug for LogVerbosity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogVerbosity").finish_non_exhaustive()
    }
}

#[cfg(feature = "tracing-subscriber")]
impl<S: tracing_core::Subscriber> tracing_subscriber::Layer<S> for LogVerbosity {}
