//! [`Change`]s, and [`Cursor`]s on them.

use std::sync::Arc;

use tokio::sync::watch;

use super::object::{Object, Selection};

/// A change to an object.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    /// The state after the change, or the last state of a deleted object, at the version of the change.
    pub(crate) object: Arc<Object>,
    /// The state before, if any.
    pub(crate) previous: Option<Arc<Object>>,
    /// True if the object was deleted.
    pub(crate) gone: bool,
}

/// The event type of a change for a selection of objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChangeKind {
    Added,
    Modified,
    Deleted,
}

impl Change {
    pub(crate) fn version(&self) -> u64 {
        self.object.version
    }

    /// The bytes kept only for this change: the state before, and the last state of a deleted object.
    pub(super) fn bytes(&self) -> usize {
        let gone = self.gone.then_some(&self.object);
        self.previous.iter().chain(gone).map(|object| object.json.len()).sum()
    }

    /// The event of the change for a selection of objects, optionally of one namespace, and its state: an object that
    /// no longer matches is deleted from the selection, in its last matching state.
    pub(crate) fn seen_by(
        &self,
        namespace: Option<&str>,
        selection: &Selection,
    ) -> Option<(ChangeKind, &Arc<Object>)> {
        if namespace.is_some() && self.object.key.namespace() != namespace {
            return None;
        }
        let is = !self.gone && self.object.matches(selection);
        let was = self.previous.as_ref().filter(|previous| previous.matches(selection));
        match (was, is) {
            (None, true) => Some((ChangeKind::Added, &self.object)),
            (Some(_), true) => Some((ChangeKind::Modified, &self.object)),
            (Some(_), false) if self.gone => Some((ChangeKind::Deleted, &self.object)),
            (Some(previous), false) => Some((ChangeKind::Deleted, previous)),
            (None, false) => None,
        }
    }
}

/// The position of a watch in the changes of a table.
#[derive(Clone, Debug)]
pub(crate) struct Cursor {
    /// The number of the next change, counted since the table was created.
    pub(super) next: u64,
    /// Signals changes to the table.
    pub(super) signal: watch::Receiver<u64>,
}

impl Cursor {
    /// Returns true if there are changes to the table since the cursor was made or last waited.
    pub(crate) fn has_changed(&self) -> bool {
        self.signal.has_changed().unwrap_or(true)
    }

    /// Waits for changes after those last read.
    pub(crate) async fn changed(&mut self) {
        // A table lives as long as the store, and with it the sender.
        let _ = self.signal.changed().await;
    }
}

/// The changes that a cursor has not read yet.
#[derive(Debug)]
pub(crate) struct Tail {
    pub(crate) changes: Vec<Change>,
    /// The version up to which the changes are complete.
    pub(crate) version: u64,
}
