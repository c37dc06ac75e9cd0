//! [`Error`], the error of caches, watches and lists.

mod display;
mod kind;

use std::error::Error as StdError;
use std::time::Duration;

use klient_apimachinery::codec::{DecodeError, Identity};
use klient_apimachinery::{ResourceInfo, SourceError};

use kind::{Kind, Repr, UndecodableOutcome};

/// The error of caches, watches and lists.
///
/// It names the resource; the `is_…` methods tell the kinds apart. `{error}` is complete, down to the last
/// cause.
#[derive(Clone)]
pub struct Error(Box<Repr>);

impl Error {
    fn new(resource: &ResourceInfo, kind: Kind) -> Self {
        Error(Box::new(Repr { resource: resource.clone(), kind }))
    }

    pub(crate) fn source_failed(
        resource: &ResourceInfo,
        namespace: Option<&str>,
        attempts: u32,
        error: SourceError,
    ) -> Self {
        let namespace = namespace.map(Into::into);
        Self::new(resource, Kind::Source { doing: "follow", namespace, attempts, error })
    }

    pub(crate) fn list_failed(resource: &ResourceInfo, namespace: Option<&str>, error: SourceError) -> Self {
        let namespace = namespace.map(Into::into);
        Self::new(resource, Kind::Source { doing: "list", namespace, attempts: 0, error })
    }

    /// An object that a store leaves out because it cannot be decoded.
    pub(crate) fn left_out(resource: &ResourceInfo, object: Identity, problem: &DecodeError) -> Self {
        Self::of_undecodable(resource, object, UndecodableOutcome::LeftOut, problem)
    }

    /// A requested object that cannot be decoded.
    pub(crate) fn undecodable(resource: &ResourceInfo, object: Identity, problem: &DecodeError) -> Self {
        Self::of_undecodable(resource, object, UndecodableOutcome::Undecodable, problem)
    }

    fn of_undecodable(
        resource: &ResourceInfo,
        object: Identity,
        outcome: UndecodableOutcome,
        problem: &DecodeError,
    ) -> Self {
        let (field, problem) = (problem.path().into(), problem.to_string());
        Self::new(resource, Kind::Undecodable { object, outcome, field, problem })
    }

    pub(crate) fn not_started(resource: &ResourceInfo) -> Self {
        Self::new(resource, Kind::NotStarted)
    }

    pub(crate) fn stopped(resource: &ResourceInfo) -> Self {
        Self::new(resource, Kind::Stopped)
    }

    pub(crate) fn no_index(resource: &ResourceInfo, name: &str) -> Self {
        Self::new(resource, Kind::NoIndex { name: name.into() })
    }

    pub(crate) fn index_exists(resource: &ResourceInfo, name: &str) -> Self {
        Self::new(resource, Kind::IndexExists { name: name.into() })
    }

    /// A resourceVersion that is invalid for a purpose; `purpose` may add a hint.
    pub(crate) fn invalid_version(resource: &ResourceInfo, version: &str, purpose: &'static str) -> Self {
        Self::new(resource, Kind::InvalidVersion { version: version.into(), purpose })
    }

    pub(crate) fn missing_version(resource: &ResourceInfo, name: &str) -> Self {
        Self::new(resource, Kind::MissingVersion { name: name.into() })
    }

    pub(crate) fn version_timeout(
        resource: &ResourceInfo,
        version: &str,
        reached: &str,
        limit: Duration,
    ) -> Self {
        let (version, reached) = (version.into(), reached.into());
        Self::new(resource, Kind::VersionTimeout { version, reached, limit })
    }

    /// Informers that have not synced in time; `None` if there are none.
    pub(crate) fn sync_timeout(limit: Duration, stuck: Vec<(ResourceInfo, Option<Error>)>) -> Option<Self> {
        let resource = stuck.first()?.0.clone();
        Some(Self::new(&resource, Kind::SyncTimeout { limit, stuck }))
    }

    pub(crate) fn shut_down(resource: &ResourceInfo) -> Self {
        Self::new(resource, Kind::ShutDown)
    }

    pub(crate) fn watch_closed(resource: &ResourceInfo) -> Self {
        Self::new(resource, Kind::WatchClosed)
    }

    pub(crate) fn condition_failed(resource: &ResourceInfo, error: Box<dyn StdError + Send + Sync>) -> Self {
        Self::new(resource, Kind::Condition { error: error.into() })
    }

    /// The same error with another object at fault.
    pub(crate) fn of_object(mut self, identity: Identity) -> Self {
        if let Kind::Undecodable { object, .. } = &mut self.0.kind {
            *object = identity;
        }
        self
    }

    /// The same error, for an object whose last decodable state is in the store.
    pub(crate) fn keeping_last_state(mut self) -> Self {
        if let Kind::Undecodable { outcome, .. } = &mut self.0.kind {
            *outcome = UndecodableOutcome::Kept;
        }
        self
    }

    /// The resource of the cache, list or watch.
    pub fn resource(&self) -> &ResourceInfo {
        &self.0.resource
    }

    /// The error of the list or watch, if that is the cause.
    pub fn as_source(&self) -> Option<&SourceError> {
        match &self.0.kind {
            Kind::Source { error, .. } => Some(error),
            _ => None,
        }
    }

    /// The number of attempts that failed in a row; zero if the error is not of an attempt that is repeated.
    pub fn attempts(&self) -> u32 {
        match &self.0.kind {
            Kind::Source { attempts, .. } => *attempts,
            _ => 0,
        }
    }

    /// Returns true if retrying cannot help until something is changed at the server or in the program: 400, 401,
    /// 403, 404, 405, 406, 415 or 422 from the server, an invalid selector, or a certificate that is not
    /// trusted.
    pub fn is_permanent(&self) -> bool {
        self.as_source().is_some_and(SourceError::is_permanent)
    }

    /// Returns true if the server no longer has the requested resourceVersion (410 Gone): list again.
    pub fn is_expired(&self) -> bool {
        self.as_source().is_some_and(SourceError::is_expired)
    }

    /// The error that a condition of [`until`](crate::until) or its siblings returned, if that is the cause.
    pub fn as_condition(&self) -> Option<&(dyn StdError + Send + Sync + 'static)> {
        match &self.0.kind {
            Kind::Condition { error, .. } => Some(&**error),
            _ => None,
        }
    }

    /// Returns true if the watch was closed before the condition was met (client-go's `ErrWatchClosed`).
    pub fn is_watch_closed(&self) -> bool {
        matches!(self.0.kind, Kind::WatchClosed)
    }

    /// Returns true if the error concerns a single object that cannot be decoded; other objects are not affected.
    pub fn is_undecodable(&self) -> bool {
        self.undecodable_object().is_some()
    }

    /// The object that cannot be decoded, if the error is about one. Its name is empty if even that cannot be
    /// read.
    pub fn undecodable_object(&self) -> Option<&Identity> {
        match &self.0.kind {
            Kind::Undecodable { object, .. } => Some(object),
            _ => None,
        }
    }

    /// The path of the field at fault in an object that cannot be decoded, such as `spec.replicas`. Empty if
    /// no single field is at fault, and for other errors.
    pub fn field(&self) -> &str {
        match &self.0.kind {
            Kind::Undecodable { field, .. } => field,
            _ => "",
        }
    }

    /// Returns true if the informer was stopped, or the factory that made it was shut down.
    pub fn is_stopped(&self) -> bool {
        matches!(self.0.kind, Kind::Stopped | Kind::ShutDown)
    }

    /// Returns true if a time limit was reached: a store did not reach a version
    /// ([`Store::wait_for_resource_version`](crate::Store::wait_for_resource_version)), or informers did not
    /// sync ([`InformerFactory::wait_for_sync_within`](crate::InformerFactory::wait_for_sync_within)).
    pub fn is_timeout(&self) -> bool {
        matches!(self.0.kind, Kind::VersionTimeout { .. } | Kind::SyncTimeout { .. })
    }
}

/// `source()` is `None`, because the message contains all causes; [`as_source`](Error::as_source) and
/// [`as_condition`](Error::as_condition) return them.
impl StdError for Error {}
