//! [`Snapshot`], all objects of a store at one time.

use std::fmt;
use std::sync::Arc;

use crate::cached::Cached;
use crate::entry::Entry;
use crate::slot_map::{CHUNK_SIZE, Chunk};

/// All objects of a store at one time, in no particular order. Taking one copies a pointer per 256 objects;
/// holding one blocks neither readers nor writers.
pub struct Snapshot<K> {
    chunks: Arc<[Arc<Chunk<K>>]>,
    length: usize,
    version: Box<str>,
}

impl<K> Snapshot<K> {
    pub(crate) fn new(chunks: Vec<Arc<Chunk<K>>>, length: usize, version: &str) -> Self {
        Snapshot { chunks: chunks.into(), length, version: version.into() }
    }

    /// The number of objects.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Returns true if there are no objects.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The resourceVersion that the store had reached; empty before the first list.
    pub fn resource_version(&self) -> &str {
        &self.version
    }

    /// Handles to the objects.
    pub fn iter(&self) -> impl Iterator<Item = Cached<K>> {
        self.entries().map(|entry| Cached::new(entry.clone()))
    }

    /// The next object at or after an index; moves the index onto it.
    pub(crate) fn next(&self, place: &mut usize) -> Option<&Arc<Entry<K>>> {
        loop {
            let chunk = self.chunks.get(*place / CHUNK_SIZE)?;
            match &chunk[*place % CHUNK_SIZE] {
                Some(entry) => return Some(entry),
                None => *place += 1,
            }
        }
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = &Arc<Entry<K>>> {
        self.chunks.iter().flat_map(|chunk| chunk.iter()).flatten()
    }
}

impl<K> Clone for Snapshot<K> {
    fn clone(&self) -> Self {
        Snapshot { chunks: self.chunks.clone(), length: self.length, version: self.version.clone() }
    }
}

impl<K> fmt::Debug for Snapshot<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Snapshot({} objects at {})", self.length, self.version)
    }
}
