//! [`Error`], the error of this crate.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use klient_apimachinery::WithCauses;
use klient_client::BoxError;

/// An error of a server of webhooks, of its certificates or of its configurations.
///
/// `{error}` is complete: it names the webhook, address, file or object, the failure and its causes. They are therefore no
/// [`source`](StdError::source); [`cause`](Self::cause) has the cause. What goes wrong in a call of a webhook is told to the
/// API server.
#[derive(Clone)]
pub struct Error(Arc<Repr>);

struct Repr {
    kind: ErrorKind,
    what: String,
    cause: Option<BoxError>,
}

/// The kind of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Webhooks that cannot be served together, or whose names or options a server would refuse.
    Webhooks,
    /// The server cannot listen on its address.
    Listen,
    /// A certificate or its key cannot be read or made.
    Certificate,
    /// A request to the API server failed: see [`Error::request_error`].
    Request,
}

impl Error {
    pub(crate) fn webhooks(problem: impl Into<String>) -> Self {
        Error(Arc::new(Repr { kind: ErrorKind::Webhooks, what: problem.into(), cause: None }))
    }

    pub(crate) fn caused(kind: ErrorKind, what: impl Into<String>, cause: impl Into<BoxError>) -> Self {
        Error(Arc::new(Repr { kind, what: what.into(), cause: Some(cause.into()) }))
    }

    /// The kind of the error.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The error of the client, if the API server refused a request or could not be reached.
    pub fn request_error(&self) -> Option<&klient_client::Error> {
        self.cause()?.downcast_ref()
    }

    /// The cause, which `Display` has already printed.
    pub fn cause(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.cause.as_deref().map(|cause| cause as _)
    }
}

/// The certificate of a server cannot be used.
impl From<klient_certificate::Error> for Error {
    fn from(error: klient_certificate::Error) -> Self {
        Error(Arc::new(Repr { kind: ErrorKind::Certificate, what: error.to_string(), cause: None }))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.what)?;
        match self.cause() {
            Some(cause) => write!(f, ": {}", WithCauses(cause)),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({:?}: {self})", self.0.kind)
    }
}

/// Its source is `None`, because `Display` prints every cause.
impl StdError for Error {}
