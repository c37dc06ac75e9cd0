//! [`PatchError`], a failure to make or apply a patch.

use std::fmt;

use serde_json::{Map, Value};

use crate::go::GoValue;
use crate::yaml;

/// A failure to make or apply a patch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatchError {
    kind: Kind,
    message: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Malformed,
    Conflict,
    Precondition,
}

impl PatchError {
    /// Returns true if other writers have changed fields that the patch changes, and it may not overwrite them.
    pub fn is_conflict(&self) -> bool {
        self.kind == Kind::Conflict
    }

    /// Returns true if the patch changes a field that a [`Precondition`](super::Precondition) protects.
    pub fn is_precondition_failed(&self) -> bool {
        self.kind == Kind::Precondition
    }

    pub(super) fn malformed(message: impl Into<String>) -> Self {
        PatchError { kind: Kind::Malformed, message: message.into() }
    }

    pub(super) fn conflict(patch: Map<String, Value>, changes: Map<String, Value>) -> Self {
        let [patch, changes] = [patch, changes].map(|part| yaml::to_string(&Value::Object(part)));
        let message =
            format!("patch:\n{patch}\nconflicts with changes made from original to current:\n{changes}\n");
        PatchError { kind: Kind::Conflict, message }
    }

    pub(super) fn precondition(patch: Map<String, Value>) -> Self {
        let message = format!("precondition failed for: {}", GoValue(&Value::Object(patch)));
        PatchError { kind: Kind::Precondition, message }
    }
}

impl fmt::Display for PatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for PatchError {}
