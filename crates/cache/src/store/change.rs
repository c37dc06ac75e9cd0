//! [`Change`], a change of a store's contents.

use std::sync::Arc;

use klient_apimachinery::Object;

use crate::entry::Entry;
use crate::key::ObjectKey;
use crate::undecodable::Undecodable;

/// A change of a store's contents.
pub(crate) enum Change<K> {
    Added(Arc<Entry<K>>),
    Updated {
        old: Arc<Entry<K>>,
        new: Arc<Entry<K>>,
    },
    /// The state before the deletion and the final state; both `None` if the object could never be decoded.
    Deleted {
        key: ObjectKey,
        old: Option<Arc<Entry<K>>>,
        last: Option<Arc<Entry<K>>>,
        is_final_state_unknown: bool,
    },
    /// The last decodable state, marked as stale, and the version that cannot be decoded.
    Undecodable {
        known: Option<Arc<Entry<K>>>,
        version: Arc<Undecodable>,
    },
}

impl<K> Clone for Change<K> {
    fn clone(&self) -> Self {
        match self {
            Change::Added(entry) => Change::Added(entry.clone()),
            Change::Updated { old, new } => Change::Updated { old: old.clone(), new: new.clone() },
            Change::Deleted { key, old, last, is_final_state_unknown } => Change::Deleted {
                key: key.clone(),
                old: old.clone(),
                last: last.clone(),
                is_final_state_unknown: *is_final_state_unknown,
            },
            Change::Undecodable { known, version } => {
                Change::Undecodable { known: known.clone(), version: version.clone() }
            }
        }
    }
}

impl<K: Object> Change<K> {
    pub(crate) fn key(&self) -> ObjectKey {
        match self {
            Change::Added(entry) | Change::Updated { new: entry, .. } => entry.key(),
            Change::Deleted { key, .. } => key.clone(),
            Change::Undecodable { version, .. } => version.key.clone(),
        }
    }
}
