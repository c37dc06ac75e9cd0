//! [`DecodeResult`], an object of a list or a watch after decoding, ready for a store.

use std::sync::Arc;

use klient_apimachinery::Object;

use crate::entry::Entry;
use crate::key::ObjectKey;
use crate::undecodable::Undecodable;

/// An object of a list or a watch after decoding, ready for a store.
pub(crate) enum DecodeResult<K> {
    Entry(Arc<Entry<K>>),
    Undecodable(Arc<Undecodable>),
    /// An object whose name cannot be read, so that it may be any object of the list.
    Unnamed,
}

impl<K> Clone for DecodeResult<K> {
    fn clone(&self) -> Self {
        match self {
            DecodeResult::Entry(entry) => DecodeResult::Entry(entry.clone()),
            DecodeResult::Undecodable(undecodable) => DecodeResult::Undecodable(undecodable.clone()),
            DecodeResult::Unnamed => DecodeResult::Unnamed,
        }
    }
}

impl<K: Object> DecodeResult<K> {
    pub(crate) fn key(&self) -> Option<ObjectKey> {
        match self {
            DecodeResult::Entry(entry) => Some(entry.key()),
            DecodeResult::Undecodable(undecodable) => Some(undecodable.key.clone()),
            DecodeResult::Unnamed => None,
        }
    }

    pub(crate) fn version(&self) -> &str {
        match self {
            DecodeResult::Entry(entry) => entry.version(),
            DecodeResult::Undecodable(undecodable) => &undecodable.resource_version,
            DecodeResult::Unnamed => "",
        }
    }
}
