//! [`Error`], why a cache cannot do what it is asked.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use klient_apimachinery::codec::DecodeError;
use klient_apimachinery::{ResourceInfo, SourceError, WithCauses};

/// Why a cache cannot do what it is asked.
#[derive(Clone)]
pub struct Error(Box<Repr>);

#[derive(Clone)]
struct Repr {
    resource: ResourceInfo,
    problem: Problem,
}

#[derive(Clone)]
enum Problem {
    /// It cannot be listed or followed.
    Source {
        doing: &'static str,
        namespace: Option<Box<str>>,
        attempts: u32,
        error: SourceError,
    },
    Unreadable {
        name: Box<str>,
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
    Unusable {
        version: Box<str>,
        purpose: &'static str,
    },
    NoVersion {
        name: Box<str>,
    },
    Ended,
    Condition {
        error: Arc<dyn StdError + Send + Sync>,
    },
}

impl Error {
    fn new(resource: &ResourceInfo, problem: Problem) -> Self {
        Error(Box::new(Repr { resource: resource.clone(), problem }))
    }

    pub(crate) fn source_failed(
        resource: &ResourceInfo,
        namespace: Option<&str>,
        attempts: u32,
        error: SourceError,
    ) -> Self {
        let namespace = namespace.map(Into::into);
        Self::new(resource, Problem::Source { doing: "follow", namespace, attempts, error })
    }

    pub(crate) fn list_failed(resource: &ResourceInfo, namespace: Option<&str>, error: SourceError) -> Self {
        let namespace = namespace.map(Into::into);
        Self::new(resource, Problem::Source { doing: "list", namespace, attempts: 0, error })
    }

    pub(crate) fn unreadable(resource: &ResourceInfo, name: &str, problem: &DecodeError) -> Self {
        Self::new(resource, Problem::Unreadable { name: name.into(), problem: problem.to_string() })
    }

    pub(crate) fn not_started(resource: &ResourceInfo) -> Self {
        Self::new(resource, Problem::NotStarted)
    }

    pub(crate) fn stopped(resource: &ResourceInfo) -> Self {
        Self::new(resource, Problem::Stopped)
    }

    pub(crate) fn no_index(resource: &ResourceInfo, name: &str) -> Self {
        Self::new(resource, Problem::NoIndex { name: name.into() })
    }

    pub(crate) fn index_exists(resource: &ResourceInfo, name: &str) -> Self {
        Self::new(resource, Problem::IndexExists { name: name.into() })
    }

    /// A resourceVersion that is none for a purpose, and perhaps what to do.
    pub(crate) fn unusable(resource: &ResourceInfo, version: &str, purpose: &'static str) -> Self {
        Self::new(resource, Problem::Unusable { version: version.into(), purpose })
    }

    pub(crate) fn no_version(resource: &ResourceInfo, name: &str) -> Self {
        Self::new(resource, Problem::NoVersion { name: name.into() })
    }

    pub(crate) fn ended(resource: &ResourceInfo) -> Self {
        Self::new(resource, Problem::Ended)
    }

    pub(crate) fn condition_failed(resource: &ResourceInfo, error: Box<dyn StdError + Send + Sync>) -> Self {
        Self::new(resource, Problem::Condition { error: error.into() })
    }

    /// The resource of which the cache was to hold objects.
    pub fn resource(&self) -> &ResourceInfo {
        &self.0.resource
    }

    /// What the list or watch failed with, if one did.
    pub fn as_source(&self) -> Option<&SourceError> {
        match &self.0.problem {
            Problem::Source { error, .. } => Some(error),
            _ => None,
        }
    }

    /// How often in a row it was tried in vain.
    pub fn attempts(&self) -> u32 {
        match &self.0.problem {
            Problem::Source { attempts, .. } => *attempts,
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
        match &self.0.problem {
            Problem::Condition { error, .. } => Some(&**error),
            _ => None,
        }
    }

    /// The watch ended before the condition was met.
    pub fn is_ended(&self) -> bool {
        matches!(self.0.problem, Problem::Ended)
    }

    /// An object came that cannot be decoded. It is left out, and the others are not affected.
    pub fn is_unreadable_object(&self) -> bool {
        matches!(self.0.problem, Problem::Unreadable { .. })
    }

    /// The informer was stopped.
    pub fn is_stopped(&self) -> bool {
        matches!(self.0.problem, Problem::Stopped)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.resource().group_resource();
        match &self.0.problem {
            Problem::Source { doing, namespace: None, error, .. } => {
                write!(f, "cannot {doing} {name}: {error}")
            }
            Problem::Source { doing, namespace: Some(namespace), error, .. } => {
                write!(f, "cannot {doing} {name} in namespace {namespace}: {error}")
            }
            Problem::Unreadable { name: object, problem, .. } => {
                write!(f, "an object of {name} is left out")?;
                if !object.is_empty() {
                    write!(f, ", {object}")?;
                }
                write!(f, ": {problem}")
            }
            Problem::NotStarted => {
                write!(f, "the informer of {name} was not started: call start() first")
            }
            Problem::Stopped => write!(f, "the informer of {name} was stopped"),
            Problem::NoIndex { name: index, .. } => {
                write!(f, "the store of {name} has no index {index:?}: add it with add_indexer()")
            }
            Problem::IndexExists { name: index, .. } => {
                write!(f, "the store of {name} already has another index {index:?}")
            }
            Problem::Unusable { version, purpose, .. } => {
                write!(f, "{version:?} is no resourceVersion of {name} {purpose}")
            }
            Problem::NoVersion { name: object, .. } => {
                write!(f, "the watch of {name} told of {object}, which has no resourceVersion")
            }
            Problem::Ended => write!(f, "the watch of {name} ended before the condition was met"),
            Problem::Condition { .. } => write!(f, "the condition on {name} failed"),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", WithCauses(self))
    }
}

/// Its text ends with that of the error of the list or watch.
impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.0.problem {
            Problem::Condition { error, .. } => Some(&**error),
            _ => self.as_source().and_then(StdError::source),
        }
    }
}
