//! [`Keys`], the objects of a store by key.

use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use klient_apimachinery::Object;

use crate::entry::Entry;

/// The objects by key, and their slots. A lookup reads the table and the object, and nothing in between.
pub(super) struct Keys<K> {
    table: HashTable<Keyed<K>>,
    hasher: RandomState,
}

struct Keyed<K> {
    entry: Arc<Entry<K>>,
    slot: u32,
    hash: u32,
}

impl<K> Keys<K> {
    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    /// Reserves memory for more objects, so that the table does not grow while they are added.
    pub(super) fn reserve(&mut self, more: usize) {
        self.table.reserve(more, |keyed| spread(keyed.hash));
    }

    fn hash(&self, namespace: &str, name: &str) -> u32 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(namespace.as_bytes());
        hasher.write(name.as_bytes());
        let hash = hasher.finish();
        (hash ^ (hash >> 32)) as u32
    }
}

impl<K: Object> Keys<K> {
    pub(super) fn find(&self, namespace: &str, name: &str) -> Option<(u32, &Arc<Entry<K>>)> {
        let hash = self.hash(namespace, name);
        let found = self.table.find(spread(hash), |keyed| keyed.is(hash, namespace, name))?;
        Some((found.slot, &found.entry))
    }

    /// Replaces the object with the same key, if there is one; returns its slot and the old object.
    pub(super) fn replace(&mut self, entry: &Arc<Entry<K>>) -> Option<(u32, Arc<Entry<K>>)> {
        let (namespace, name) = (entry.namespace.as_str(), entry.name());
        let hash = self.hash(namespace, name);
        let found = self.table.find_mut(spread(hash), |keyed| keyed.is(hash, namespace, name))?;
        Some((found.slot, std::mem::replace(&mut found.entry, entry.clone())))
    }

    /// Adds an object whose key is not here.
    pub(super) fn insert(&mut self, slot: u32, entry: Arc<Entry<K>>) {
        let hash = self.hash(&entry.namespace, entry.name());
        self.table.insert_unique(spread(hash), Keyed { entry, slot, hash }, |keyed| spread(keyed.hash));
    }

    pub(super) fn remove(&mut self, namespace: &str, name: &str) -> Option<(u32, Arc<Entry<K>>)> {
        let hash = self.hash(namespace, name);
        let found = self.table.find_entry(spread(hash), |keyed| keyed.is(hash, namespace, name)).ok()?;
        let (keyed, _) = found.remove();
        Some((keyed.slot, keyed.entry))
    }
}

impl<K: Object> Keyed<K> {
    fn is(&self, hash: u32, namespace: &str, name: &str) -> bool {
        self.hash == hash && self.entry.name() == name && self.entry.namespace.as_str() == namespace
    }
}

impl<K> Default for Keys<K> {
    fn default() -> Self {
        Keys { table: HashTable::new(), hasher: RandomState::default() }
    }
}

/// The bits of a hash where a table looks for them: the highest and the lowest.
fn spread(hash: u32) -> u64 {
    u64::from(hash) << 32 | u64::from(hash)
}
