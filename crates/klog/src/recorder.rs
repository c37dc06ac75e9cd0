//! [`Recorder`], the lines of a test.

use std::fmt;
use std::sync::Arc;

use tracing::subscriber::DefaultGuard;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::entries::{Entries, Entry};
use crate::output::Output;
use crate::verbosity::Verbosity;
use crate::{LogFormat, Options, klog};

/// The lines that the thread of a test logs, in place of standard error.
///
/// Other threads have recorders of their own, or none: a future that is spawned on a runtime with several threads is not
/// recorded unless it has the dispatcher of the test (`tracing::instrument::WithSubscriber`). Records of the crate `log` are
/// not recorded, unless the program relays them to `tracing`.
///
/// ```
/// use klient_klog::{Recorder, Severity, error_s, v};
///
/// let recorder = Recorder::start(2);
/// let error = "x".parse::<u8>().unwrap_err();
/// error_s!(error, "Cannot parse", text = "x");
/// v!(2, "Ignored");
/// v!(3, "Not logged");
/// assert_eq!(recorder.lines(), [
///     r#"E "Cannot parse" err="invalid digit found in string" text="x""#,
///     r#"I "Ignored""#,
/// ]);
/// let entries = recorder.entries();
/// assert_eq!((entries[0].severity, entries[1].verbosity), (Severity::Error, 2));
/// ```
pub struct Recorder {
    output: Arc<Output>,
    verbosity: Verbosity,
    format: LogFormat,
    _subscribed: DefaultGuard,
}

impl Recorder {
    /// Records the lines of this thread with a verbosity until it is dropped.
    pub fn start(verbosity: i32) -> Self {
        Recorder::with(Options { verbosity, ..Options::default() }).expect("the default options are valid")
    }

    /// Records the lines of this thread with options until it is dropped. Those about files have no effect.
    ///
    /// # Errors
    ///
    /// If an option is invalid.
    pub fn with(options: Options) -> Result<Self, crate::Error> {
        let output = Arc::new(Output::Entries(Entries::default()));
        let format = options.format;
        let (layer, verbosity) = klog::layer_to(options, output.clone())?;
        let subscriber = tracing_subscriber::registry().with(layer);
        let subscribed = tracing::subscriber::set_default(subscriber);
        Ok(Recorder { output, verbosity, format, _subscribed: subscribed })
    }

    /// Returns the verbosity, to be changed.
    pub fn verbosity(&self) -> Verbosity {
        self.verbosity.clone()
    }

    /// Returns the lines so far. In text, the severity stands for the header, which is different each time.
    pub fn lines(&self) -> Vec<String> {
        self.entries().iter().map(|entry| entry.line(self.format)).collect()
    }

    /// Returns the lines so far with what is known about them.
    pub fn entries(&self) -> Vec<Entry> {
        match &*self.output {
            Output::Entries(entries) => entries.all(),
            Output::Stderr | Output::Files(_) => Vec::new(),
        }
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.lines()).finish()
    }
}
