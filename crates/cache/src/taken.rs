//! [`Taken`], an object on its way into a store.

use std::sync::Arc;

use klient_apimachinery::Object;

use crate::entry::Entry;
use crate::key::ObjectKey;
use crate::undecodable::Undecodable;

/// An object on its way into a store.
pub(crate) enum Taken<K> {
    Entry(Arc<Entry<K>>),
    Undecodable(Arc<Undecodable>),
    /// An object of a list of which not even the name can be read, so that it may be any.
    Unnamed,
}

impl<K> Clone for Taken<K> {
    fn clone(&self) -> Self {
        match self {
            Taken::Entry(entry) => Taken::Entry(entry.clone()),
            Taken::Undecodable(undecodable) => Taken::Undecodable(undecodable.clone()),
            Taken::Unnamed => Taken::Unnamed,
        }
    }
}

impl<K: Object> Taken<K> {
    pub(crate) fn key(&self) -> Option<ObjectKey> {
        match self {
            Taken::Entry(entry) => Some(entry.key()),
            Taken::Undecodable(undecodable) => Some(undecodable.key.clone()),
            Taken::Unnamed => None,
        }
    }

    pub(crate) fn version(&self) -> &str {
        match self {
            Taken::Entry(entry) => entry.version(),
            Taken::Undecodable(undecodable) => &undecodable.resource_version,
            Taken::Unnamed => "",
        }
    }
}
