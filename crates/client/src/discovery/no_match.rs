//! [`NoMatch`], the error of a [`RestMapper`](super::RestMapper).

use std::fmt;

use klient_apimachinery::go::quoted;
use klient_apimachinery::meta::v1::GroupVersionResource;

use crate::error::{Error, ErrorKind};

/// A name or kind that means nothing to the server, or more than one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoMatch {
    /// No resource has this name; the second part is the group it was looked for in, if one was named.
    Resource(String, Option<String>),
    /// No resource has these names; empty parts are not looked at (client-go's `NoResourceMatchError`).
    PartialResource(GroupVersionResource),
    /// No resource serves this kind (client-go's `NoKindMatchError`).
    Kind {
        /// The kind.
        kind: String,
        /// The group it was looked for in.
        group: String,
        /// The version it was looked for in; `None` if any is good enough.
        version: Option<String>,
    },
    /// Several resources of a group-version have the name (client-go's `AmbiguousResourceError`).
    AmbiguousResource {
        /// The names that were looked for.
        partial: GroupVersionResource,
        /// All resources that have them.
        matching: Vec<GroupVersionResource>,
    },
}

impl NoMatch {
    /// Returns true if several resources have the name, and false if none has.
    pub fn is_ambiguous(&self) -> bool {
        matches!(self, NoMatch::AmbiguousResource { .. })
    }
}

/// In kubectl's words.
impl fmt::Display for NoMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoMatch::Resource(name, None) => {
                write!(f, "the server doesn't have a resource type {}", quoted(name))
            }
            NoMatch::Resource(name, Some(group)) => {
                let (name, group) = (quoted(name), quoted(group));
                write!(f, "the server doesn't have a resource type {name} in group {group}")
            }
            NoMatch::PartialResource(partial) => write!(f, "no matches for {partial}"),
            NoMatch::Kind { kind, group, version: None } => {
                write!(f, "no matches for kind {} in group {}", quoted(kind), quoted(group))
            }
            NoMatch::Kind { kind, group, version: Some(version) } => {
                let api_version =
                    if group.is_empty() { version.clone() } else { format!("{group}/{version}") };
                write!(f, "no matches for kind {} in version {}", quoted(kind), quoted(api_version))
            }
            NoMatch::AmbiguousResource { partial, matching } => {
                let matching: Vec<String> = matching.iter().map(ToString::to_string).collect();
                write!(f, "{partial} matches multiple resources [{}]", matching.join(" "))
            }
        }
    }
}

impl std::error::Error for NoMatch {}

impl From<NoMatch> for Error {
    fn from(no_match: NoMatch) -> Self {
        Error::new(ErrorKind::NoMatch, "", no_match)
    }
}

impl Error {
    /// The name or kind that the server does not serve, if that is the error.
    pub fn no_match(&self) -> Option<&NoMatch> {
        self.cause()?.downcast_ref()
    }
}
