//! [`Failures`], failure counts per item.

use std::hash::Hash;
use std::sync::atomic::{AtomicUsize, Ordering};

use foldhash::HashMap;

use crate::sync::Mutex;

/// The number of failures of each item.
pub(super) struct Failures<T> {
    counts: Mutex<HashMap<T, u32>>,
    /// The number of items that have failed. It is mostly zero, and then forgetting an item needs no lock.
    /// A caller that has seen a failure counted sees this value too.
    failing: AtomicUsize,
}

impl<T: Eq + Hash + Clone> Failures<T> {
    /// Counts a failure, and returns the new count.
    pub(super) fn count(&self, item: &T) -> u32 {
        let mut counts = self.counts.lock();
        if let Some(count) = counts.get_mut(item) {
            *count = count.saturating_add(1);
            return *count;
        }
        counts.insert(item.clone(), 1);
        self.failing.store(counts.len(), Ordering::Relaxed);
        1
    }

    pub(super) fn forget(&self, item: &T) {
        if self.failing.load(Ordering::Relaxed) == 0 {
            return;
        }
        let mut counts = self.counts.lock();
        let forgotten = counts.remove_entry(item);
        self.failing.store(counts.len(), Ordering::Relaxed);
        drop(counts);
        drop(forgotten);
    }

    pub(super) fn of(&self, item: &T) -> u32 {
        self.counts.lock().get(item).copied().unwrap_or(0)
    }
}

impl<T> Default for Failures<T> {
    fn default() -> Self {
        Self { counts: Mutex::new(HashMap::default()), failing: AtomicUsize::new(0) }
    }
}
