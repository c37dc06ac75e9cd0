//! [`Event`], what handlers are told.

use std::fmt;
use std::sync::Arc;

use klient_apimachinery::Object;

use crate::cached::{Cached, Deleted};
use crate::undecodable::Undecodable;

/// What became of an object.
pub enum Event<K> {
    /// It is new to the cache.
    Added {
        /// The object.
        object: Cached<K>,
        /// It was there when the handler was added, or came with the first list.
        is_in_initial_list: bool,
    },
    /// It has changed; or it has not, and is told again because the handler asked to be told all objects now and
    /// then: both are then of the same version.
    ///
    /// One that was deleted and made again while nobody looked is told as changed, too: its uid is another.
    Updated {
        /// What the handler was told before.
        old: Cached<K>,
        /// What it is now.
        new: Cached<K>,
    },
    /// It is gone.
    Deleted(Deleted<K>),
    /// It is there, and its present version cannot be decoded. The store keeps its last state that could be, and marks
    /// it ([`Cached::undecodable`]). A later version that can be decoded is told as added or changed.
    Undecodable {
        /// The last state that could be decoded, if there is one.
        known: Option<Cached<K>>,
        /// The version that cannot be decoded, and why.
        version: Arc<Undecodable>,
    },
}

impl<K> Event<K> {
    /// The object as it is, or as it last was known to be, if it was.
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
    /// The object's key.
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
