//! [`Deletion`], the options of a delete, and the mark that it leaves.

use klient_apimachinery::values::{Map, at};

/// The fate of the objects that a deleted object owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Propagation {
    Background,
    Foreground,
    Orphan,
}

/// The options of a delete.
#[derive(Clone, Debug, Default)]
pub(crate) struct Deletion {
    pub(crate) dry_run: bool,
    /// Seconds.
    pub(crate) grace_period: Option<i64>,
    pub(crate) propagation: Option<Propagation>,
    /// The UID that the object must have.
    pub(crate) uid: Option<String>,
    /// The resourceVersion that the object must have.
    pub(crate) version: Option<String>,
}

/// Whether an object is marked for deletion. Of a stored one, [`Object`] says it.
///
/// [`Object`]: crate::storage::Object::is_terminating
pub(crate) fn is_terminating(object: &Map) -> bool {
    at(object, &["metadata", "deletionTimestamp"]).is_some()
}
