//! [`State`], the contents of a store, behind its lock.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use klient_apimachinery::{Object, compare_resource_versions};

use super::keys::Keys;
use super::{Change, Partition};
use crate::decode_result::DecodeResult;
use crate::entry::Entry;
use crate::index::{Index, IndexValues, Indexer, LabelIndex, NamespaceIndex};
use crate::key::ObjectKey;
use crate::slot_map::SlotMap;
use crate::undecodable::Undecodable;

/// The difference between a store and a list.
pub(super) struct Replacement<K> {
    pub(super) puts: Vec<DecodeResult<K>>,
    pub(super) removed: Vec<ObjectKey>,
}

pub(super) struct State<K> {
    pub(super) slots: SlotMap<K>,
    pub(super) namespaces: NamespaceIndex,
    pub(super) labels: LabelIndex,
    /// The object versions that cannot be decoded.
    pub(super) undecodable: HashMap<ObjectKey, Arc<Undecodable>>,
    keys: Keys<K>,
    indices: Vec<Index<K>>,
    /// The resourceVersion of each partition.
    versions: Vec<Box<str>>,
}

impl<K> State<K> {
    pub(super) fn new(partitions: usize) -> Self {
        State {
            slots: SlotMap::default(),
            namespaces: NamespaceIndex::default(),
            labels: LabelIndex::default(),
            undecodable: HashMap::new(),
            keys: Keys::default(),
            indices: Vec::new(),
            versions: vec![Box::default(); partitions],
        }
    }

    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    pub(super) fn index(&self, name: &str) -> Option<&Index<K>> {
        self.indices.iter().find(|index| *index.name == *name)
    }

    pub(super) fn indexers(&self) -> Vec<(Arc<str>, Indexer<K>)> {
        self.indices.iter().map(|index| (index.name.clone(), index.indexer.clone())).collect()
    }

    pub(super) fn add_index(&mut self, name: Arc<str>, indexer: Indexer<K>, found: Vec<(u32, IndexValues)>) {
        let mut index = Index::new(name, indexer);
        found.into_iter().for_each(|(slot, found)| index.put(slot, found));
        self.indices.push(index);
    }

    /// The lowest resourceVersion of all partitions; empty before each has had its first list.
    pub(super) fn version(&self) -> &str {
        self.version_among(|_| true)
    }

    /// The lowest resourceVersion of some partitions, by their indices; empty if there are none, or before each of them
    /// has had its first list.
    pub(super) fn version_among(&self, counts: impl Fn(usize) -> bool) -> &str {
        let versions = self.versions.iter().enumerate().filter(|(index, _)| counts(*index));
        let versions = versions.map(|(_, version)| &**version);
        let least = versions.reduce(|one, other| match compare_resource_versions(one, other) {
            Some(order) if order.is_gt() => other,
            None if other.is_empty() => other,
            _ => one,
        });
        least.unwrap_or_default()
    }

    pub(super) fn partition_version(&self, partition: &Partition) -> &str {
        self.versions.get(partition.index).map_or("", |version| version)
    }

    /// Advances the version of a partition, unless it is later already.
    pub(super) fn advance(&mut self, partition: &Partition, version: &str) {
        let is_later = |known: &str| compare_resource_versions(known, version).is_none_or(Ordering::is_lt);
        if !version.is_empty() && is_later(self.partition_version(partition)) {
            self.set_version(partition, version);
        }
    }

    /// Sets the version of a partition to that of a list, which may be earlier if the server lost its
    /// history.
    pub(super) fn set_version(&mut self, partition: &Partition, version: &str) {
        if let Some(known) = self.versions.get_mut(partition.index) {
            *known = version.into();
        }
    }
}

impl<K: Object> State<K> {
    pub(super) fn get(&self, namespace: &str, name: &str) -> Option<&Arc<Entry<K>>> {
        self.keys.find(namespace, name).map(|(_, entry)| entry)
    }

    fn slot(&self, namespace: &str, name: &str) -> Option<u32> {
        self.keys.find(namespace, name).map(|(slot, _)| slot)
    }

    /// Reserves memory for more objects, so that the table does not grow while they are added.
    pub(super) fn reserve(&mut self, more: usize) {
        self.keys.reserve(more);
    }

    /// Inserts or replaces an object with its index values.
    pub(super) fn put(&mut self, entry: Arc<Entry<K>>, found: Vec<IndexValues>) -> Change<K> {
        if !self.undecodable.is_empty() {
            self.undecodable.remove(&entry.key());
        }
        let known = self.keys.replace(&entry);
        let slot = match &known {
            Some((slot, old)) => {
                let slot = *slot;
                self.slots.replace(slot, entry.clone());
                // The namespace of an object never changes.
                if !Arc::ptr_eq(&old.labels, &entry.labels) {
                    self.labels.remove(slot, &old.labels);
                    self.labels.put(slot, &entry.labels);
                }
                slot
            }
            None => {
                let slot = self.slots.add(entry.clone());
                self.keys.insert(slot, entry.clone());
                self.namespaces.put(slot, &entry.namespace);
                self.labels.put(slot, &entry.labels);
                slot
            }
        };
        for (index, found) in self.indices.iter_mut().zip(found) {
            index.put(slot, found);
        }
        match known {
            Some((_, old)) => Change::Updated { old, new: entry },
            None => Change::Added(entry),
        }
    }

    /// Marks an object's present version as undecodable; `None` if it is marked already.
    pub(super) fn mark_undecodable(&mut self, version: Arc<Undecodable>) -> Option<Change<K>> {
        let known = self.get(version.key.namespace().unwrap_or_default(), version.key.name()).cloned();
        let is_same = |uid: &str, resource_version: &str| version.is_version(uid, resource_version);
        let is_known = self.undecodable.get(&version.key).is_some_and(|known| is_same(&known.uid, &known.resource_version))
            // The version could be decoded before.
            || known.as_ref().is_some_and(|known| is_same(known.uid(), known.version()));
        if is_known {
            return None;
        }
        let version = match known {
            Some(_) => {
                let error = version.error.clone().keeping_last_state();
                Arc::new(Undecodable { error, ..Undecodable::clone(&version) })
            }
            None => version,
        };
        let known = known.map(|known| {
            let stale = Arc::new(Entry::stale(&known, version.clone()));
            if let Some((slot, _)) = self.keys.replace(&stale) {
                self.slots.replace(slot, stale.clone());
            }
            stale
        });
        self.undecodable.insert(version.key.clone(), version.clone());
        Some(Change::Undecodable { known, version })
    }

    /// Removes an object; `last` is its final state, if that was observed.
    pub(super) fn remove(
        &mut self,
        key: &ObjectKey,
        last: Option<Arc<Entry<K>>>,
        is_final_state_unknown: bool,
    ) -> Option<Change<K>> {
        let (namespace, name) = (key.namespace().unwrap_or_default(), key.name());
        let was_undecodable = !self.undecodable.is_empty() && self.undecodable.remove(key).is_some();
        let Some((slot, old)) = self.keys.remove(namespace, name) else {
            // Handlers that received the undecodable version receive its deletion.
            return was_undecodable.then(|| Change::Deleted {
                key: key.clone(),
                old: None,
                last,
                is_final_state_unknown,
            });
        };
        self.slots.remove(slot);
        self.namespaces.remove(slot, &old.namespace);
        self.labels.remove(slot, &old.labels);
        self.indices.iter_mut().for_each(|index| index.remove(slot));
        let last = last.unwrap_or_else(|| old.clone());
        Some(Change::Deleted { key: key.clone(), old: Some(old), last: Some(last), is_final_state_unknown })
    }

    /// The objects of a list that are new or changed, and the keys that it leaves out. None is removed if the
    /// list has an object without a readable name.
    pub(super) fn diff_list(&self, decoded: Vec<DecodeResult<K>>, partition: &Partition) -> Replacement<K> {
        if self.len() == 0 && self.undecodable.is_empty() {
            return Replacement { puts: decoded, removed: Vec::new() };
        }
        let mut listed = vec![false; self.slots.capacity()];
        let mut puts = Vec::new();
        let mut has_unnamed = false;
        let mut gone = self.undecodable.clone();
        for decoded in decoded {
            if !gone.is_empty()
                && let Some(key) = decoded.key()
            {
                gone.remove(&key);
            }
            let entry = match decoded {
                DecodeResult::Entry(entry) => entry,
                DecodeResult::Undecodable(version) => {
                    let known = self.slot(version.key.namespace().unwrap_or_default(), version.key.name());
                    if let Some(slot) = known {
                        listed[slot as usize] = true;
                    }
                    puts.push(DecodeResult::Undecodable(version));
                    continue;
                }
                DecodeResult::Unnamed => {
                    has_unnamed = true;
                    continue;
                }
            };
            let known = self.keys.find(&entry.namespace, entry.name());
            if let Some((slot, _)) = known {
                listed[slot as usize] = true;
            }
            // The list repeats a state that the watch has brought already.
            let is_known = known.is_some_and(|(_, known)| known.is_same_state(&entry));
            if !is_known {
                puts.push(DecodeResult::Entry(entry));
            }
        }
        if has_unnamed {
            return Replacement { puts, removed: Vec::new() };
        }
        let is_in_partition =
            |namespace: &str| partition.namespace.as_ref().is_none_or(|own| *own == *namespace);
        let removed = self
            .slots
            .iter()
            .filter(|(slot, entry)| !listed[*slot as usize] && is_in_partition(&entry.namespace));
        let removed = removed.map(|(_, entry)| entry.key());
        // Objects that could never be decoded have no slot.
        let gone = gone.into_keys().filter(|key| {
            let namespace = key.namespace().unwrap_or_default();
            is_in_partition(namespace) && self.slot(namespace, key.name()).is_none()
        });
        Replacement { puts, removed: removed.chain(gone).collect() }
    }
}
