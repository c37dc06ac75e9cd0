//! [`Error`], why a request came to nothing.

pub(crate) mod causes;
mod ignored;
pub(crate) mod not_sent;
pub(crate) mod proxy_error;
pub(crate) mod step_timeout;
mod untrusted;
pub(crate) mod wrong_scheme;

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use klient_apimachinery::codec::{DecodeError, Identity};
use klient_apimachinery::meta::Reason;
use klient_apimachinery::meta::v1::Status;

pub use ignored::IgnoreErrors;

use causes::{CauseText, causes};
use proxy_error::ProxyError;
use step_timeout::is_step_timeout;

use crate::priority_and_fairness::PriorityAndFairness;

/// An error of the client.
///
/// Its methods classify it: [`is_not_found`](Self::is_not_found), [`is_conflict`](Self::is_conflict),
/// [`retry_after`](Self::retry_after) …
///
/// # What it prints
///
/// `{error}` is complete: the request or file, the failure, and its causes down to the last. It holds no credentials of
/// the client; the message of a server's failure is printed as the server wrote it, and may quote the object that was
/// sent.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use klient_client::{Client, Config};
/// # use std::error::Error as _;
/// let client = Client::new(Config::from_url("http://127.0.0.1:1")?)?;
/// let error = client.discovery().version().await.unwrap_err();
/// let text = "GET http://127.0.0.1:1/version?timeout=32s: cannot connect: tcp connect error: Connection refused";
/// assert!(error.to_string().starts_with(text));
/// assert!(error.source().is_none() && error.cause().is_some());
/// # Ok(()) }
/// ```
///
/// [`source`](StdError::source) is `None` because `Display` already prints every cause: code that prints the chain,
/// such as `anyhow` by `{:#}` and `tracing` by `&dyn Error`, prints it once. To find a cause by its type, begin at
/// [`cause`](Self::cause).
pub struct Error(Box<Repr>);

struct Repr {
    kind: ErrorKind,
    /// The operation: `GET https://host/path`, or the file that was read.
    what: String,
    status: Option<Status>,
    retry_after: Option<Duration>,
    priority_and_fairness: Option<PriorityAndFairness>,
    cause: Option<Box<dyn StdError + Send + Sync>>,
}

/// The kind of an error, which decides whether a retry can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The configuration cannot be used. Trying again does not help.
    Config,
    /// Credentials could not be obtained or renewed: the request had no effect. Every verb can be retried.
    Auth,
    /// The request makes no sense, and was not sent. Trying again does not help.
    Request,
    /// No connection was made, so nothing was sent. Can be tried again for every verb, which does not help where the
    /// host's name or certificate is at fault.
    Connect,
    /// The connection failed or was closed before the response was complete. Can be tried again for verbs that only read.
    Connection,
    /// The time was up. Can be tried again for verbs that only read.
    Timeout,
    /// The server answered with a failure. It can be retried if the server names a delay ([`Error::retry_after`]).
    Status,
    /// The response cannot be decoded. Trying again does not help.
    Decode,
    /// The server does not serve the resource or kind. Trying again helps once it is installed.
    NoMatch,
    /// Files cannot be copied: one cannot be read or written here, or `tar` in the container failed.
    Copy,
    /// The server switched its connection, and refused what it is for: a port on which nothing listens, or a command that
    /// cannot be run. Trying again helps once the container has it.
    Refused,
    /// The connection to the server has as many streams as it can. Trying again helps when one of them has ended.
    Limit,
    /// A local address cannot be listened on, such as one in use. Trying again helps when it is free.
    Listen,
}

/// A cause that is only text.
#[derive(Debug)]
pub(crate) struct Problem(pub(crate) String);

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for Problem {}

/// The reason for which a string is no value of a type.
#[cfg(feature = "streams")]
#[derive(Debug)]
struct Invalid(String);

#[cfg(feature = "streams")]
impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(feature = "streams")]
impl StdError for Invalid {}

/// A command in a container that failed, as text and as its exit code.
#[cfg(feature = "streams")]
#[derive(Debug)]
pub(crate) struct Exited {
    pub(crate) problem: String,
    pub(crate) code: u8,
}

#[cfg(feature = "streams")]
impl fmt::Display for Exited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem)
    }
}

#[cfg(feature = "streams")]
impl StdError for Exited {}

/// The end of a connection that was switched, as text.
#[cfg(feature = "streams")]
#[derive(Debug)]
pub(crate) struct Broken(pub(crate) String);

#[cfg(feature = "streams")]
impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(feature = "streams")]
impl StdError for Broken {}

impl Error {
    pub(crate) fn new(
        kind: ErrorKind,
        what: impl Into<String>,
        cause: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Error(Box::new(Repr {
            kind,
            what: what.into(),
            status: None,
            retry_after: None,
            priority_and_fairness: None,
            cause: Some(cause.into()),
        }))
    }

    /// An error of the configuration: its source and the failure.
    pub(crate) fn config(what: impl Into<String>, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(ErrorKind::Config, what, cause)
    }

    /// An error of the request itself.
    pub(crate) fn request(what: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::new(ErrorKind::Request, what, Problem(problem.into()))
    }

    /// An error of a string that is no value of a type.
    #[cfg(feature = "streams")]
    pub(crate) fn invalid(what: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::new(ErrorKind::Request, what, Invalid(problem.into()))
    }

    pub(crate) fn decode(what: impl Into<String>, error: DecodeError) -> Self {
        Self::new(ErrorKind::Decode, what, error)
    }

    /// A failure that the server reports.
    pub(crate) fn status(what: impl Into<String>, status: Status, retry_after: Option<Duration>) -> Self {
        let retry_after = retry_after.or(status.retry_after());
        let what = what.into();
        Error(Box::new(Repr {
            kind: ErrorKind::Status,
            what,
            status: Some(status),
            retry_after,
            priority_and_fairness: None,
            cause: None,
        }))
    }

    /// The error with the classification of its request.
    pub(crate) fn with_priority_and_fairness(mut self, by: Option<PriorityAndFairness>) -> Self {
        self.0.priority_and_fairness = by;
        self
    }

    /// The error with another subject.
    #[cfg(feature = "streams")]
    pub(crate) fn about(mut self, what: impl Into<String>) -> Self {
        self.0.what = what.into();
        self
    }

    /// The kind of the error.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The operation: the request, as `GET https://host/path`, or the file that was read.
    pub fn subject(&self) -> &str {
        &self.0.what
    }

    /// The Status of the server, if it answered with a failure.
    pub fn as_status(&self) -> Option<&Status> {
        self.0.status.as_ref()
    }

    /// The reason the server gave, if it gave a known one.
    pub fn reason(&self) -> Option<Reason> {
        self.as_status()?.known_reason()
    }

    /// The HTTP status code of the server's answer, if it answered.
    pub fn code(&self) -> Option<u16> {
        self.as_status()?.code.and_then(|code| u16::try_from(code).ok())
    }

    /// Returns true if the same request may succeed in a moment: there was no answer, the server fails or has too much to
    /// do, or it does not have the version of a watch any more. A refusal stays one.
    pub fn is_transient(&self) -> bool {
        use ErrorKind::{Auth, Connect, Connection, Timeout};
        let may_pass = |code| code >= 500 || [410, 429].contains(&code);
        matches!(self.kind(), Auth | Connect | Connection | Timeout)
            || self.retry_after().is_some()
            || self.code().is_some_and(may_pass)
    }

    /// The delay after which the server asks for a retry.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The flow schema and priority level by which the server classified the request, if it answered with a failure and
    /// names them.
    pub fn priority_and_fairness(&self) -> Option<&PriorityAndFairness> {
        self.0.priority_and_fairness.as_ref()
    }

    /// Upstream goes by the reason, and by the code where there is none.
    fn is(&self, reason: Reason) -> bool {
        match self.reason() {
            Some(given) => given == reason,
            None => self.code() == Some(reason.code()) && !matches!(reason, Reason::AlreadyExists),
        }
    }

    /// The object or resource does not exist.
    pub fn is_not_found(&self) -> bool {
        self.is(Reason::NotFound)
    }

    /// An object of that name is there already.
    pub fn is_already_exists(&self) -> bool {
        self.is(Reason::AlreadyExists)
    }

    /// The object has changed since it was read, or a field belongs to another manager.
    pub fn is_conflict(&self) -> bool {
        self.is(Reason::Conflict)
    }

    /// The object breaks the rules of its kind; [`causes`](Self::causes) lists them.
    pub fn is_invalid(&self) -> bool {
        self.is(Reason::Invalid)
    }

    /// The server could not authenticate the client.
    pub fn is_unauthorized(&self) -> bool {
        self.is(Reason::Unauthorized)
    }

    /// The user is not allowed to do it.
    pub fn is_forbidden(&self) -> bool {
        self.is(Reason::Forbidden)
    }

    /// The request makes no sense to the server.
    pub fn is_bad_request(&self) -> bool {
        self.is(Reason::BadRequest)
    }

    /// The resource does not have the verb.
    pub fn is_method_not_allowed(&self) -> bool {
        self.is(Reason::MethodNotAllowed)
    }

    /// The server has none of the accepted media types.
    pub fn is_not_acceptable(&self) -> bool {
        self.is(Reason::NotAcceptable)
    }

    /// The server does not read the form the body is in.
    pub fn is_unsupported_media_type(&self) -> bool {
        self.is(Reason::UnsupportedMediaType)
    }

    /// The body is too large for the server.
    pub fn is_request_entity_too_large(&self) -> bool {
        self.is(Reason::RequestEntityTooLarge)
    }

    /// The resourceVersion or continue token is too old: list anew.
    pub fn is_expired(&self) -> bool {
        self.is(Reason::Expired) || self.is(Reason::Gone)
    }

    /// The resourceVersion has not been reached by the server that answered.
    pub fn is_too_large_resource_version(&self) -> bool {
        self.causes().any(|cause| cause.0 == "ResourceVersionTooLarge")
    }

    /// Too many requests at once; wait for [`retry_after`](Self::retry_after).
    pub fn is_too_many_requests(&self) -> bool {
        self.is(Reason::TooManyRequests)
    }

    /// Something broke inside the server.
    pub fn is_internal_error(&self) -> bool {
        self.is(Reason::InternalError)
    }

    /// The server is not ready.
    pub fn is_service_unavailable(&self) -> bool {
        self.is(Reason::ServiceUnavailable)
    }

    /// The time was up, here or in the server.
    pub fn is_timeout(&self) -> bool {
        self.0.kind == ErrorKind::Timeout
            || (matches!(self.0.kind, ErrorKind::Auth | ErrorKind::Connect)
                && self.cause().is_some_and(is_step_timeout))
            || self.is(Reason::Timeout)
            || self.reason() == Some(Reason::ServerTimeout)
    }

    /// The certificate of the server, or of a proxy, is not trusted: it is signed by an unknown authority, expired, or for
    /// another name. [`Tls`](crate::Tls) has the trusted authorities.
    pub fn is_untrusted(&self) -> bool {
        self.cause().is_some_and(untrusted::is_untrusted)
    }

    /// The URL of the proxy, without user and password, if the proxy is at fault: it cannot be reached, or does not
    /// connect to the server.
    pub fn proxy(&self) -> Option<&str> {
        let error = causes(self.cause()?).find_map(|cause| cause.downcast_ref::<ProxyError>())?;
        Some(&error.proxy)
    }

    /// The cause of the error; its [`source`](StdError::source) is the cause of that. Which types they have depends on the
    /// libraries beneath, of which an [`io::Error`](std::io::Error) is the one to rely on.
    pub fn cause(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.cause.as_ref().map(|cause| &**cause as _)
    }

    /// The exit code of the command in the container, of an error of kind [`Copy`](ErrorKind::Copy) whose `tar` failed.
    #[cfg(feature = "streams")]
    pub fn exit_code(&self) -> Option<u8> {
        self.cause()?.downcast_ref::<Exited>().map(|exited| exited.code)
    }

    /// The object that cannot be decoded. The other objects of a list or watch are not affected: the next call
    /// continues after it.
    pub fn undecodable_object(&self) -> Option<&Identity> {
        self.as_decode()?.object()
    }

    /// The decoding error, which names the field at fault; `None` if it was another error.
    pub fn as_decode(&self) -> Option<&DecodeError> {
        self.cause()?.downcast_ref()
    }

    /// The causes that the server gives: for each its reason, the field and the message.
    pub fn causes(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        let causes = self.as_status().map_or(&[][..], Status::causes);
        causes.iter().map(|cause| {
            (
                cause.reason.as_deref().unwrap_or_default(),
                cause.field.as_deref().unwrap_or_default(),
                cause.message.as_deref().unwrap_or_default(),
            )
        })
    }
}

/// An error of a Status, such as that in the last event of a watch.
///
/// ```
/// use klient_apimachinery::meta::{Reason, v1::Status};
/// let status = Status::failure(Reason::Expired, "too old resource version: 1 (23)");
/// assert!(klient_client::Error::from(status).is_expired());
/// ```
impl From<Status> for Error {
    fn from(status: Status) -> Self {
        Error::status("", status, None)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Repr { kind, what, status, cause, .. } = &*self.0;
        if let (ErrorKind::NoMatch, Some(no_match)) = (kind, cause) {
            return fmt::Display::fmt(no_match, f);
        }
        let refused;
        let text = match kind {
            ErrorKind::Copy => return write!(f, "cannot copy {what}{}", Cause(cause.as_deref())),
            ErrorKind::Listen => {
                let cause = Cause(cause.as_deref()).to_string();
                let cause = cause.split_once(" (os error ").map_or(&*cause, |(cause, _)| cause);
                return write!(f, "unable to listen on {what}{cause}");
            }
            ErrorKind::Config => "cannot be used",
            ErrorKind::Auth => "no credentials",
            ErrorKind::Request => "not sent",
            ErrorKind::Connect => "cannot connect",
            ErrorKind::Connection => "connection closed before the response was complete",
            ErrorKind::Timeout => "timed out",
            ErrorKind::Decode => "cannot decode the response",
            ErrorKind::NoMatch => "it is not served",
            ErrorKind::Refused => "refused",
            ErrorKind::Limit => "too many streams",
            ErrorKind::Status => {
                let message = status.as_ref().and_then(|status| status.message.as_deref());
                refused = refusal(status.as_ref().and_then(|status| status.code));
                message.filter(|message| !message.is_empty()).unwrap_or(&refused)
            }
        };
        f.write_str(what)?;
        if !cause.as_ref().is_some_and(|cause| is_complete(*kind, &**cause)) {
            f.write_str(if what.is_empty() { "" } else { ": " })?;
            f.write_str(text)?;
        }
        write!(f, "{}", Cause(cause.as_deref()))
    }
}

/// The text of a refusal without a message: `the server refused with 403 Forbidden`.
fn refusal(code: Option<i32>) -> String {
    let code = code.and_then(|code| http::StatusCode::from_u16(code.try_into().ok()?).ok());
    code.map_or("the server refused".to_owned(), |code| {
        let reason = code.canonical_reason().unwrap_or_default();
        format!("the server refused with {} {reason}", code.as_str()).trim_end().to_owned()
    })
}

/// A cause as the end of a message.
struct Cause<'a>(Option<&'a (dyn StdError + Send + Sync + 'static)>);

impl fmt::Display for Cause<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |cause| write!(f, ": {}", CauseText(cause)))
    }
}

/// Returns true for a cause that says by itself what the kind would: that of a connection which was switched, and thus has
/// no response.
fn is_complete(kind: ErrorKind, cause: &(dyn StdError + 'static)) -> bool {
    match kind {
        ErrorKind::Refused | ErrorKind::Limit => true,
        ErrorKind::Request => is_of_a_string(cause),
        ErrorKind::Connection | ErrorKind::Timeout => is_of_streams(cause),
        _ => false,
    }
}

#[cfg(feature = "streams")]
fn is_of_streams(cause: &(dyn StdError + 'static)) -> bool {
    cause.is::<klient_streams::Error>() || cause.is::<Broken>()
}

#[cfg(feature = "streams")]
fn is_of_a_string(cause: &(dyn StdError + 'static)) -> bool {
    cause.is::<Invalid>()
}

#[cfg(not(feature = "streams"))]
fn is_of_a_string(_: &(dyn StdError + 'static)) -> bool {
    false
}

#[cfg(not(feature = "streams"))]
fn is_of_streams(_: &(dyn StdError + 'static)) -> bool {
    false
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Its text holds the causes: see [`cause`](Error::cause).
impl StdError for Error {}
