//! [`Kind`], a kind of object that is written.

use std::sync::LazyLock;

use serde_json::Value;

use crate::kinds;
use crate::shape::Shape;

/// A kind of object that is written, and what its objects are made of.
#[derive(Debug)]
pub(crate) struct Kind {
    /// Its name.
    pub(crate) kind: &'static str,
    /// Its plural.
    pub(crate) plural: &'static str,
    /// Where the object is that is written.
    pub(crate) place: Place,
    /// The versions it is served in, as `apiVersion` has them.
    pub(crate) api_versions: &'static [&'static str],
    /// Whether it has a status of its own.
    pub(crate) has_status: bool,
    /// Whether it has a scale.
    pub(crate) has_scale: bool,
    /// Whether it is built in, and so takes strategic merge patches.
    pub(crate) is_builtin: bool,
    /// All but apiVersion, kind, and name, in the first version at least.
    pub(crate) shape: Shape,
    /// The same of the second version, if that has other fields.
    pub(crate) second_shape: Option<Shape>,
    /// Its status.
    pub(crate) status: Shape,
    /// Fields that come back, or stay, when nobody sets them: defaults, and what the server gives.
    pub(crate) defaults: &'static [&'static str],
    /// Fields that the server drops when others make no use of them, without taking them from who owns them.
    pub(crate) dropped: &'static [&'static str],
}

/// Where the object is that is written.
#[derive(Debug)]
pub(crate) enum Place {
    /// In a namespace of the sequence.
    Namespace,
    /// In the cluster, for all sequences: every write is a dry run. One that creates an object has `other` over it.
    Cluster { name: &'static str, other: fn() -> Value },
}

impl Kind {
    /// All kinds.
    pub(crate) fn all() -> &'static [Kind] {
        static KINDS: LazyLock<Vec<Kind>> = LazyLock::new(kinds::all);
        &KINDS
    }

    /// The fields of an object of a version, without apiVersion, kind, and name.
    pub(crate) fn shape(&self, api_version: &str) -> &Shape {
        let is_second = self.api_versions.get(1) == Some(&api_version);
        self.second_shape.as_ref().filter(|_| is_second).unwrap_or(&self.shape)
    }

    /// True if a webhook converts it.
    pub(crate) fn is_converted(&self) -> bool {
        self.second_shape.is_some()
    }

    /// The name of the object that is written.
    pub(crate) fn name(&self) -> &'static str {
        match self.place {
            Place::Namespace => "it",
            Place::Cluster { name, .. } => name,
        }
    }

    /// Returns true if every write is a dry run.
    pub(crate) fn is_dry_run(&self) -> bool {
        matches!(self.place, Place::Cluster { .. })
    }

    /// The URL of all of them, in a namespace if they have one.
    pub(crate) fn path(&self, api_version: &str, namespace: &str) -> String {
        let root = if api_version.contains('/') { "apis" } else { "api" };
        let namespace = match self.place {
            Place::Namespace => format!("namespaces/{namespace}/"),
            Place::Cluster { .. } => String::new(),
        };
        format!("/{root}/{api_version}/{namespace}{}", self.plural)
    }
}
