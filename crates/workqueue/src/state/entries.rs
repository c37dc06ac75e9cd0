//! [`Entries`], the state of each item: a table from item to slot, and an entry per slot.

use std::hash::{BuildHasher as _, Hash};
use std::ops::{Index, IndexMut};

// loom repeats a model, and needs the same hashes each time.
#[cfg(loom)]
use foldhash::fast::FixedState as RandomState;
#[cfg(not(loom))]
use foldhash::fast::RandomState;
use hashbrown::{HashTable, hash_table};
use slab::Slab;

use crate::clock::Instant;

/// The index of an item's entry, until the item is removed.
pub(crate) type Slot = u32;

/// The state of an item.
pub(crate) struct Entry<T> {
    pub(crate) item: T,
    pub(super) hash: u64,
    /// Its turn in the ready queue.
    pub(super) turn: u64,
    /// The time at which the delayed item is ready, and its turn among those of that time.
    pub(super) ready: Option<(Instant, u64)>,
    /// The highest priority it was added with since it was last handed out.
    pub(super) priority: i32,
    /// Added, and not handed out since.
    pub(super) dirty: bool,
    /// Being processed by a worker.
    pub(super) in_hand: bool,
    /// Queued without a priority.
    pub(super) plain: bool,
    /// In the duplicates.
    pub(super) duplicated: bool,
}

impl<T> Entry<T> {
    /// Returns true if the entry can be removed.
    pub(super) fn is_idle(&self) -> bool {
        !self.dirty && !self.in_hand && self.ready.is_none()
    }

    /// Returns true if the item is in the ready queue.
    pub(super) fn is_queued(&self) -> bool {
        self.dirty && !self.in_hand
    }

    /// Raises the priority, and returns the previous one.
    pub(super) fn raise(&mut self, priority: i32) -> i32 {
        let before = self.priority;
        if (!self.dirty && self.ready.is_none()) || priority > before {
            self.priority = priority;
        }
        before
    }
}

/// Hashes items outside the queue's lock, with keys of the queue's own.
#[derive(Clone, Default)]
pub(crate) struct Hasher(RandomState);

impl Hasher {
    pub(crate) fn hash(&self, item: &impl Hash) -> u64 {
        self.0.hash_one(item)
    }
}

/// The entries of all items that are dirty, delayed or being processed.
pub(crate) struct Entries<T> {
    slots: Slab<Entry<T>>,
    table: HashTable<Slot>,
    hasher: Hasher,
}

impl<T: Hash + Eq> Entries<T> {
    pub(super) fn new(hasher: Hasher) -> Self {
        Self { slots: Slab::new(), table: HashTable::new(), hasher }
    }

    /// The slot of an item. If there was one already, the given item is put in `duplicate`.
    pub(super) fn enter(&mut self, hash: u64, item: T, duplicate: &mut Option<T>) -> Slot {
        let slots = &self.slots;
        let is_it = |slot: &Slot| {
            let entry = &slots[*slot as usize];
            entry.hash == hash && entry.item == item
        };
        match self.table.entry(hash, is_it, |slot| slots[*slot as usize].hash) {
            hash_table::Entry::Occupied(found) => {
                *duplicate = Some(item);
                *found.get()
            }
            hash_table::Entry::Vacant(vacant) => {
                let entry = Entry {
                    item,
                    hash,
                    turn: 0,
                    ready: None,
                    priority: 0,
                    dirty: false,
                    in_hand: false,
                    plain: false,
                    duplicated: false,
                };
                let slot = Slot::try_from(self.slots.insert(entry)).expect("4 billion items exceed memory");
                vacant.insert(slot);
                slot
            }
        }
    }

    pub(super) fn find(&self, item: &T) -> Option<Slot> {
        let is_it = |slot: &Slot| self[*slot].item == *item;
        self.table.find(self.hasher.hash(item), is_it).copied()
    }

    pub(super) fn get(&self, slot: Slot) -> Option<&Entry<T>> {
        self.slots.get(slot as usize)
    }

    pub(super) fn remove(&mut self, slot: Slot) -> T {
        let entry = self.slots.remove(slot as usize);
        if let Ok(found) = self.table.find_entry(entry.hash, |other| *other == slot) {
            found.remove();
        }
        entry.item
    }
}

impl<T> Index<Slot> for Entries<T> {
    type Output = Entry<T>;

    fn index(&self, slot: Slot) -> &Entry<T> {
        &self.slots[slot as usize]
    }
}

impl<T> IndexMut<Slot> for Entries<T> {
    fn index_mut(&mut self, slot: Slot) -> &mut Entry<T> {
        &mut self.slots[slot as usize]
    }
}
