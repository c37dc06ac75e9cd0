//! [`Deletion`], the options of a delete, and the mark that it leaves.

use klient_apimachinery::meta::PropagationPolicy;
use klient_apimachinery::values::{Map, at};

/// The options of a delete.
#[derive(Clone, Debug, Default)]
pub(crate) struct Deletion {
    pub(crate) dry_run: bool,
    /// Seconds.
    pub(crate) grace_period: Option<i64>,
    pub(crate) propagation: Option<PropagationPolicy>,
    /// The UID that the object must have.
    pub(crate) uid: Option<String>,
    /// The resourceVersion that the object must have.
    pub(crate) version: Option<String>,
}

/// Returns true if an object has a deletionTimestamp. A stored [`Object`] knows it without a look at its JSON.
///
/// [`Object`]: crate::storage::Object::is_terminating
pub(crate) fn is_terminating(object: &Map) -> bool {
    at(object, &["metadata", "deletionTimestamp"]).is_some()
}
