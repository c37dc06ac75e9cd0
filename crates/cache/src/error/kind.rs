//! [`Kind`], the kinds of an [`Error`].

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use klient_apimachinery::codec::Identity;
use klient_apimachinery::{ResourceInfo, SourceError};

use super::Error;

#[derive(Clone)]
pub(super) struct Repr {
    pub(super) resource: ResourceInfo,
    pub(super) kind: Kind,
}

#[derive(Clone)]
pub(super) enum Kind {
    /// A list or a watch failed.
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
    /// The store did not reach a resourceVersion in time.
    VersionTimeout {
        version: Box<str>,
        reached: Box<str>,
        limit: Duration,
    },
    /// Informers of a factory did not sync in time.
    SyncTimeout {
        limit: Duration,
        /// The resources of those informers, each with its last error.
        stuck: Vec<(ResourceInfo, Option<Error>)>,
    },
    /// The informer's factory was shut down.
    ShutDown,
    WatchClosed,
    Condition {
        error: Arc<dyn StdError + Send + Sync>,
    },
}

/// The consequence of an object that cannot be decoded.
#[derive(Clone, Copy)]
pub(super) enum UndecodableOutcome {
    /// The store holds no state of it.
    LeftOut,
    /// The store holds its last decodable state.
    Kept,
    /// It was requested, and is not returned.
    Undecodable,
}

impl UndecodableOutcome {
    pub(super) fn description(self) -> &'static str {
        match self {
            UndecodableOutcome::LeftOut => "cannot be decoded and is left out",
            UndecodableOutcome::Kept => "cannot be decoded and is kept in its last state that could be",
            UndecodableOutcome::Undecodable => "cannot be decoded",
        }
    }
}
