//! [`KeyDelta`], one change of an object.

/// One change of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyDelta<T> {
    /// The object was created.
    Added(T),
    /// The object was modified.
    Updated(T),
    /// The object was in a complete list, changed or not.
    Replaced(T),
    /// The object is to be processed again, without a change.
    Sync(T),
    /// The object was deleted; its final state.
    Deleted(T),
    /// The deletion was missed; the last known state of the object, if there is one (client-go's
    /// `DeletedFinalStateUnknown`).
    DeletedFinalStateUnknown(Option<T>),
}

impl<T> KeyDelta<T> {
    /// The state of the object that the delta carries; `None` for a missed deletion without a known state.
    pub fn object(&self) -> Option<&T> {
        match self {
            KeyDelta::Added(object)
            | KeyDelta::Updated(object)
            | KeyDelta::Replaced(object)
            | KeyDelta::Sync(object)
            | KeyDelta::Deleted(object) => Some(object),
            KeyDelta::DeletedFinalStateUnknown(object) => object.as_ref(),
        }
    }

    pub(super) fn is_deletion(&self) -> bool {
        matches!(self, KeyDelta::Deleted(_) | KeyDelta::DeletedFinalStateUnknown(_))
    }
}
