//! [`Error`], the failure of a request for a certificate, of a store or of a certificate.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use klient_apimachinery::WithCauses;
use klient_client::BoxError;

/// An error of a certificate, of a request for one, or of a store.
///
/// `{error}` is complete: it names the CertificateSigningRequest, the signer or the file, the failure and its causes,
/// and what to do. It has no part of a private key.
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
    /// A certificate or a key cannot be read, or they do not belong together.
    Certificate,
    /// The names or the usages of a request cannot be used.
    Template,
    /// A store cannot be read or written.
    Store,
    /// The server refused a request, or could not be reached: see [`Error::request_error`].
    Request,
    /// The CertificateSigningRequest was denied.
    Denied,
    /// The signer did not issue the certificate: the CertificateSigningRequest has the condition `Failed`.
    Failed,
    /// The CertificateSigningRequest was deleted, or replaced by another of its name.
    Deleted,
    /// The CertificateSigningRequest was not approved and signed in time.
    Timeout,
    /// The manager has stopped, with the runtime that it was started on.
    Stopped,
}

impl Error {
    fn new(kind: ErrorKind, what: impl Into<String>, cause: Option<BoxError>) -> Self {
        Error(Arc::new(Repr { kind, what: what.into(), cause }))
    }

    /// An error of a store: the file or object, and the failure. Stores of your own return it.
    pub fn store(what: impl Into<String>, cause: impl Into<BoxError>) -> Self {
        Self::new(ErrorKind::Store, what, Some(cause.into()))
    }

    pub(crate) fn certificate(what: impl Into<String>, problem: impl Into<BoxError>) -> Self {
        Self::new(ErrorKind::Certificate, what, Some(problem.into()))
    }

    pub(crate) fn template(problem: impl Into<String>) -> Self {
        Self::new(ErrorKind::Template, problem, None)
    }

    pub(crate) fn request(what: impl Into<String>, cause: impl Into<BoxError>) -> Self {
        Self::new(ErrorKind::Request, what, Some(cause.into()))
    }

    pub(crate) fn denied(request: &str, reason: &str, message: &str) -> Self {
        let what = format!("{request} was denied: {}", condition(reason, message));
        Self::new(ErrorKind::Denied, what, None)
    }

    pub(crate) fn failed(request: &str, reason: &str, message: &str) -> Self {
        let what = format!("{request} failed: {}", condition(reason, message));
        Self::new(ErrorKind::Failed, what, None)
    }

    pub(crate) fn deleted(request: &str) -> Self {
        let what = format!("{request} was deleted before the certificate was issued");
        Self::new(ErrorKind::Deleted, what, None)
    }

    pub(crate) fn not_approved(request: &str, name: &str, limit: Duration) -> Self {
        let what = format!(
            "{request} was not approved within {limit:?}: approve it with `kubectl certificate approve {name}`, or run an approver"
        );
        Self::new(ErrorKind::Timeout, what, None)
    }

    pub(crate) fn not_signed(request: &str, limit: Duration) -> Self {
        let what = format!(
            "{request} was approved, and the signer issued no certificate within {limit:?}: check that it runs"
        );
        Self::new(ErrorKind::Timeout, what, None)
    }

    pub(crate) fn stopped() -> Self {
        Self::new(
            ErrorKind::Stopped,
            "the certificate manager has stopped with the runtime that it was started on",
            None,
        )
    }

    /// The kind of the error.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The error of the client, if the server refused a request or could not be reached.
    pub fn request_error(&self) -> Option<&klient_client::Error> {
        self.cause()?.downcast_ref()
    }

    /// The cause, which `Display` has already printed.
    pub fn cause(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.cause.as_deref().map(|cause| cause as _)
    }

    /// Returns true if trying again does not help until something is changed: at the server, in the store or in the
    /// program.
    pub fn is_permanent(&self) -> bool {
        use ErrorKind::{Certificate, Deleted, Denied, Failed, Request, Stopped, Store, Template, Timeout};
        match self.0.kind {
            Certificate | Template | Store | Denied | Failed | Stopped => true,
            Deleted | Timeout => false,
            Request => {
                let wait = self.cause().and_then(|cause| cause.downcast_ref::<klient_cache::Error>());
                self.request_error().is_some_and(is_permanent)
                    || wait.is_some_and(klient_cache::Error::is_permanent)
            }
        }
    }
}

fn is_permanent(error: &klient_client::Error) -> bool {
    use klient_client::ErrorKind::{Config, Request};
    matches!(error.kind(), Config | Request)
        || matches!(error.code(), Some(400 | 401 | 403 | 404 | 405 | 406 | 415 | 422))
        || error.is_untrusted()
}

/// The reason and the message of a condition, of which either may be missing.
fn condition(reason: &str, message: &str) -> String {
    match (reason, message) {
        ("", "") => "the condition has no reason and no message".to_owned(),
        (text, "") | ("", text) => text.to_owned(),
        (reason, message) => format!("{reason}: {message}"),
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
