//! [`Error`], the error of this crate.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use klient_client::BoxError;

use crate::terminal_error::TerminalError;

/// An error of this crate.
///
/// `{error}` is complete: the object, the failure, its causes and the remedy. They are therefore no
/// [`source`](StdError::source); [`cause`](Self::cause) has the cause.
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
    /// A request failed: see [`Error::request_error`].
    Request,
    /// The name of a finalizer is not qualified.
    FinalizerName,
    /// The object does not come from a server: it has no uid.
    NoUid,
    /// An object that is to be waited for has no name.
    NoName,
    /// The owner cannot own the object: the garbage collector would delete it.
    Owner,
    /// The object is controlled by another owner.
    AlreadyOwned,
    /// A function that changes an object has changed its name or namespace.
    NameChanged,
    /// The object was deleted, and another of its name may exist.
    Replaced,
    /// A condition was not met in time.
    Timeout,
    /// A condition cannot be met any more, such as that of a failed job.
    Condition,
    /// A controller cannot fill its caches, such as one without the right to list, or has not filled them in time.
    Sync,
    /// An informer of a controller that runs was stopped, or its factory shut down.
    InformerStopped,
    /// Reconciles had not ended some time after the shutdown, and were cancelled. Those that block their threads run on.
    Shutdown,
    /// A configuration cannot be used.
    Config,
    /// A leader has not renewed its Lease: see [`leader_election`](crate::leader_election).
    LeaseExpired,
    /// An error of the program, made by [`Error::other`].
    Other,
}

impl Error {
    /// An error with a cause of your own, for functions that change objects.
    pub fn other(cause: impl Into<BoxError>) -> Self {
        Error(Arc::new(Repr { kind: ErrorKind::Other, what: String::new(), cause: Some(cause.into()) }))
    }

    pub(crate) fn new(kind: ErrorKind, what: impl Into<String>) -> Self {
        Error(Arc::new(Repr { kind, what: what.into(), cause: None }))
    }

    /// An error whose text ends with its cause.
    pub(crate) fn caused(kind: ErrorKind, what: impl Into<String>, cause: impl Into<BoxError>) -> Self {
        Error(Arc::new(Repr { kind, what: what.into(), cause: Some(cause.into()) }))
    }

    /// The kind of the error.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The error of the request, if one failed. That of a cache or a watch is in the [`cache_error`](Self::cache_error).
    pub fn request_error(&self) -> Option<&klient_client::Error> {
        self.cause()?.downcast_ref()
    }

    /// The object has changed since it was read, as often as it was read again.
    pub fn is_conflict(&self) -> bool {
        self.request_error().is_some_and(klient_client::Error::is_conflict)
    }

    /// The object does not exist.
    pub fn is_not_found(&self) -> bool {
        self.request_error().is_some_and(klient_client::Error::is_not_found)
    }

    /// The error of the cache, if one cannot be filled, or of a watch that the server refused.
    pub fn cache_error(&self) -> Option<&klient_cache::Error> {
        self.cause()?.downcast_ref()
    }

    /// The cause of the error.
    pub fn cause(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.cause.as_ref().map(|cause| &**cause as _)
    }
}

impl From<klient_client::Error> for Error {
    fn from(error: klient_client::Error) -> Self {
        Error(Arc::new(Repr { kind: ErrorKind::Request, what: String::new(), cause: Some(Box::new(error)) }))
    }
}

impl From<klient_cache::Error> for Error {
    fn from(error: klient_cache::Error) -> Self {
        Error(Arc::new(Repr { kind: ErrorKind::Request, what: String::new(), cause: Some(Box::new(error)) }))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Repr { what, cause, .. } = &*self.0;
        f.write_str(what)?;
        match cause {
            Some(_) if !what.is_empty() => f.write_str(": ")?,
            _ => {}
        }
        match cause {
            Some(cause) => klient_apimachinery::WithCauses(&**cause).fmt(f),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Its text holds the causes: see [`cause`](Error::cause).
impl StdError for Error {
    /// The mark of a [`TerminalError`](crate::TerminalError), if that is a cause.
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        TerminalError::mark_of(self.cause()?)
    }
}

impl From<TerminalError> for Error {
    fn from(error: TerminalError) -> Self {
        Error::other(error)
    }
}

#[test]
fn a_terminal_error_is_found_among_causes() {
    #[derive(Debug)]
    struct Wrapped(TerminalError);

    impl fmt::Display for Wrapped {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("the specification")
        }
    }

    impl StdError for Wrapped {
        fn source(&self) -> Option<&(dyn StdError + 'static)> {
            Some(&self.0)
        }
    }

    /// An error that is `transparent` in the words of thiserror, or a box of anyhow.
    #[derive(Debug)]
    struct Transparent(Box<dyn StdError>);

    impl fmt::Display for Transparent {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.fmt(f)
        }
    }

    impl StdError for Transparent {
        fn source(&self) -> Option<&(dyn StdError + 'static)> {
            self.0.source()
        }
    }

    let terminal = || TerminalError::new("replicas is negative");
    let transparent = |error: Box<dyn StdError>| Box::new(Transparent(error)) as Box<dyn StdError>;
    let [found, other]: [&[Box<dyn StdError>]; 2] = [
        &[
            terminal().into(),
            Wrapped(terminal()).into(),
            Error::from(terminal()).into(),
            Error::other(Wrapped(terminal())).into(),
            transparent(terminal().into()),
            transparent(transparent(Wrapped(terminal()).into())),
            transparent(Error::from(terminal()).into()),
            transparent(Error::other(Wrapped(terminal())).into()),
        ],
        &[
            "replicas is negative".into(),
            Error::other("replicas is negative").into(),
            transparent(Error::other("replicas is negative").into()),
        ],
    ];
    assert!(found.iter().all(|error| TerminalError::is_in(&**error)));
    assert!(!other.iter().any(|error| TerminalError::is_in(&**error)));
}
