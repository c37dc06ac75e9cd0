//! What a store holds while its lock is held.

use std::cmp::Ordering;
use std::hash::BuildHasher as _;
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use klient_apimachinery::{Object, compare_resource_versions};

use super::Part;
use crate::entry::Entry;
use crate::index::{Found, Index, Indexer, Labels, Namespaces};
use crate::key::ObjectKey;
use crate::slots::SlotTable;

/// What became of a store.
pub(crate) enum Change<K> {
    Added(Arc<Entry<K>>),
    Updated {
        old: Arc<Entry<K>>,
        new: Arc<Entry<K>>,
    },
    /// What was known of it, and its last state.
    Deleted {
        old: Arc<Entry<K>>,
        last: Arc<Entry<K>>,
        is_final_state_unknown: bool,
    },
}

impl<K> Clone for Change<K> {
    fn clone(&self) -> Self {
        match self {
            Change::Added(entry) => Change::Added(entry.clone()),
            Change::Updated { old, new } => Change::Updated { old: old.clone(), new: new.clone() },
            Change::Deleted { old, last, is_final_state_unknown } => Change::Deleted {
                old: old.clone(),
                last: last.clone(),
                is_final_state_unknown: *is_final_state_unknown,
            },
        }
    }
}

impl<K: Object> Change<K> {
    pub(crate) fn key(&self) -> ObjectKey {
        match self {
            Change::Added(entry)
            | Change::Updated { new: entry, .. }
            | Change::Deleted { last: entry, .. } => entry.key(),
        }
    }
}

/// What a list changes.
pub(super) struct Replacement<K> {
    pub(super) puts: Vec<Arc<Entry<K>>>,
    pub(super) removed: Vec<ObjectKey>,
}

pub(super) struct State<K> {
    pub(super) slots: SlotTable<K>,
    pub(super) namespaces: Namespaces,
    pub(super) labels: Labels,
    keys: HashTable<u32>,
    hasher: RandomState,
    indices: Vec<Index<K>>,
    /// How far each part is.
    versions: Vec<Box<str>>,
}

impl<K> State<K> {
    pub(super) fn new(parts: usize) -> Self {
        State {
            slots: SlotTable::default(),
            namespaces: Namespaces::default(),
            labels: Labels::default(),
            keys: HashTable::new(),
            hasher: RandomState::default(),
            indices: Vec::new(),
            versions: vec![Box::default(); parts],
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

    pub(super) fn add_index(&mut self, name: Arc<str>, indexer: Indexer<K>, found: Vec<(u32, Found)>) {
        let mut index = Index::new(name, indexer);
        found.into_iter().for_each(|(slot, found)| index.put(slot, found));
        self.indices.push(index);
    }

    /// The version up to which all parts are; empty before all had their first list.
    pub(super) fn version(&self) -> &str {
        let least = self.versions.iter().reduce(|one, other| match compare_resource_versions(one, other) {
            Some(order) if order.is_gt() => other,
            None if other.is_empty() => other,
            _ => one,
        });
        least.map_or("", |version| version)
    }

    pub(super) fn part_version(&self, part: &Part) -> &str {
        self.versions.get(part.index).map_or("", |version| version)
    }

    /// Changes of a part were taken up to a version, or to a later one before.
    pub(super) fn advance(&mut self, part: &Part, version: &str) {
        let is_later = |known: &str| compare_resource_versions(known, version).is_none_or(Ordering::is_lt);
        if !version.is_empty() && is_later(self.part_version(part)) {
            self.set_version(part, version);
        }
    }

    /// A part is as it was listed, which may be earlier than it was if the server lost its history.
    pub(super) fn set_version(&mut self, part: &Part, version: &str) {
        if let Some(known) = self.versions.get_mut(part.index) {
            *known = version.into();
        }
    }
}

/// Whether a slot holds the object of a key.
fn is<K: Object>(slots: &SlotTable<K>, slot: u32, namespace: &str, name: &str) -> bool {
    slots.get(slot).is_some_and(|entry| entry.name() == name && entry.namespace.as_str() == namespace)
}

/// The hash of the key of the object in a slot that is taken.
fn hash<K: Object>(slots: &SlotTable<K>, hasher: &RandomState, slot: u32) -> u64 {
    let entry = slots.get(slot).expect("what has a key is there");
    hasher.hash_one((entry.namespace.as_str(), entry.name()))
}

impl<K: Object> State<K> {
    pub(super) fn get(&self, namespace: &str, name: &str) -> Option<&Arc<Entry<K>>> {
        self.slots.get(self.find(namespace, name)?)
    }

    fn find(&self, namespace: &str, name: &str) -> Option<u32> {
        let hash = self.hasher.hash_one((namespace, name));
        self.keys.find(hash, |slot| is(&self.slots, *slot, namespace, name)).copied()
    }

    /// Makes room for more objects at once, so that none has to move while they come.
    pub(super) fn reserve(&mut self, more: usize) {
        let (slots, hasher) = (&self.slots, &self.hasher);
        self.keys.reserve(more, |slot| hash(slots, hasher, *slot));
    }

    /// Puts an object, of which is known by what the indices find it.
    pub(super) fn put(&mut self, entry: Arc<Entry<K>>, found: Vec<Found>) -> Change<K> {
        let slot = self.find(&entry.namespace, entry.name());
        let old = slot.and_then(|slot| self.slots.replace(slot, entry.clone()));
        let slot = match (slot, &old) {
            (Some(slot), Some(old)) => {
                // An object keeps its namespace.
                if !Arc::ptr_eq(&old.labels, &entry.labels) {
                    self.labels.remove(slot, &old.labels);
                    self.labels.put(slot, &entry.labels);
                }
                slot
            }
            _ => {
                let slot = self.slots.add(entry.clone());
                let (slots, hasher) = (&self.slots, &self.hasher);
                let hash_of = |slot: u32| hash(slots, hasher, slot);
                self.keys.insert_unique(hash_of(slot), slot, |slot| hash_of(*slot));
                self.namespaces.put(slot, &entry.namespace);
                self.labels.put(slot, &entry.labels);
                slot
            }
        };
        for (index, found) in self.indices.iter_mut().zip(found) {
            index.put(slot, found);
        }
        match old {
            Some(old) => Change::Updated { old, new: entry },
            None => Change::Added(entry),
        }
    }

    /// Removes an object; `last` is its last state, if that was seen.
    pub(super) fn remove(
        &mut self,
        key: &ObjectKey,
        last: Option<Arc<Entry<K>>>,
        is_final_state_unknown: bool,
    ) -> Option<Change<K>> {
        let (namespace, name) = (key.namespace().unwrap_or_default(), key.name());
        let hash = self.hasher.hash_one((namespace, name));
        let slots = &self.slots;
        let found = self.keys.find_entry(hash, |slot| is(slots, *slot, namespace, name));
        let (slot, _) = found.ok()?.remove();
        let old = self.slots.remove(slot)?;
        self.namespaces.remove(slot, &old.namespace);
        self.labels.remove(slot, &old.labels);
        self.indices.iter_mut().for_each(|index| index.remove(slot));
        let last = last.unwrap_or_else(|| old.clone());
        Some(Change::Deleted { old, last, is_final_state_unknown })
    }

    /// What of a list is new, and what is not in it.
    pub(super) fn compare(&self, entries: Vec<Arc<Entry<K>>>, part: &Part) -> Replacement<K> {
        let mut listed = vec![false; self.slots.capacity()];
        let mut puts = Vec::new();
        if self.len() == 0 {
            return Replacement { puts: entries, removed: Vec::new() };
        }
        for entry in entries {
            let known = self.find(&entry.namespace, entry.name());
            if let Some(slot) = known {
                listed[slot as usize] = true;
            }
            // One that was on its way to the store when it was listed came twice.
            let is_known =
                known.and_then(|slot| self.slots.get(slot)).is_some_and(|known| known.is_same_state(&entry));
            if !is_known {
                puts.push(entry);
            }
        }
        let is_ours = |entry: &Entry<K>| part.namespace.as_ref().is_none_or(|ours| *ours == *entry.namespace);
        let removed = self.slots.iter().filter(|(slot, entry)| !listed[*slot as usize] && is_ours(entry));
        let removed = removed.map(|(_, entry)| entry.key()).collect();
        Replacement { puts, removed }
    }
}
