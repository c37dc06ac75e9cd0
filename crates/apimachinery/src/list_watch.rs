//! [`ListWatch`], where the objects of a cache come from.

use std::error::Error as StdError;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::codec::Encoded;
use crate::meta::Reason;
use crate::meta::v1::{ListMeta, Status};
use crate::{ListOptions, ResourceInfo, WatchEvent, WatchOptions, WithCauses};

/// A future in a box.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Where the objects of one resource come from, in one namespace or all: a client's handle, or an API server's own
/// store. Objects stay encoded, so that whoever keeps them may leave them so.
pub trait ListWatch<K>: Send + Sync + 'static {
    /// What is listed.
    fn resource(&self) -> &ResourceInfo;

    /// The one namespace that is listed; `None` for all of them, and for what lives in none.
    fn within(&self) -> Option<&str>;

    /// Lists objects, one batch after another as they arrive.
    fn list<'a>(
        &'a self,
        options: &'a ListOptions,
    ) -> BoxFuture<'a, Result<Box<dyn Listing<K>>, SourceError>>;

    /// Follows changes as they are made.
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

/// A list that arrives. Dropping it ends the request.
pub trait Listing<K>: Send {
    /// Appends what has arrived to `out`, and waits for it if nothing has; false at the end. The future may be dropped
    /// and nothing is lost.
    fn next<'a>(&'a mut self, out: &'a mut Vec<Encoded<K>>) -> BoxFuture<'a, Result<bool, SourceError>>;

    /// What the list says of itself, at its end.
    fn metadata(&self) -> &ListMeta;
}

/// Changes as they are made. Dropping it ends the request.
pub trait Watching<K>: Send {
    /// Appends what has arrived to `out`, and waits for it if nothing has; false at the end. The future may be dropped
    /// and nothing is lost.
    fn next<'a>(
        &'a mut self,
        out: &'a mut Vec<WatchEvent<Encoded<K>>>,
    ) -> BoxFuture<'a, Result<bool, SourceError>>;
}

/// Gives a [`ListWatch`] for any resource: a client, or an API server.
pub trait Sources: Send + Sync + 'static {
    /// Where the objects of a resource come from, in one namespace or in all.
    fn list_watch<K: crate::codec::Wire + crate::Object>(
        &self,
        resource: &ResourceInfo,
        namespace: Option<&str>,
    ) -> Arc<dyn ListWatch<K>>;
}

/// Why a list or watch came to nothing.
#[derive(Clone)]
pub struct SourceError(Arc<Repr>);

struct Repr {
    kind: Kind,
    retry_after: Option<Duration>,
    source: Box<dyn StdError + Send + Sync>,
}

/// What is known of the trouble.
enum Kind {
    /// The server said so.
    Status(Box<Status>),
    /// No connection came about.
    Refused,
    /// No connection came about, since the server's certificate is not trusted.
    Untrusted,
    /// Another, which may pass.
    Transient,
    /// The answer cannot be understood.
    Unreadable,
}

impl SourceError {
    /// A failure the server tells of. The status may say after what time to ask again, where nothing else does.
    pub fn status(
        status: Status,
        retry_after: Option<Duration>,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        let retry_after = retry_after.or(status.retry_after());
        Self::new(Kind::Status(Box::new(status)), retry_after, source)
    }

    /// No connection came about.
    pub fn refused(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(Kind::Refused, None, source)
    }

    /// No connection came about, since the server's certificate is not trusted.
    pub fn untrusted(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(Kind::Untrusted, None, source)
    }

    /// A trouble that may pass, such as a connection that broke.
    pub fn transient(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(Kind::Transient, None, source)
    }

    /// An answer that cannot be understood.
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

    /// What the server said, if it answered with a failure.
    pub fn as_status(&self) -> Option<&Status> {
        match &self.0.kind {
            Kind::Status(status) => Some(status),
            _ => None,
        }
    }

    /// The HTTP status code of the server's answer, if it answered.
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

    /// After what time the server asks to be asked again.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The version to go on from is too old.
    pub fn is_expired(&self) -> bool {
        self.is(Reason::Expired) || self.is(Reason::Gone)
    }

    /// The version to go on from has not been reached by the server that answered. Servers before 1.17 say so in
    /// words only.
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

    /// Too many requests at once.
    pub fn is_too_many_requests(&self) -> bool {
        self.is(Reason::TooManyRequests)
    }

    /// Something broke inside the server.
    pub fn is_internal(&self) -> bool {
        self.is(Reason::InternalError)
    }

    /// No connection came about.
    pub fn is_refused(&self) -> bool {
        matches!(self.0.kind, Kind::Refused | Kind::Untrusted)
    }

    /// The answer cannot be understood.
    pub fn is_unreadable(&self) -> bool {
        matches!(self.0.kind, Kind::Unreadable)
    }

    /// The request will fail however often it is tried, until somebody changes something at the server or in the
    /// program: there is no such resource, it has no such verb, one may not use it, the request makes no sense to the
    /// server (400, 406, 415, 422), or its certificate is not trusted.
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

/// What a watch tells that it has failed with.
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

/// Its text is that of the error it was made of, and of the causes of that.
impl StdError for SourceError {}
