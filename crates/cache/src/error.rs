//! [`Error`], why a cache cannot do what it is asked.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use klient_apimachinery::codec::DecodeError;
use klient_apimachinery::{ResourceInfo, SourceError};

/// Why a cache cannot do what it is asked.
#[derive(Clone)]
pub struct Error(Box<Repr>);

#[derive(Clone)]
enum Repr {
    Source { resource: ResourceInfo, namespace: Option<Box<str>>, attempts: u32, error: SourceError },
    Unreadable { resource: ResourceInfo, name: Box<str>, problem: String },
    NotStarted { resource: ResourceInfo },
    Stopped { resource: ResourceInfo },
    NoIndex { resource: ResourceInfo, name: Box<str> },
    IndexExists { resource: ResourceInfo, name: Box<str> },
    Version { resource: ResourceInfo, version: Box<str> },
    List { resource: ResourceInfo, namespace: Option<Box<str>>, error: SourceError },
    Unusable { resource: ResourceInfo, version: Box<str>, purpose: &'static str },
    NoVersion { resource: ResourceInfo, name: Box<str> },
    Ended { resource: ResourceInfo },
    Condition { resource: ResourceInfo, error: Arc<dyn StdError + Send + Sync> },
}

impl Error {
    pub(crate) fn source_failed(
        resource: &ResourceInfo,
        namespace: Option<&str>,
        attempts: u32,
        error: SourceError,
    ) -> Self {
        let (resource, namespace) = (resource.clone(), namespace.map(Into::into));
        Error(Box::new(Repr::Source { resource, namespace, attempts, error }))
    }

    pub(crate) fn unreadable(resource: &ResourceInfo, name: &str, problem: &DecodeError) -> Self {
        let problem = problem.to_string();
        Error(Box::new(Repr::Unreadable { resource: resource.clone(), name: name.into(), problem }))
    }

    pub(crate) fn not_started(resource: &ResourceInfo) -> Self {
        Error(Box::new(Repr::NotStarted { resource: resource.clone() }))
    }

    pub(crate) fn stopped(resource: &ResourceInfo) -> Self {
        Error(Box::new(Repr::Stopped { resource: resource.clone() }))
    }

    pub(crate) fn no_index(resource: &ResourceInfo, name: &str) -> Self {
        Error(Box::new(Repr::NoIndex { resource: resource.clone(), name: name.into() }))
    }

    pub(crate) fn index_exists(resource: &ResourceInfo, name: &str) -> Self {
        Error(Box::new(Repr::IndexExists { resource: resource.clone(), name: name.into() }))
    }

    pub(crate) fn version(resource: &ResourceInfo, version: &str) -> Self {
        Error(Box::new(Repr::Version { resource: resource.clone(), version: version.into() }))
    }

    pub(crate) fn list_failed(resource: &ResourceInfo, namespace: Option<&str>, error: SourceError) -> Self {
        let (resource, namespace) = (resource.clone(), namespace.map(Into::into));
        Error(Box::new(Repr::List { resource, namespace, error }))
    }

    pub(crate) fn unusable(resource: &ResourceInfo, version: &str, purpose: &'static str) -> Self {
        Error(Box::new(Repr::Unusable { resource: resource.clone(), version: version.into(), purpose }))
    }

    pub(crate) fn no_version(resource: &ResourceInfo, name: &str) -> Self {
        Error(Box::new(Repr::NoVersion { resource: resource.clone(), name: name.into() }))
    }

    pub(crate) fn ended(resource: &ResourceInfo) -> Self {
        Error(Box::new(Repr::Ended { resource: resource.clone() }))
    }

    pub(crate) fn condition_failed(resource: &ResourceInfo, error: Box<dyn StdError + Send + Sync>) -> Self {
        Error(Box::new(Repr::Condition { resource: resource.clone(), error: error.into() }))
    }

    /// The resource of which the cache was to hold objects.
    pub fn resource(&self) -> &ResourceInfo {
        match &*self.0 {
            Repr::Source { resource, .. }
            | Repr::Unreadable { resource, .. }
            | Repr::NotStarted { resource }
            | Repr::Stopped { resource }
            | Repr::NoIndex { resource, .. }
            | Repr::IndexExists { resource, .. }
            | Repr::Version { resource, .. }
            | Repr::List { resource, .. }
            | Repr::Unusable { resource, .. }
            | Repr::NoVersion { resource, .. }
            | Repr::Ended { resource }
            | Repr::Condition { resource, .. } => resource,
        }
    }

    /// What the list or watch failed with, if one did.
    pub fn as_source(&self) -> Option<&SourceError> {
        match &*self.0 {
            Repr::Source { error, .. } | Repr::List { error, .. } => Some(error),
            _ => None,
        }
    }

    /// How often in a row it was tried in vain.
    pub fn attempts(&self) -> u32 {
        match &*self.0 {
            Repr::Source { attempts, .. } => *attempts,
            _ => 0,
        }
    }

    /// It will fail however often it is tried, until somebody changes something at the server: there is no such
    /// resource, it has no such verb, or one may not use it.
    pub fn is_lasting(&self) -> bool {
        self.as_source().is_some_and(SourceError::is_lasting)
    }

    /// The server no longer has the version that was asked for: list anew.
    pub fn is_expired(&self) -> bool {
        self.as_source().is_some_and(SourceError::is_expired)
    }

    /// What a condition failed with, if one did: see [`until`](crate::until).
    pub fn as_condition(&self) -> Option<&(dyn StdError + Send + Sync + 'static)> {
        match &*self.0 {
            Repr::Condition { error, .. } => Some(&**error),
            _ => None,
        }
    }

    /// The watch ended before the condition was met.
    pub fn is_ended(&self) -> bool {
        matches!(&*self.0, Repr::Ended { .. })
    }

    /// An object came that cannot be decoded. It is left out, and the others are not affected.
    pub fn is_unreadable_object(&self) -> bool {
        matches!(&*self.0, Repr::Unreadable { .. })
    }

    /// The informer was stopped.
    pub fn is_stopped(&self) -> bool {
        matches!(&*self.0, Repr::Stopped { .. })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.resource().group_resource();
        match &*self.0 {
            Repr::Source { namespace: None, error, .. } => write!(f, "cannot follow {name}: {error}"),
            Repr::Source { namespace: Some(namespace), error, .. } => {
                write!(f, "cannot follow {name} in namespace {namespace}: {error}")
            }
            Repr::Unreadable { name: object, problem, .. } => {
                write!(f, "an object of {name} is left out")?;
                if !object.is_empty() {
                    write!(f, ", {object}")?;
                }
                write!(f, ": {problem}")
            }
            Repr::NotStarted { .. } => {
                write!(f, "the informer of {name} was not started: call start() first")
            }
            Repr::Stopped { .. } => write!(f, "the informer of {name} was stopped"),
            Repr::NoIndex { name: index, .. } => {
                write!(f, "the store of {name} has no index {index:?}: add it with add_indexer()")
            }
            Repr::IndexExists { name: index, .. } => {
                write!(f, "the store of {name} already has another index {index:?}")
            }
            Repr::Version { version, .. } => {
                write!(f, "{version:?} is no resourceVersion of {name} that can be waited for")
            }
            Repr::List { namespace: None, error, .. } => write!(f, "cannot list {name}: {error}"),
            Repr::List { namespace: Some(namespace), error, .. } => {
                write!(f, "cannot list {name} in namespace {namespace}: {error}")
            }
            Repr::Unusable { version, purpose, .. } => {
                write!(f, "{version:?} is no resourceVersion of {name} {purpose}")
            }
            Repr::NoVersion { name: object, .. } => {
                write!(f, "the watch of {name} told of {object}, which has no resourceVersion")
            }
            Repr::Ended { .. } => write!(f, "the watch of {name} ended before the condition was met"),
            Repr::Condition { .. } => write!(f, "the condition on {name} failed"),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        let mut source = self.source();
        while let Some(cause) = source {
            write!(f, ": {cause}")?;
            source = cause.source();
        }
        Ok(())
    }
}

/// Its text ends with that of the error of the list or watch.
impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &*self.0 {
            Repr::Condition { error, .. } => Some(&**error),
            _ => self.as_source().and_then(StdError::source),
        }
    }
}
