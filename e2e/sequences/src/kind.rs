//! [`Kind`], a kind of object that is written.

use std::sync::LazyLock;

use crate::kinds;
use crate::shape::Shape;

/// A kind of object that is written, and what its objects are made of.
#[derive(Debug)]
pub(crate) struct Kind {
    /// Its name.
    pub(crate) kind: &'static str,
    /// Its plural.
    pub(crate) plural: &'static str,
    /// The versions it is served in, as `apiVersion` has them.
    pub(crate) api_versions: &'static [&'static str],
    /// Whether it has a status of its own.
    pub(crate) has_status: bool,
    /// Whether it has a scale.
    pub(crate) has_scale: bool,
    /// Whether it is built in, and so takes strategic merge patches.
    pub(crate) is_builtin: bool,
    /// All but apiVersion, kind, and name.
    pub(crate) shape: Shape,
    /// Its status.
    pub(crate) status: Shape,
    /// Fields that come back, or stay, when nobody sets them: defaults, and what the server gives.
    pub(crate) defaults: &'static [&'static str],
    /// Fields that the server drops when others make no use of them, without taking them from who owns them.
    pub(crate) dropped: &'static [&'static str],
}

impl Kind {
    /// All kinds.
    pub(crate) fn all() -> &'static [Kind] {
        static KINDS: LazyLock<Vec<Kind>> = LazyLock::new(kinds::all);
        &KINDS
    }

    /// The URL of all of them in a namespace.
    pub(crate) fn path(&self, api_version: &str, namespace: &str) -> String {
        let root = if api_version.contains('/') { "apis" } else { "api" };
        format!("/{root}/{api_version}/namespaces/{namespace}/{}", self.plural)
    }
}
