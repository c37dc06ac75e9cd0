//! [`Feed`], an informer with the changes that streams read.

pub(crate) mod ring;
mod source;
pub(crate) mod table;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use klient_apimachinery::{ResourceInfo, Sources as _, Unstructured};
use klient_cache::{Informer, InformerOptions, ReflectorOptions, ResourceEventHandlerRegistration};
use klient_client::Client;
use klient_workqueue::Backoff;
use tokio::time::Instant;

use ring::{Ring, Status};
use source::TableSource;

use crate::digest;
use crate::failure::{Code, Failure};
use crate::options::Limits;

/// The objects of an informer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Form {
    /// Rows of the server's tables, whose changes are kept.
    Rows,
    /// Whole objects.
    Objects,
}

/// The name of an informer within those of an identity.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FeedKey {
    pub(crate) form: Form,
    pub(crate) resource: ResourceInfo,
    pub(crate) namespace: Option<String>,
    pub(crate) field_selector: Option<String>,
}

/// An informer, and the changes that streams read. It stops when it is dropped.
pub(crate) struct Feed {
    key: FeedKey,
    informer: Informer<Unstructured>,
    ring: Arc<Ring>,
    _handler: Option<ResourceEventHandlerRegistration<Unstructured>>,
    used: Mutex<Instant>,
    streams: AtomicUsize,
}

impl Feed {
    /// Starts an informer.
    pub(crate) fn start(client: &Client, key: FeedKey, limits: &Limits, recheck: Duration) -> Self {
        let ring = Arc::new(Ring::new(limits.history, limits.history_bytes));
        let noting = ring.clone();
        let resource = key.resource.clone();
        let has_selector = key.field_selector.is_some();
        let reflector = ReflectorOptions {
            field_selector: key.field_selector.as_deref().map(Into::into),
            // A Table has no place for the bookmark that ends a streamed list.
            watch_list: key.form == Form::Objects,
            // Somebody looks at it.
            backoff: Backoff {
                duration: Duration::from_millis(400),
                factor: 2.0,
                jitter: 1.0,
                steps: u32::MAX,
                cap: Some(Duration::from_secs(8)),
            }
            .resetting(Duration::from_secs(120)),
            // The cluster looks at permissions when a watch begins. It is doubled at random.
            min_watch_timeout: recheck / 2,
            on_error: Some(Arc::new(move |error| note(&noting, &resource, has_selector, error))),
            ..ReflectorOptions::default()
        };
        let options = InformerOptions { reflector, ..InformerOptions::default() };
        let informer = match key.form {
            Form::Rows => {
                let source = TableSource {
                    client: client.clone(),
                    resource: key.resource.clone(),
                    namespace: key.namespace.clone(),
                    ring: ring.clone(),
                };
                Informer::new(source, options)
            }
            Form::Objects => {
                let source = client.list_watch(&key.resource, key.namespace.as_deref());
                Informer::from_sources(vec![source], options)
            }
        };
        let handler = (key.form == Form::Rows).then(|| {
            let ring = ring.clone();
            informer.add_event_handler(move |event| ring.add(event))
        });
        informer.start();
        tracing::debug!(resource = ?key.resource, namespace = ?key.namespace, "an informer starts");
        let (used, streams) = (Mutex::new(Instant::now()), AtomicUsize::new(0));
        Feed { key, informer, ring, _handler: handler, used, streams }
    }

    pub(crate) fn key(&self) -> &FeedKey {
        &self.key
    }

    pub(crate) fn ring(&self) -> &Ring {
        &self.ring
    }

    pub(crate) fn store(&self) -> &klient_cache::Store<Unstructured> {
        self.informer.store()
    }

    /// A name of what the store has: the same for the same objects only, also if the cluster comes back with another history.
    pub(crate) fn version(&self) -> String {
        let lists = self.informer.metrics().lists;
        format!("{}-{}", self.ring.cursor(lists), digest::short(self.store().resource_version().as_bytes()))
    }

    pub(crate) fn has_ended(&self) -> bool {
        matches!(self.ring.status(), Status::Ended(_))
    }

    pub(crate) fn has_synced(&self) -> bool {
        self.informer.has_synced()
    }

    /// Waits for the first list.
    ///
    /// # Errors
    ///
    /// If the server refuses it, or does not answer within the limit.
    pub(crate) async fn wait_for_sync(&self, limit: Duration) -> Result<(), Failure> {
        if let Status::Ended(failure) = self.ring.status() {
            return Err(failure);
        }
        let name = self.key.resource.group_resource();
        match tokio::time::timeout(limit, self.informer.wait_for_sync()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(of_error(&self.key.resource, self.key.field_selector.is_some(), &error)),
            Err(_) => {
                let why = self.informer.last_error().map(|error| format!(": {error}")).unwrap_or_default();
                let problem = format!("{name} could not be listed within {} s{why}", limit.as_secs_f64());
                Err(Failure::new(Code::NotSynced, problem))
            }
        }
    }

    /// Notes that somebody has asked for it.
    pub(crate) fn touch(&self) {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// The time since somebody asked for it; none while a stream is open.
    pub(crate) fn unused(&self) -> Duration {
        if self.streams.load(Ordering::Acquire) > 0 {
            return Duration::ZERO;
        }
        self.used.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }

    /// Keeps the informer in use until the guard is dropped.
    pub(crate) fn open_stream(self: &Arc<Self>) -> OpenStream {
        self.streams.fetch_add(1, Ordering::AcqRel);
        OpenStream(self.clone())
    }
}

/// A stream that reads the changes of an informer.
pub(crate) struct OpenStream(Arc<Feed>);

impl std::ops::Deref for OpenStream {
    type Target = Feed;

    fn deref(&self) -> &Feed {
        &self.0
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.0.touch();
        self.0.streams.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Notes an error of list or watch.
fn note(ring: &Ring, resource: &ResourceInfo, has_selector: bool, error: &klient_cache::Error) {
    tracing::debug!(?resource, %error, "an informer has an error");
    if error.is_undecodable() || error.is_expired() {
        return;
    }
    match error.is_permanent() {
        true => ring.end(of_error(resource, has_selector, error)),
        false => ring.set_waiting(error.to_string()),
    }
}

/// The failure of a list or watch.
fn of_error(resource: &ResourceInfo, has_selector: bool, error: &klient_cache::Error) -> Failure {
    let status = error.as_source().and_then(klient_apimachinery::SourceError::code);
    let mut failure = Failure::of_status(status, error.to_string());
    match failure.code {
        Code::NotFound => {
            let problem = format!("the cluster does not serve {} any more", resource.group_resource());
            failure = Failure::new(Code::KindUnknown, problem);
        }
        Code::BadRequest if has_selector => failure.code = Code::BadSelector,
        _ => {}
    }
    failure
}
