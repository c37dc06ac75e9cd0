//! The message of an [`Error`], complete with its causes.

use std::fmt;

use klient_apimachinery::WithCauses;

use super::Error;
use super::kind::Kind;

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
