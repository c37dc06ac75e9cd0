//! [`ListWatch`], the source of a cache's objects.

use std::error::Error as StdError;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::codec::Encoded;
use crate::meta::Reason;
use crate::meta::v1::{ListMeta, Status};
use crate::{ListOptions, ResourceInfo, WatchEvent, WatchOptions, WithCauses};

/// A boxed future.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A source of the objects of one resource, in one namespace or in all: a client's handle, or an API server's own
/// store. Objects stay encoded, so that a cache can keep them so.
pub trait ListWatch<K>: Send + Sync + 'static {
    /// The resource that is listed.
    fn resource(&self) -> &ResourceInfo;

    /// The namespace that is listed; `None` for all namespaces, and for cluster-scoped resources.
    fn within(&self) -> Option<&str>;

    /// The URL of the server, without user and password, by which sources of different clusters can be told apart;
    /// `None`, the default, if the source has none.
    fn server(&self) -> Option<&str> {
        None
    }

    /// Lists objects, in batches as they arrive.
    fn list<'a>(
        &'a self,
        options: &'a ListOptions,
    ) -> BoxFuture<'a, Result<Box<dyn Listing<K>>, SourceError>>;

    /// Watches for changes.
    fn watch<'a>(
        &'a self,
        options: &'a WatchOptions,
    ) -> BoxFuture<'a, Result<Box<dyn Watching<K>>, SourceError>>;
}

impl<K, T: ListWatch<K> + ?Sized> ListWatch<K> for Arc<T> {
    fn resource(&self) -> &ResourceInfo {
        (**self).resource()
    }

    fn within(&self) -> Option<&str> {
        (**self).within()
    }

    fn server(&self) -> Option<&str> {
        (**self).server()
    }

    fn list<'a>(
        &'a self,
        options: &'a ListOptions,
    ) -> BoxFuture<'a, Result<Box<dyn Listing<K>>, SourceError>> {
        (**self).list(options)
    }

    fn watch<'a>(
        &'a self,
        options: &'a WatchOptions,
    ) -> BoxFuture<'a, Result<Box<dyn Watching<K>>, SourceError>> {
        (**self).watch(options)
    }
}

/// The response to a list request, as it arrives. Dropping it ends the request.
pub trait Listing<K>: Send {
    /// Appends the objects that have arrived to `out`, or waits for some; returns false at the end. Dropping the future
    /// loses nothing.
    fn next<'a>(&'a mut self, out: &'a mut Vec<Encoded<K>>) -> BoxFuture<'a, Result<bool, SourceError>>;

    /// The metadata of the list, complete at its end.
    fn metadata(&self) -> &ListMeta;
}

/// A watch. Dropping it ends the request.
pub trait Watching<K>: Send {
    /// Appends the events that have arrived to `out`, or waits for some; returns false at the end. Dropping the future
    /// loses nothing.
    fn next<'a>(
        &'a mut self,
        out: &'a mut Vec<WatchEvent<Encoded<K>>>,
    ) -> BoxFuture<'a, Result<bool, SourceError>>;
}

/// A source of [`ListWatch`]es for any resource: a client, or an API server.
pub trait Sources: Send + Sync + 'static {
    /// The source of a resource's objects, in one namespace or in all.
    fn list_watch<K: crate::codec::Wire + crate::Object>(
        &self,
        resource: &ResourceInfo,
        namespace: Option<&str>,
    ) -> Arc<dyn ListWatch<K>>;
}

/// A failure of a list or watch.
#[derive(Clone)]
pub struct SourceError(Arc<Repr>);

struct Repr {
    kind: Kind,
    retry_after: Option<Duration>,
    source: Box<dyn StdError + Send + Sync>,
}

/// The category of a failure.
enum Kind {
    /// The server answered with a failure.
    Status(Box<Status>),
    /// No connection was made.
    Refused,
    /// No connection was made, since the server's certificate is not trusted.
    Untrusted,
    /// A transient failure.
    Transient,
    /// The response cannot be decoded.
    Unreadable,
}

impl SourceError {
    /// A failure that the server reported. `retry_after` is the server's `Retry-After`; without it the status may have
    /// one.
    pub fn status(
        status: Status,
        retry_after: Option<Duration>,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        let retry_after = retry_after.or(status.retry_after());
        Self::new(Kind::Status(Box::new(status)), retry_after, source)
    }

    /// No connection was made.
    pub fn refused(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(Kind::Refused, None, source)
    }

    /// No connection was made, since the server's certificate is not trusted.
    pub fn untrusted(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(Kind::Untrusted, None, source)
    }

    /// A transient failure, such as a closed connection.
    pub fn transient(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(Kind::Transient, None, source)
    }

    /// A response that cannot be decoded.
    pub fn unreadable(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(Kind::Unreadable, None, source)
    }

    fn new(
        kind: Kind,
        retry_after: Option<Duration>,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        SourceError(Arc::new(Repr { kind, retry_after, source: source.into() }))
    }

    /// The status in the server's response, if it reported a failure.
    pub fn as_status(&self) -> Option<&Status> {
        match &self.0.kind {
            Kind::Status(status) => Some(status),
            _ => None,
        }
    }

    /// The HTTP status code of the response, if there was one.
    pub fn code(&self) -> Option<u16> {
        self.as_status()?.code.and_then(|code| u16::try_from(code).ok())
    }

    fn is(&self, reason: Reason) -> bool {
        match self.as_status().map(Status::known_reason) {
            None => false,
            Some(Some(given)) => given == reason,
            Some(None) => self.code() == Some(reason.code()),
        }
    }

    /// The time after which the server asks for another attempt.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Returns true if the resourceVersion or continue token is too old.
    pub fn is_expired(&self) -> bool {
        self.is(Reason::Expired) || self.is(Reason::Gone)
    }

    /// Returns true if the server has not reached the resourceVersion yet. Servers before 1.17 say so in the message
    /// only.
    pub fn is_too_large_version(&self) -> bool {
        self.as_status().is_some_and(|status| {
            status.causes().iter().any(|cause| cause.reason.as_deref() == Some("ResourceVersionTooLarge"))
                || (self.is(Reason::Timeout)
                    && status
                        .message
                        .as_deref()
                        .is_some_and(|text| text.contains("Too large resource version")))
        })
    }

    /// Returns true if the server limits the rate of requests.
    pub fn is_too_many_requests(&self) -> bool {
        self.is(Reason::TooManyRequests)
    }

    /// Returns true for an internal error of the server.
    pub fn is_internal(&self) -> bool {
        self.is(Reason::InternalError)
    }

    /// Returns true if no connection was made.
    pub fn is_refused(&self) -> bool {
        matches!(self.0.kind, Kind::Refused | Kind::Untrusted)
    }

    /// Returns true if the response cannot be decoded.
    pub fn is_unreadable(&self) -> bool {
        matches!(self.0.kind, Kind::Unreadable)
    }

    /// Returns true if the request will fail however often it is tried, until something changes at the server or in the
    /// program: there is no such resource, it has no such verb, the user may not use it, the request makes no sense to
    /// the server (400, 406, 415, 422), or its certificate is not trusted.
    pub fn is_permanent(&self) -> bool {
        matches!(self.0.kind, Kind::Untrusted)
            || [
                Reason::BadRequest,
                Reason::Unauthorized,
                Reason::Forbidden,
                Reason::NotFound,
                Reason::MethodNotAllowed,
                Reason::NotAcceptable,
                Reason::UnsupportedMediaType,
                Reason::Invalid,
            ]
            .into_iter()
            .any(|reason| self.is(reason))
    }
}

/// The status of a watch's `ERROR` event.
impl From<Status> for SourceError {
    fn from(status: Status) -> Self {
        let text = status.message.as_deref().unwrap_or("the watch failed").to_owned();
        SourceError::status(status, None, text)
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", WithCauses(&*self.0.source))
    }
}

impl fmt::Debug for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The message includes that of the source and of its causes.
impl StdError for SourceError {}
