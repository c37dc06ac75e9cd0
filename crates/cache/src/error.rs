//! [`Error`], why a cache cannot do what it is asked.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use klient_apimachinery::codec::{DecodeError, Identity};
use klient_apimachinery::{ResourceInfo, SourceError, WithCauses};

/// Why a cache cannot do what it is asked.
#[derive(Clone)]
pub struct Error(Box<Repr>);

#[derive(Clone)]
struct Repr {
    resource: ResourceInfo,
    kind: Kind,
}

#[derive(Clone)]
enum Kind {
    /// It cannot be listed or followed.
    Source {
        doing: &'static str,
        namespace: Option<Box<str>>,
        attempts: u32,
        error: SourceError,
    },
    Undecodable {
        object: Identity,
        outcome: UndecodableOutcome,
        field: Box<str>,
        problem: String,
    },
    NotStarted,
    Stopped,
    NoIndex {
        name: Box<str>,
    },
    IndexExists {
        name: Box<str>,
    },
    InvalidVersion {
        version: Box<str>,
        purpose: &'static str,
    },
    MissingVersion {
        name: Box<str>,
    },
    /// A version that was waited for did not come.
    VersionTimeout {
        version: Box<str>,
        reached: Box<str>,
        limit: Duration,
    },
    /// Informers of a factory did not sync in time.
    SyncTimeout {
        limit: Duration,
        /// Of each, what it is of and what went wrong last.
        stuck: Vec<(ResourceInfo, Option<Error>)>,
    },
    /// The factory was shut down.
    ShutDown,
    WatchClosed,
    Condition {
        error: Arc<dyn StdError + Send + Sync>,
    },
}

/// The place of an object that cannot be decoded.
#[derive(Clone, Copy)]
enum UndecodableOutcome {
    /// No state of it is in the store.
    LeftOut,
    /// Its last state that could be decoded is in the store.
    Kept,
    /// It was to be handed out.
    Undecodable,
}

impl UndecodableOutcome {
    fn description(self) -> &'static str {
        match self {
            UndecodableOutcome::LeftOut => "cannot be decoded and is left out",
            UndecodableOutcome::Kept => "cannot be decoded and is kept in its last state that could be",
            UndecodableOutcome::Undecodable => "cannot be decoded",
        }
    }
}

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

    /// Of an object that a store leaves out.
    pub(crate) fn left_out(resource: &ResourceInfo, object: Identity, problem: &DecodeError) -> Self {
        Self::of_undecodable(resource, object, UndecodableOutcome::LeftOut, problem)
    }

    /// Of an object that was to be handed out.
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

    /// A resourceVersion that is none for a purpose, and perhaps what to do.
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

    /// Of informers that have not synced, one at least.
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

    /// The same error about an object by another name.
    pub(crate) fn of_object(mut self, identity: Identity) -> Self {
        if let Kind::Undecodable { object, .. } = &mut self.0.kind {
            *object = identity;
        }
        self
    }

    /// The same error about an object of which the store keeps an earlier state.
    pub(crate) fn keeping_last_state(mut self) -> Self {
        if let Kind::Undecodable { outcome, .. } = &mut self.0.kind {
            *outcome = UndecodableOutcome::Kept;
        }
        self
    }

    /// The resource of which the cache was to hold objects.
    pub fn resource(&self) -> &ResourceInfo {
        &self.0.resource
    }

    /// What the list or watch failed with, if one did.
    pub fn as_source(&self) -> Option<&SourceError> {
        match &self.0.kind {
            Kind::Source { error, .. } => Some(error),
            _ => None,
        }
    }

    /// How often in a row it was tried in vain.
    pub fn attempts(&self) -> u32 {
        match &self.0.kind {
            Kind::Source { attempts, .. } => *attempts,
            _ => 0,
        }
    }

    /// It will fail however often it is tried, until somebody changes something at the server or in the program:
    /// there is no such resource, it has no such verb, one may not use it, the request makes no sense to the server,
    /// or its certificate is not trusted.
    pub fn is_permanent(&self) -> bool {
        self.as_source().is_some_and(SourceError::is_permanent)
    }

    /// The server no longer has the version that was asked for: list anew.
    pub fn is_expired(&self) -> bool {
        self.as_source().is_some_and(SourceError::is_expired)
    }

    /// What a condition failed with, if one did: see [`until`](crate::until).
    pub fn as_condition(&self) -> Option<&(dyn StdError + Send + Sync + 'static)> {
        match &self.0.kind {
            Kind::Condition { error, .. } => Some(&**error),
            _ => None,
        }
    }

    /// The watch ended before the condition was met.
    pub fn is_watch_closed(&self) -> bool {
        matches!(self.0.kind, Kind::WatchClosed)
    }

    /// An object came that cannot be decoded. The others are not affected.
    pub fn is_undecodable(&self) -> bool {
        self.undecodable_object().is_some()
    }

    /// The object that cannot be decoded, if the error is about one; its name is empty if not even that can be read.
    pub fn undecodable_object(&self) -> Option<&Identity> {
        match &self.0.kind {
            Kind::Undecodable { object, .. } => Some(object),
            _ => None,
        }
    }

    /// The path of the field for which an object cannot be decoded, such as `spec.replicas`; empty where it is not
    /// that of one field, and in other errors.
    pub fn field(&self) -> &str {
        match &self.0.kind {
            Kind::Undecodable { field, .. } => field,
            _ => "",
        }
    }

    /// The informer was stopped, or the factory that made it was shut down.
    pub fn is_stopped(&self) -> bool {
        matches!(self.0.kind, Kind::Stopped | Kind::ShutDown)
    }

    /// The time was up: a version did not come ([`Store::wait_for_resource_version`](crate::Store::wait_for_resource_version)), or informers did not sync
    /// ([`InformerFactory::wait_for_sync_within`](crate::InformerFactory::wait_for_sync_within)).
    pub fn is_timeout(&self) -> bool {
        matches!(self.0.kind, Kind::VersionTimeout { .. } | Kind::SyncTimeout { .. })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.resource().group_resource();
        match &self.0.kind {
            Kind::Source { doing, namespace: None, error, .. } => {
                write!(f, "cannot {doing} {name}: {error}")
            }
            Kind::Source { doing, namespace: Some(namespace), error, .. } => {
                write!(f, "cannot {doing} {name} in namespace {namespace}: {error}")
            }
            Kind::Undecodable { object, outcome, problem, .. } => {
                write!(f, "an object of {name} {}", outcome.description())?;
                if !object.name.is_empty() {
                    write!(f, ", {object}")?;
                }
                if !object.resource_version.is_empty() {
                    write!(f, " at version {}", object.resource_version)?;
                }
                write!(f, ": {problem}")
            }
            Kind::NotStarted => {
                write!(f, "the informer of {name} was not started: call start() first")
            }
            Kind::Stopped => write!(f, "the informer of {name} was stopped"),
            Kind::NoIndex { name: index, .. } => {
                write!(f, "the store of {name} has no index {index:?}: add it with add_indexer()")
            }
            Kind::IndexExists { name: index, .. } => {
                write!(f, "the store of {name} already has another index {index:?}")
            }
            Kind::InvalidVersion { version, purpose, .. } => {
                write!(f, "{version:?} is no resourceVersion of {name} {purpose}")
            }
            Kind::MissingVersion { name: object, .. } => {
                write!(f, "the watch of {name} told of {object}, which has no resourceVersion")
            }
            Kind::VersionTimeout { version, reached, limit } => write!(
                f,
                "the store of {name} did not reach version {version} in {} s, it is at {reached:?}: versions of what it is \
                 not told of come with bookmarks only",
                limit.as_secs_f64()
            ),
            Kind::SyncTimeout { limit, stuck } => {
                write!(f, "informers have not synced in {} s: ", limit.as_secs_f64())?;
                for (index, (resource, error)) in stuck.iter().enumerate() {
                    write!(f, "{}{}", if index == 0 { "" } else { ", " }, resource.group_resource())?;
                    match error {
                        Some(error) => write!(f, " ({error})")?,
                        None => f.write_str(" (the server has not answered in full)")?,
                    }
                }
                Ok(())
            }
            Kind::ShutDown => {
                write!(f, "the factory of the informer of {name} was shut down: make another factory")
            }
            Kind::WatchClosed => write!(f, "the watch of {name} ended before the condition was met"),
            Kind::Condition { error } => {
                write!(f, "the condition on {name} failed: {}", WithCauses(&**error))
            }
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Its text holds the causes, down to the last; [`as_source`](Error::as_source) and
/// [`as_condition`](Error::as_condition) give them.
impl StdError for Error {}
