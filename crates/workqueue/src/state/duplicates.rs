//! [`Duplicates`], a way past the queue's lock for what changes nothing.

use hashbrown::HashTable;

use crate::sync::{AtomicUsize, Mutex, Ordering};

/// Items that were added again while they wait. Events come in bursts, and those after the second find the item here,
/// without the lock that workers need.
///
/// Items in here are dirty: an item is put in when an add found it so, and taken out when it is handed out, both under the
/// queue's lock. So who finds an item here has added it before it was handed out.
pub(crate) struct Duplicates<T>(Box<[Shard<T>]>);

/// On cache lines of its own.
#[repr(align(128))]
struct Shard<T> {
    items: Mutex<HashTable<(u64, T)>>,
    /// The number of those, so that nobody locks where there are none. To see too few does no harm.
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

    pub(super) fn remove(&self, hash: u64, item: &T) -> Option<T> {
        let shard = self.shard(hash);
        let mut items = shard.items.lock();
        let found = items.find_entry(hash, |(other, found)| *other == hash && found == item).ok()?;
        let ((_, item), _) = found.remove();
        shard.count.store(items.len(), Ordering::Relaxed);
        Some(item)
    }

    fn shard(&self, hash: u64) -> &Shard<T> {
        // The highest and the lowest bits are what tells apart within a table.
        &self.0[(hash >> 32) as usize % SHARDS]
    }
}

impl<T> Default for Duplicates<T> {
    fn default() -> Self {
        let shard = |_| Shard { items: Mutex::new(HashTable::new()), count: AtomicUsize::new(0) };
        Self((0..SHARDS).map(shard).collect())
    }
}

/// Enough for the cores that add at once not to meet.
const SHARDS: usize = if cfg!(loom) { 2 } else { 32 };
