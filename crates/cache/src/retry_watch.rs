//! [`RetryWatch`], a watch that survives broken connections.
//!
//! - *complete*: every change after the start version comes, once and in order, however often the connection
//!   breaks;
//! - *resumable*: [`RetryWatch::resource_version`] is the version to continue from later;
//! - *explicit*: it ends when the server no longer has the version to continue from. An
//!   [`Informer`](crate::Informer) recovers from that by a new list.

mod options;
mod session;

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use klient_apimachinery::codec::{Encoded, Wire};
use klient_apimachinery::meta::Reason;
use klient_apimachinery::meta::v1::Status;
use klient_apimachinery::{
    BoxFuture, ListWatch, Object, ResourceInfo, SourceError, Str, WatchEvent, WatchOptions,
};

use crate::error::Error;
pub use options::RetryWatchOptions;
use session::{Session, SessionEvent};

/// An upper bound for delays and the server's `Retry-After`.
const MAX_DELAY: Duration = Duration::from_secs(24 * 3600);

/// A watch that restarts at the last version when it breaks, as a stream of events (client-go's
/// `RetryWatcher`). Dropping it ends the watch.
///
/// Events are decoded, as those of the client's own watch. Bookmarks are not returned; they advance
/// [`resource_version`](Self::resource_version).
///
/// The stream ends
/// - after [`WatchEvent::Error`] with code 410, because the server no longer has the version to continue
///   from;
/// - after an error, if the server refuses the request (400, 401, 403 or 405) or sends an object without a
///   readable resourceVersion, so that the version to continue from is unknown.
///
/// An object that cannot be decoded is an error that [names it](Error::undecodable_object), and the watch
/// continues.
///
/// All other failures are retried, not before the server's `Retry-After`, and are available as
/// [`last_error`](Self::last_error). A 410 that answers the request itself is retried too, as in client-go:
/// API servers report an expired version within the watch, and a proxy in between may be wrong.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use klient_api::core::v1::Namespace;
/// use klient_apimachinery::{WatchEvent, meta::v1::ObjectMeta};
/// use klient_cache::RetryWatch;
/// use klient_client::{Client, Config, ListOptions};
///
/// let server = klient_apiserver::TestServer::start().await?;
/// let namespaces = Client::new(Config::from_kubeconfig(&server.kubeconfig())?)?.api::<Namespace>();
///
/// let listed = namespaces.list(&ListOptions::default()).await?;
/// let mut watch = RetryWatch::new(namespaces.clone(), listed.resource_version(), Default::default())?;
/// let shop = ObjectMeta::named("shop");
/// namespaces.create(&Namespace { metadata: shop, ..Default::default() }).await?;
/// let Some(Ok(WatchEvent::Added(shop))) = watch.next().await else { panic!("something else happened") };
/// assert_eq!(shop.metadata.resource_version.as_deref(), Some(watch.resource_version()));
/// # Ok(()) }
/// ```
#[doc(alias = "RetryWatcher")]
pub struct RetryWatch<K> {
    source: Arc<dyn ListWatch<K>>,
    options: RetryWatchOptions,
    /// The version of the last event or bookmark taken.
    version: Str,
    /// Events received and not taken.
    arrived: VecDeque<WatchEvent<Encoded<K>>>,
    session: Option<Session<K>>,
    reading: Option<BoxFuture<'static, (Session<K>, SessionEvent<K>)>>,
    last_error: Option<Error>,
    /// The number of failures since the last event.
    failures: u32,
    has_ended: bool,
}

impl<K: Wire + Object> RetryWatch<K> {
    /// A watch of the changes after a version, that of a list or a saved one.
    ///
    /// # Errors
    ///
    /// If the version is empty or `0`: such a watch begins with objects in no particular order, and cannot be
    /// resumed.
    pub fn new(
        source: impl ListWatch<K>,
        resource_version: &str,
        options: RetryWatchOptions,
    ) -> Result<Self, Error> {
        if matches!(resource_version, "" | "0") {
            return Err(Error::invalid_version(
                source.resource(),
                resource_version,
                "to watch from: take that of a list",
            ));
        }
        Ok(RetryWatch {
            source: Arc::new(source),
            options,
            version: resource_version.into(),
            arrived: VecDeque::new(),
            session: Some(Session::new()),
            reading: None,
            last_error: None,
            failures: 0,
            has_ended: false,
        })
    }

    /// The resource that is watched.
    pub fn resource(&self) -> &ResourceInfo {
        self.source.resource()
    }

    /// The version up to which all changes were returned. Another watch from there misses and repeats
    /// nothing.
    pub fn resource_version(&self) -> &str {
        &self.version
    }

    /// The last failure, if nothing has succeeded since.
    pub fn last_error(&self) -> Option<&Error> {
        self.last_error.as_ref()
    }

    /// Waits for the next event; `None` at the end. Cancel safe.
    pub async fn next(&mut self) -> Option<Result<WatchEvent<K>, Error>> {
        poll_fn(|context| self.poll(context)).await
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<WatchEvent<K>, Error>>> {
        loop {
            if self.has_ended {
                return Poll::Ready(None);
            }
            while let Some(event) = self.arrived.pop_front() {
                if let Some(event) = self.decode_event(event) {
                    return Poll::Ready(Some(event));
                }
            }
            let mut reading = match (self.reading.take(), self.session.take()) {
                (Some(reading), _) => reading,
                (None, Some(session)) => Box::pin(session.read(self.source.clone(), self.watch_options())),
                (None, None) => return Poll::Ready(None),
            };
            let Poll::Ready((session, event)) = reading.as_mut().poll(context) else {
                self.reading = Some(reading);
                return Poll::Pending;
            };
            self.session = Some(session);
            match event {
                SessionEvent::Started => self.last_error = None,
                SessionEvent::Arrived(events) => self.arrived.extend(events),
                SessionEvent::Ended => {
                    self.failures = 0;
                    self.restart(None, false);
                }
                SessionEvent::NotStarted(error) if is_final(&error) => {
                    return Poll::Ready(Some(self.end(error)));
                }
                SessionEvent::Broken(error) if error.is_expired() => {
                    let status = error.as_status().cloned().unwrap_or_default();
                    self.has_ended = true;
                    return Poll::Ready(Some(Ok(WatchEvent::Error(Box::new(status)))));
                }
                SessionEvent::NotStarted(error) | SessionEvent::Broken(error) => {
                    self.restart(error.retry_after(), true);
                    self.record_error(error);
                }
            }
        }
    }

    fn watch_options(&self) -> WatchOptions {
        WatchOptions {
            label_selector: self.options.label_selector.clone(),
            field_selector: self.options.field_selector.clone(),
            managed_fields: self.options.managed_fields,
            resource_version: Some(self.version.clone()),
            allow_bookmarks: true,
            ..WatchOptions::default()
        }
    }

    /// Decodes an event; `None` if it only advances the version or restarts the watch.
    fn decode_event(&mut self, event: WatchEvent<Encoded<K>>) -> Option<Result<WatchEvent<K>, Error>> {
        let event = match event {
            WatchEvent::Bookmark(bookmark) => {
                return self.advance(&bookmark.resource_version, || "a bookmark".into());
            }
            WatchEvent::Error(status) => return self.handle_error_event(status),
            event => {
                let resource = self.source.resource();
                let decoded = event.try_map(|object| {
                    let decoded = object.decode_as(resource);
                    decoded.map_err(|problem| Box::new((object.identity(), problem)))
                });
                match decoded {
                    Ok(event) => event,
                    Err(undecodable) => {
                        let (object, problem) = *undecodable;
                        if object.resource_version.is_empty() {
                            return Some(self.end(SourceError::unreadable(problem)));
                        }
                        let version = object.resource_version.clone();
                        let error = Error::undecodable(resource, object, &problem);
                        return self.advance(&version, String::new).or(Some(Err(error)));
                    }
                }
            }
        };
        let key = || match &event {
            WatchEvent::Added(object) | WatchEvent::Modified(object) | WatchEvent::Deleted(object) => {
                crate::ObjectKey::of(object).to_string()
            }
            _ => String::new(),
        };
        self.advance(event.resource_version(), key).or_else(|| Some(Ok(event)))
    }

    /// Advances the version; an event without one ends the stream.
    fn advance(
        &mut self,
        version: &str,
        object: impl FnOnce() -> String,
    ) -> Option<Result<WatchEvent<K>, Error>> {
        if version.is_empty() {
            self.has_ended = true;
            return Some(Err(Error::missing_version(self.source.resource(), &object())));
        }
        self.version = version.into();
        self.failures = 0;
        None
    }

    /// Ends the stream or restarts the watch after a failure reported by the watch.
    fn handle_error_event(&mut self, status: Box<Status>) -> Option<Result<WatchEvent<K>, Error>> {
        let error = SourceError::from((*status).clone());
        if error.is_expired() || error.code() == Some(Reason::Gone.code()) {
            self.has_ended = true;
            return Some(Ok(WatchEvent::Error(status)));
        }
        self.restart(error.retry_after(), true);
        self.record_error(error);
        None
    }

    /// Restarts the watch at the last version after a delay.
    fn restart(&mut self, wait: Option<Duration>, has_failed: bool) {
        self.arrived.clear();
        let chance = if has_failed { fastrand::f64() } else { 0.0 };
        let delay = self.options.min_restart_delay.min(MAX_DELAY).mul_f64(1.0 + chance);
        if let Some(session) = &mut self.session {
            session.restart(delay, wait.unwrap_or_default().min(MAX_DELAY));
        }
    }

    fn record_error(&mut self, error: SourceError) {
        self.failures += 1;
        let was_cut = error.code().is_none() && !error.is_refused() && !error.is_unreadable();
        let is_usual = error.is_expired() || was_cut;
        let error = self.error(error);
        if is_usual || self.failures > 1 {
            tracing::debug!("{error:?}");
        } else {
            tracing::warn!("{error:?}");
        }
        self.last_error = Some(error);
    }

    fn end(&mut self, error: SourceError) -> Result<WatchEvent<K>, Error> {
        self.has_ended = true;
        Err(self.error(error))
    }

    pub(crate) fn error(&self, error: SourceError) -> Error {
        Error::source_failed(self.source.resource(), self.source.within(), self.failures, error)
    }
}

/// Returns true if the same request would get the same answer.
fn is_final(error: &SourceError) -> bool {
    [Reason::BadRequest, Reason::Unauthorized, Reason::Forbidden, Reason::MethodNotAllowed]
        .into_iter()
        .any(|reason| error.code() == Some(reason.code()))
}

impl<K: Wire + Object> Stream for RetryWatch<K> {
    type Item = Result<WatchEvent<K>, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll(context)
    }
}

impl<K: 'static> fmt::Debug for RetryWatch<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RetryWatch({:?} from {})", self.source.resource(), self.version)
    }
}
