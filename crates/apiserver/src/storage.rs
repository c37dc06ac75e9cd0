//! Storage of objects: every change has a version, and recent versions can be read.
//!
//! - one counter numbers all changes to all resources, so versions are comparable across kinds;
//! - a change is committed only on the version it was computed from;
//! - recent changes are kept: lists can be read at an earlier version, and watches resume from one;
//! - objects are stored encoded, so that lists and watches copy bytes instead of encoding again;
//! - objects are encoded before they are committed: a commit only inserts the version.
//!
//! Every [`Storage`] has these properties, which `conformance.rs` tests.

#[cfg(test)]
mod conformance;
mod draft;
mod history;
mod memory;
mod object;
mod table;

use std::sync::Arc;
use std::time::Duration;

use klient_apimachinery::BoxFuture;

pub(crate) use draft::{Draft, VERSION_PLACEHOLDER};
pub(crate) use history::{Change, ChangeKind, Cursor, Tail};
pub(crate) use memory::Memory;
pub(crate) use object::{Key, Object, Selection, Unchanged};
pub(crate) use table::{Listed, Page};

/// The group and plural under which objects are stored, for all served versions.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct TableId(pub(crate) Arc<str>);

impl TableId {
    /// The table of a built-in resource.
    pub(crate) fn built_in(group: &str, plural: &str) -> Self {
        TableId(format!("{group}/{plural}").into())
    }

    /// The table of a definition's objects, which is never that of a built-in resource with the same names.
    pub(crate) fn custom(group: &str, plural: &str) -> Self {
        TableId(format!("custom/{group}/{plural}").into())
    }
}

/// All objects of a server. Reads are served from memory; a commit may wait until the change is durable.
pub(crate) trait Storage: Send + Sync {
    /// The version of the last change.
    fn version(&self) -> u64;

    /// Waits until a version is reached.
    ///
    /// # Errors
    ///
    /// [`Future`](StorageError::Future) with the latest version if that takes longer than `limit`.
    fn wait_for(&self, version: u64, limit: Duration) -> BoxFuture<'_, Result<(), StorageError>>;

    /// An object.
    fn get(&self, table: &TableId, key: &Key) -> Option<Arc<Object>>;

    /// Commits a change, and returns the stored object. Readers see it when this returns, and not before it is
    /// durable.
    ///
    /// # Errors
    ///
    /// [`Exists`](StorageError::Exists) or [`Changed`](StorageError::Changed); nothing is changed then.
    fn commit<'a>(
        &'a self,
        table: &'a TableId,
        write: Write<'a>,
    ) -> BoxFuture<'a, Result<Arc<Object>, StorageError>>;

    /// Lists objects of a table, at the latest or an earlier version.
    ///
    /// # Errors
    ///
    /// [`Compacted`](StorageError::Compacted) or [`Future`](StorageError::Future).
    fn list(&self, table: &TableId, at: Option<u64>, page: &Page<'_>) -> Result<Listed, StorageError>;

    /// The current objects of a table, of a namespace or of all.
    fn all(&self, table: &TableId, namespace: Option<&str>) -> Vec<Arc<Object>> {
        let page = Page { namespace, selection: &Selection::default(), start: None, limit: None };
        self.list(table, None, &page).expect("the latest state is always kept").objects
    }

    /// A cursor on the changes after a version.
    ///
    /// # Errors
    ///
    /// [`Compacted`](StorageError::Compacted).
    fn watch_from(&self, table: &TableId, version: u64) -> Result<Cursor, StorageError>;

    /// The objects of a table and a cursor on the changes after them.
    fn watch_all(&self, table: &TableId, page: &Page<'_>) -> (Listed, Cursor);

    /// The next changes of a cursor, and the version up to which they are complete.
    ///
    /// # Errors
    ///
    /// [`Compacted`](StorageError::Compacted) if changes that the cursor has not read were compacted.
    fn read_changes(&self, table: &TableId, cursor: &mut Cursor) -> Result<Tail, StorageError>;

    /// Waits until changes that a cursor has not read are compacted.
    fn overtakes<'a>(&'a self, table: &'a TableId, cursor: &'a Cursor) -> BoxFuture<'a, ()>;

    /// Compacts all changes; watches cannot resume from an earlier version.
    fn compact(&self);
}

/// A change to one object.
pub(crate) enum Write<'a> {
    /// Creates an object, if the objects it depends on are unchanged.
    Create { object: Draft, needs: &'a [Unchanged] },
    /// Updates an object that is at version `from`.
    Update { object: Draft, from: u64 },
    /// Removes an object that is at version `from`; watches see its `last` state.
    Delete { last: Draft, from: u64 },
}

/// The reason why a change or a read fails.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum StorageError {
    /// The object exists already.
    Exists,
    /// The object does not exist, or it or another is no longer at the version the change was computed from.
    Changed,
    /// The version has been compacted.
    Compacted {
        /// The oldest readable version.
        oldest: u64,
    },
    /// The version has not been reached yet.
    Future {
        /// The latest version.
        latest: u64,
    },
}
