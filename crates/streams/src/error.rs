//! [`Error`], the failure of a connection, of a stream or of what runs behind it.

use std::error::Error as StdError;
use std::fmt;
use std::io;

use klient_apimachinery::meta::v1::Status;

/// Any error, as programs return it.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// An error of a streaming connection. `{error}` is complete: it prints its causes, and [`source`](StdError::source) is
/// `None`, so that code that prints the chain prints each once.
#[derive(Clone)]
pub struct Error(Box<Repr>);

#[derive(Clone)]
struct Repr {
    kind: ErrorKind,
    message: String,
    status: Option<Status>,
    exit_code: Option<u8>,
}

/// The kind of an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The connection broke, or ended before the result was there. What ran at the other end may have done its work.
    Connection,
    /// The peer violated the protocol, and the connection is closed.
    Protocol,
    /// The peer did not answer in time.
    Timeout,
    /// The peer refused the stream or the command, or could not run it.
    Refused,
    /// The connection has as many streams as it can. Another one can be opened when one of them has ended.
    Limit,
    /// The command ran, and its exit code is not zero.
    ExitCode,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error(Box::new(Repr { kind, message: message.into(), status: None, exit_code: None }))
    }

    pub(crate) fn connection(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Connection, message)
    }

    pub(crate) fn protocol(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Protocol, message)
    }

    pub(crate) fn timeout(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Timeout, message)
    }

    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Refused, message)
    }

    pub(crate) fn limit(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Limit, message)
    }

    /// A refusal with a `Status`, of the kind [`ErrorKind::Refused`]. As the error of a command, it is what
    /// [`serve`](crate::remote_command::serve) tells the client, word for word.
    pub fn of_status(status: Status) -> Self {
        let message = status.message.as_deref().unwrap_or("the server gives no reason").to_owned();
        Error(Box::new(Repr { kind: ErrorKind::Refused, message, status: Some(status), exit_code: None }))
    }

    pub(crate) fn of_exit_code(code: u8) -> Self {
        let message = format!("command terminated with exit code {code}");
        Error(Box::new(Repr { kind: ErrorKind::ExitCode, message, status: None, exit_code: Some(code) }))
    }

    /// The error that a read or a write of a stream returned, if it is one of the connection or its peer.
    pub fn of(error: &io::Error) -> Option<&Error> {
        error.get_ref()?.downcast_ref()
    }

    /// The error of a stream, or of the connection below it.
    pub(crate) fn of_io(error: &io::Error) -> Self {
        match Self::of(error) {
            Some(error) => error.clone(),
            // The text of TLS for an end without its alert has a link to its documentation.
            None if error.kind() == io::ErrorKind::UnexpectedEof => Self::unexpected_end(),
            None => Self::connection(format!("the connection broke: {error}")),
        }
    }

    /// The error of a connection that the peer ended without a word.
    pub(crate) fn unexpected_end() -> Self {
        Self::connection("the connection broke: unexpected EOF")
    }

    /// The error with what it happened to in front of its message, if it is one of the connection.
    pub(crate) fn of_connection_to(mut self, what: &str) -> Self {
        let is_of_connection =
            matches!(self.0.kind, ErrorKind::Connection | ErrorKind::Protocol | ErrorKind::Timeout);
        if is_of_connection && !what.is_empty() {
            self.0.message = format!("{what}: {}", self.0.message);
        }
        self
    }

    /// The error as that of a read or write.
    pub(crate) fn into_io(self, kind: io::ErrorKind) -> io::Error {
        io::Error::new(kind, self)
    }

    /// The kind.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The `Status` with which the peer refused, if it sent one.
    pub fn as_status(&self) -> Option<&Status> {
        self.0.status.as_ref()
    }

    /// The exit code of the command, of an error of the kind [`ErrorKind::ExitCode`].
    pub fn exit_code(&self) -> Option<u8> {
        self.0.exit_code
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error").field("kind", &self.0.kind).field("message", &self.0.message).finish()
    }
}

impl StdError for Error {}
