//! [`Event`], a change of an object as handlers receive it.

use std::fmt;
use std::sync::Arc;

use klient_apimachinery::Object;

use crate::cached::{Cached, Deleted};
use crate::undecodable::Undecodable;

/// A change of an object in the cache.
#[non_exhaustive]
pub enum Event<K> {
    /// The object was added to the cache.
    Added {
        /// The object's state.
        object: Cached<K>,
        /// `true` if the object was in the store when the handler was added, or came with the informer's
        /// first list.
        is_in_initial_list: bool,
    },
    /// The object was modified. At a resync, `old` and `new` are of the same version.
    ///
    /// A deletion and recreation that the watch missed is an update too; the uids differ then.
    Updated {
        /// The state that the handler received last.
        old: Cached<K>,
        /// The present state.
        new: Cached<K>,
    },
    /// The object was deleted.
    Deleted(Deleted<K>),
    /// The object's present version cannot be decoded. The store keeps its last decodable state, marked
    /// ([`Cached::undecodable`]). A later version that can be decoded comes as added or updated.
    Undecodable {
        /// The last decodable state, if there is one.
        known: Option<Cached<K>>,
        /// The version that cannot be decoded, with the error.
        version: Arc<Undecodable>,
    },
}

impl<K> Event<K> {
    /// The present state of the object, or its last known one; `None` if it could never be decoded.
    pub fn object(&self) -> Option<&Cached<K>> {
        match self {
            Event::Added { object, .. } => Some(object),
            Event::Updated { new, .. } => Some(new),
            Event::Deleted(deleted) => deleted.object.as_ref(),
            Event::Undecodable { known, .. } => known.as_ref(),
        }
    }
}

impl<K: Object> Event<K> {
    /// The key of the object.
    pub fn key(&self) -> crate::ObjectKey {
        match self {
            Event::Added { object, .. } => object.key(),
            Event::Updated { new, .. } => new.key(),
            Event::Deleted(deleted) => deleted.key.clone(),
            Event::Undecodable { version, .. } => version.key.clone(),
        }
    }
}

impl<K> Clone for Event<K> {
    fn clone(&self) -> Self {
        match self {
            Event::Added { object, is_in_initial_list } => {
                Event::Added { object: object.clone(), is_in_initial_list: *is_in_initial_list }
            }
            Event::Updated { old, new } => Event::Updated { old: old.clone(), new: new.clone() },
            Event::Deleted(deleted) => Event::Deleted(deleted.clone()),
            Event::Undecodable { known, version } => {
                Event::Undecodable { known: known.clone(), version: version.clone() }
            }
        }
    }
}

impl<K: Object> fmt::Debug for Event<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Added { object, is_in_initial_list: true } => write!(f, "Added({object:?}, initial)"),
            Event::Added { object, .. } => write!(f, "Added({object:?})"),
            Event::Updated { old, new } => write!(f, "Updated({old:?} -> {})", new.resource_version()),
            Event::Deleted(deleted) => write!(f, "Deleted({deleted:?})"),
            Event::Undecodable { version, .. } => write!(f, "Undecodable({version:?})"),
        }
    }
}
