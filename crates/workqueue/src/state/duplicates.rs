//! [`Duplicates`], which answers adds without effect outside the queue's lock.

use hashbrown::HashTable;

use crate::sync::{AtomicUsize, Mutex, Ordering};

/// Items that were added again while they are queued. Events come in bursts, and all after the second find
/// the item here, without the lock that workers need.
///
/// An item is in here only while it is dirty: it is inserted when an add finds it dirty, and removed when it
/// is handed out, both under the queue's lock. An add that finds its item here therefore happens before the
/// item is handed out.
pub(crate) struct Duplicates<T>(Box<[Shard<T>]>);

/// Aligned, so that shards share no cache line.
#[repr(align(128))]
struct Shard<T> {
    items: Mutex<HashTable<(u64, T)>>,
    /// The number of items, so that empty shards are not locked. Reading too low a number is harmless.
    count: AtomicUsize,
}

impl<T: Eq> Duplicates<T> {
    pub(crate) fn contains(&self, hash: u64, item: &T) -> bool {
        let shard = self.shard(hash);
        shard.count.load(Ordering::Relaxed) > 0
            && shard.items.lock().find(hash, |(other, found)| *other == hash && found == item).is_some()
    }

    pub(super) fn insert(&self, hash: u64, item: T) {
        let shard = self.shard(hash);
        let mut items = shard.items.lock();
        items.insert_unique(hash, (hash, item), |(hash, _)| *hash);
        shard.count.store(items.len(), Ordering::Relaxed);
    }

    /// Removes the items of a hash. Those that equal another item are recorded no longer, which is harmless,
    /// and comparing them could panic.
    pub(super) fn remove(&self, hash: u64, mut dropped: impl FnMut(T)) {
        let shard = self.shard(hash);
        let mut items = shard.items.lock();
        while let Ok(found) = items.find_entry(hash, |(other, _)| *other == hash) {
            let ((_, item), _) = found.remove();
            dropped(item);
        }
        shard.count.store(items.len(), Ordering::Relaxed);
    }

    fn shard(&self, hash: u64) -> &Shard<T> {
        // The table uses the highest and the lowest bits.
        &self.0[(hash >> 32) as usize % SHARDS]
    }
}

impl<T> Default for Duplicates<T> {
    fn default() -> Self {
        let shard = |_| Shard { items: Mutex::new(HashTable::new()), count: AtomicUsize::new(0) };
        Self((0..SHARDS).map(shard).collect())
    }
}

/// Enough shards for concurrent adds to rarely meet.
const SHARDS: usize = if cfg!(loom) { 2 } else { 32 };
