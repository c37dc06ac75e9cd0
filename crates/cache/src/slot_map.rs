//! [`SlotMap`], the objects of a store by slot number, with cheap snapshots.

use std::sync::Arc;

use crate::entry::Entry;

/// The number of objects per chunk. Snapshots share chunks; the next change of a shared chunk copies this
/// many pointers.
pub(crate) const CHUNK_SIZE: usize = 256;

pub(crate) type Chunk<K> = [Option<Arc<Entry<K>>>; CHUNK_SIZE];

/// Objects by slot number. Free numbers are used again.
pub(crate) struct SlotMap<K> {
    chunks: Vec<Arc<Chunk<K>>>,
    free: Vec<u32>,
    used: u32,
}

impl<K> Default for SlotMap<K> {
    fn default() -> Self {
        SlotMap { chunks: Vec::new(), free: Vec::new(), used: 0 }
    }
}

impl<K> SlotMap<K> {
    pub(crate) fn get(&self, slot: u32) -> Option<&Arc<Entry<K>>> {
        let slot = slot as usize;
        self.chunks.get(slot / CHUNK_SIZE)?[slot % CHUNK_SIZE].as_ref()
    }

    /// Adds an object in a free slot, and returns its number.
    pub(crate) fn add(&mut self, entry: Arc<Entry<K>>) -> u32 {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.used += 1;
            self.used - 1
        });
        let at = slot as usize;
        if at / CHUNK_SIZE == self.chunks.len() {
            self.chunks.push(Arc::new([const { None }; CHUNK_SIZE]));
        }
        *self.place(slot) = Some(entry);
        slot
    }

    /// Replaces the object of a slot.
    pub(crate) fn replace(&mut self, slot: u32, entry: Arc<Entry<K>>) {
        *self.place(slot) = Some(entry);
    }

    pub(crate) fn remove(&mut self, slot: u32) {
        *self.place(slot) = None;
        self.free.push(slot);
    }

    fn place(&mut self, slot: u32) -> &mut Option<Arc<Entry<K>>> {
        let at = slot as usize;
        &mut Arc::make_mut(&mut self.chunks[at / CHUNK_SIZE])[at % CHUNK_SIZE]
    }

    /// The number of slots, in use or free.
    pub(crate) fn capacity(&self) -> usize {
        self.used as usize
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &Arc<Entry<K>>)> {
        let all = self.chunks.iter().flat_map(|chunk| chunk.iter());
        (0..).zip(all).filter_map(|(slot, entry)| Some((slot, entry.as_ref()?)))
    }

    pub(crate) fn chunks(&self) -> Vec<Arc<Chunk<K>>> {
        self.chunks.clone()
    }
}
