//! [`WarningHandler`], the treatment of the warnings that a server sends beside its responses.

mod header;

use std::collections::HashSet;
use std::fmt;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use http::HeaderMap;
use http::header::WARNING;

/// A warning that a server sent beside a response, such as that an API is deprecated.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Warning {
    /// The sender; API servers send `-`.
    pub agent: String,
    /// The message.
    pub text: String,
}

/// The message.
impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Warning {
    /// The warnings for people in the headers of a response, which have the code 299.
    pub(crate) fn of(headers: &HeaderMap) -> impl Iterator<Item = Warning> {
        let headers = headers.get_all(WARNING).iter().filter_map(|value| value.to_str().ok());
        headers.flat_map(header::warnings)
    }
}

/// Takes the warnings that a server sends beside its responses, also beside failures and watches. The default logs each
/// at the level `warn`.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use klient_client::{Client, Config, WarningHandler, WarningWriterOptions};
///
/// # let server = klient_apiserver::TestServer::start().await?;
/// let mut config = Config::from_kubeconfig(&server.kubeconfig())?;
/// let options = WarningWriterOptions { deduplicate: true, color: false };
/// config.warnings = WarningHandler::writer(std::io::stderr(), options);
/// let client = Client::new(config)?;
/// # client.discovery().version().await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Default)]
pub struct WarningHandler(Kind);

#[derive(Clone, Default)]
enum Kind {
    #[default]
    Log,
    None,
    Callback(Arc<dyn Fn(&Warning) + Send + Sync>),
}

impl WarningHandler {
    /// Passes over all warnings (client-go's `NoWarnings`).
    pub fn none() -> Self {
        WarningHandler(Kind::None)
    }

    /// Logs each warning (client-go's `WarningLogger`); the default.
    pub fn log() -> Self {
        WarningHandler(Kind::Log)
    }

    /// Logs each message once, as far as this handler and its clones are concerned. It keeps all messages.
    pub fn log_once() -> Self {
        let seen = Seen::default();
        WarningHandler::callback(move |warning| {
            if seen.is_new(&warning.text) {
                log(warning);
            }
        })
    }

    /// Writes each warning as a line `Warning: …` (client-go's `NewWarningWriter`). Errors of the write are ignored.
    pub fn writer(out: impl Write + Send + 'static, options: WarningWriterOptions) -> Self {
        let (out, seen) = (Mutex::new(out), Seen::default());
        WarningHandler::callback(move |warning| {
            if options.deduplicate && !seen.is_new(&warning.text) {
                return;
            }
            let mut out = out.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = match options.color {
                true => writeln!(out, "\u{1b}[33;1mWarning:\u{1b}[0m {warning}"),
                false => writeln!(out, "Warning: {warning}"),
            };
        })
    }

    /// Collects warnings until they are taken.
    ///
    /// ```
    /// use klient_client::WarningHandler;
    ///
    /// let (handler, warnings) = WarningHandler::collector();
    /// # let _ = handler;
    /// assert!(warnings.take().is_empty());
    /// ```
    pub fn collector() -> (Self, Warnings) {
        let warnings = Warnings::default();
        let collecting = warnings.clone();
        (WarningHandler::callback(move |warning| collecting.all().push(warning.clone())), warnings)
    }

    /// Calls a function with each warning. It must not block.
    pub fn callback(handle: impl Fn(&Warning) + Send + Sync + 'static) -> Self {
        WarningHandler(Kind::Callback(Arc::new(handle)))
    }

    /// Takes the warnings of a response.
    pub(crate) fn handle(&self, headers: &HeaderMap) {
        match &self.0 {
            Kind::None => {}
            Kind::Log => Warning::of(headers).for_each(|warning| log(&warning)),
            Kind::Callback(handle) => Warning::of(headers).for_each(|warning| handle(&warning)),
        }
    }
}

impl fmt::Debug for WarningHandler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Kind::Log => "Log",
            Kind::None => "None",
            Kind::Callback(_) => "Callback",
        })
    }
}

fn log(warning: &Warning) {
    tracing::warn!("{warning}");
}

/// Options of [`WarningHandler::writer`] (client-go's `WarningWriterOptions`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WarningWriterOptions {
    /// Writes each message once. All messages are kept in memory.
    pub deduplicate: bool,
    /// Writes ANSI color codes.
    pub color: bool,
}

/// The warnings of a [`WarningHandler::collector`].
#[derive(Clone, Debug, Default)]
pub struct Warnings(Arc<Mutex<Vec<Warning>>>);

impl Warnings {
    /// Takes the warnings so far.
    pub fn take(&self) -> Vec<Warning> {
        std::mem::take(&mut *self.all())
    }

    fn all(&self) -> std::sync::MutexGuard<'_, Vec<Warning>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The messages that were handled.
#[derive(Default)]
struct Seen(Mutex<HashSet<String>>);

impl Seen {
    fn is_new(&self, text: &str) -> bool {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        !seen.contains(text) && seen.insert(text.to_owned())
    }
}
