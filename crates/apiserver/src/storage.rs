//! Where objects live: every change has a version, and the recent past can still be read.
//!
//! - one counter numbers all changes to all resources, so versions compare across kinds;
//! - a change is made only on the version it was computed from;
//! - the last changes are kept: lists can be read as of an earlier version, and watches go on from one;
//! - objects are kept encoded, so that lists and watches copy bytes instead of encoding again;
//! - objects are encoded before they are committed: a commit only puts the version into them.
//!
//! Every [`Storage`] keeps these promises, which `conformance.rs` tests.

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

/// The group and plural under which objects are stored, whatever versions serve them.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct TableId(pub(crate) Arc<str>);

/// All objects of a server. Reads are answered from memory; a commit may wait until the change is durable.
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

    /// Makes a change, and gives the object as it is stored. Readers see it when this returns, and not before it is
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

    /// Lists objects of a table, as they are or as they were at a version.
    ///
    /// # Errors
    ///
    /// [`Compacted`](StorageError::Compacted) or [`Future`](StorageError::Future).
    fn list(&self, table: &TableId, at: Option<u64>, page: &Page<'_>) -> Result<Listed, StorageError>;

    /// The objects of a table as they are, of a namespace or of all.
    fn all(&self, table: &TableId, namespace: Option<&str>) -> Vec<Arc<Object>> {
        let page = Page { namespace, selection: &Selection::default(), start: None, limit: None };
        self.list(table, None, &page).expect("the latest state is always kept").objects
    }

    /// A cursor on the changes behind a version.
    ///
    /// # Errors
    ///
    /// [`Compacted`](StorageError::Compacted).
    fn watch_from(&self, table: &TableId, version: u64) -> Result<Cursor, StorageError>;

    /// The objects of a table and a cursor on the changes behind them.
    fn watch_all(&self, table: &TableId, page: &Page<'_>) -> (Listed, Cursor);

    /// The next changes of a cursor, and the version up to which there are no others.
    ///
    /// # Errors
    ///
    /// [`Compacted`](StorageError::Compacted) if changes that the cursor has not read are forgotten.
    fn read_changes(&self, table: &TableId, cursor: &mut Cursor) -> Result<Tail, StorageError>;

    /// Waits until changes that a cursor has not read are forgotten.
    fn overtakes<'a>(&'a self, table: &'a TableId, cursor: &'a Cursor) -> BoxFuture<'a, ()>;

    /// Forgets all changes; watches cannot go on from an earlier version.
    fn compact(&self);
}

/// A change to one object.
pub(crate) enum Write<'a> {
    /// Puts a new object, if those that it needs are as they were.
    Create { object: Draft, needs: &'a [Unchanged] },
    /// Puts a new state of an object that is at version `from`.
    Update { object: Draft, from: u64 },
    /// Removes an object that is at version `from`; watches see its `last` state.
    Delete { last: Draft, from: u64 },
}

/// The reason why a change is not made, or something cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum StorageError {
    /// The object is there already.
    Exists,
    /// The object is not there, or it or another is no longer at the version the change was computed from.
    Changed,
    /// The version is older than what is kept.
    Compacted {
        /// The oldest version that can still be read.
        oldest: u64,
    },
    /// The version has not been reached yet.
    Future {
        /// The latest version.
        latest: u64,
    },
}
