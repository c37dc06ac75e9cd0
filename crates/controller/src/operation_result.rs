//! [`OperationResult`], the effect of a write.

/// The effect of a write (controller-runtime's `controllerutil.OperationResult`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OperationResult {
    /// The object was created.
    Created,
    /// The object was changed.
    Updated,
    /// The object was as it is to be, and has the same resourceVersion.
    Unchanged,
}
