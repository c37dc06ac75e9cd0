//! Changes, and where those who follow them stand.

use std::sync::Arc;

use tokio::sync::watch;

use super::object::{Object, Selection};

/// A change to an object.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    /// The state the change brought, or the last one of an object that is gone, at the version of the change.
    pub(crate) object: Arc<Object>,
    /// The state before, if there was one.
    pub(crate) previous: Option<Arc<Object>>,
    /// Whether the object is gone.
    pub(crate) gone: bool,
}

/// What a change is to one who sees only some objects.
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

    /// How many bytes are kept only for this change: the state before, and the last of an object that is gone.
    pub(super) fn bytes(&self) -> usize {
        let gone = self.gone.then_some(&self.object);
        self.previous.iter().chain(gone).map(|object| object.json.len()).sum()
    }

    /// What the change is to one who selects objects, perhaps of one namespace, and the state to show: one that
    /// ceases to be selected is deleted for them, and shown as it last was.
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

/// Where one who follows a table stands.
#[derive(Clone, Debug)]
pub(crate) struct Cursor {
    /// The number of the next change, counted since the table was made.
    pub(super) next: u64,
    /// Tells of changes to the table.
    pub(super) signal: watch::Receiver<u64>,
}

impl Cursor {
    /// Waits for changes that were made since some were last read.
    pub(crate) async fn changed(&mut self) {
        // A table lives as long as the store, and with it the sender.
        let _ = self.signal.changed().await;
    }
}

/// What a cursor has not seen yet.
#[derive(Debug)]
pub(crate) struct Tail {
    pub(crate) changes: Vec<Change>,
    /// The version up to which there are no other changes.
    pub(crate) version: u64,
}
