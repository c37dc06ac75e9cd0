//! [`RetryWatch`], a watch that goes on where it was cut.
//!
//! - *all of it*: every change behind the version it began at comes, once and in order, however often the connection
//!   breaks;
//! - *resumable*: [`RetryWatch::resource_version`] says where it stands, for a program that goes on there later;
//! - *honest*: it ends when the server no longer has the version to go on from. Only an
//!   [`Informer`](crate::Informer), which lists anew, gets over that.

mod session;

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use klient_apimachinery::codec::{Encoded, ManagedFields, Wire};
use klient_apimachinery::meta::Reason;
use klient_apimachinery::meta::v1::Status;
use klient_apimachinery::{
    BoxFuture, ListWatch, Object, ResourceInfo, SourceError, Str, WatchEvent, WatchOptions,
};

use crate::error::Error;
use session::{Session, SessionEvent};

/// However long a server asks to be left alone, it is asked again after a day.
const MAX_DELAY: Duration = Duration::from_secs(24 * 3600);

/// What a [`RetryWatch`] follows, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryWatchOptions {
    /// Only objects with these labels.
    pub label_selector: Option<Str>,
    /// Only objects with these field values.
    pub field_selector: Option<Str>,
    /// Whether the objects' `managedFields` are read.
    pub managed_fields: ManagedFields,
    /// How long it is from one start of the watch to the next at least. After a failure it is up to twice as long, by
    /// chance, so that many do not come at once. Less than a second is for tests.
    pub min_restart_delay: Duration,
}

impl Default for RetryWatchOptions {
    fn default() -> Self {
        RetryWatchOptions {
            label_selector: None,
            field_selector: None,
            managed_fields: ManagedFields::default(),
            min_restart_delay: Duration::from_secs(1),
        }
    }
}

/// A watch that goes on where it was cut, as a stream of events (client-go's `RetryWatcher`). Dropping it ends the
/// watch.
///
/// Events are decoded ones: nothing is kept here, each is looked into once, and they are those of the client's own
/// watch. Bookmarks do not come; they move [`resource_version`](Self::resource_version) on.
///
/// It ends
/// - after [`WatchEvent::Error`] of code 410: the server no longer has the version to go on from;
/// - after an error: the server refuses the request as such (400, 401, 403 or 405), or told of an object that has no
///   resourceVersion that can be read, so that nobody knows where to go on.
///
/// An object that cannot be decoded is an error, which [names it](Error::undecodable_object), and the watch goes on.
///
/// All else is tried again, and not before the server's `Retry-After`: [`last_error`](Self::last_error) tells of it.
/// So is a 410 that answers the request itself, as in client-go: API servers tell of a version that is gone within the
/// watch, and what stands between may be wrong.
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
pub struct RetryWatch<K> {
    source: Arc<dyn ListWatch<K>>,
    options: RetryWatchOptions,
    /// The version of the last event or bookmark that was taken.
    version: Str,
    /// What has arrived and was not taken.
    arrived: VecDeque<WatchEvent<Encoded<K>>>,
    session: Option<Session<K>>,
    reading: Option<BoxFuture<'static, (Session<K>, SessionEvent<K>)>>,
    last_error: Option<Error>,
    /// How often it has failed since anything came of it.
    failures: u32,
    has_ended: bool,
}

impl<K: Wire + Object> RetryWatch<K> {
    /// A watch of what changes behind a version: that of a list, or one that was saved.
    ///
    /// # Errors
    ///
    /// If the version is empty or `0`: a watch from there begins with objects in no particular order, and cannot be
    /// gone on with.
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

    /// The resource it follows.
    pub fn resource(&self) -> &ResourceInfo {
        self.source.resource()
    }

    /// The version up to which all changes were taken from it. A watch from there on misses nothing and tells nothing
    /// twice.
    pub fn resource_version(&self) -> &str {
        &self.version
    }

    /// What went wrong last, if nothing has gone right since.
    pub fn last_error(&self) -> Option<&Error> {
        self.last_error.as_ref()
    }

    /// The next event; `None` at the end. The future may be dropped and nothing is lost.
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

    /// What an event comes to for those who watch.
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
            WatchEvent::Bookmark(_) | WatchEvent::Error(_) => String::new(),
        };
        self.advance(event.resource_version(), key).or_else(|| Some(Ok(event)))
    }

    /// Moves the version on; an event without one is the end.
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

    /// Takes a failure that the watch told of.
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

    /// Starts anew at the version that was reached, after a pause.
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

/// No other answer is to be expected to the same request.
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
