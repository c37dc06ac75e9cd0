//! [`OperationResult`], the effect of a write.

use std::fmt;

/// The effect of a write (controller-runtime's `controllerutil.OperationResult`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OperationResult {
    /// The object was created.
    Created,
    /// The object was changed.
    Updated,
    /// The object was as it is to be.
    Unchanged,
}

/// As controller-runtime writes it: `created`, `updated`, `unchanged`.
impl fmt::Display for OperationResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            OperationResult::Created => "created",
            OperationResult::Updated => "updated",
            OperationResult::Unchanged => "unchanged",
        })
    }
}
