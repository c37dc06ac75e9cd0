//! [`Inbox`], adds that are not applied to the state of the queue yet.

use std::collections::VecDeque;

use crate::clock::Instant;
use crate::sync::{AtomicUsize, Mutex, Ordering};

/// Adds that are not applied yet. Those who add leave items here, under a lock that is held for a few
/// instructions, and do not take the state's memory away from the workers that are at it.
///
/// Everyone who uses the state applies these first, so that they count from when they were added. A limit of
/// one makes who adds apply it at once, which wakes a waiter.
///
/// Aligned, so that workers that use the state do not slow down those who add.
#[repr(align(128))]
pub(crate) struct Inbox<T> {
    contents: Mutex<Contents<T>>,
    /// The number of adds, so that none are looked for in vain. Each thread sees its own, and those that it
    /// has learnt of.
    count: AtomicUsize,
}

struct Contents<T> {
    adds: VecDeque<Add<T>>,
    limit: Limit,
    is_closed: bool,
}

/// The number of adds at which those who add apply them.
#[derive(Clone, Copy, Default, PartialEq)]
pub(crate) enum Limit {
    One = 1,
    /// As a waiter that was woken is expected.
    Few = if cfg!(loom) { 2 } else { 8 },
    /// As nobody waits, and workers will come; duplicates are found only then.
    #[default]
    Many = if cfg!(loom) { 3 } else { 256 },
}

/// An item that was added without a priority.
pub(crate) struct Add<T> {
    pub(crate) hash: u64,
    pub(crate) item: T,
    /// The time of the add, if it is metered.
    pub(crate) since: Option<Instant>,
}

impl<T> Inbox<T> {
    /// Puts an add in. Returns true if the caller has to apply what is here.
    #[must_use]
    pub(crate) fn push(&self, add: Add<T>) -> bool {
        let mut contents = self.contents.lock();
        if contents.is_closed {
            // Dropping the item runs foreign code, without the lock.
            drop(contents);
            return false;
        }
        contents.adds.push_back(add);
        let count = contents.adds.len();
        self.count.store(count, Ordering::Relaxed);
        count >= contents.limit as usize
    }

    /// Moves all adds to the end of `adds`.
    pub(super) fn take(&self, adds: &mut VecDeque<Add<T>>) {
        if self.count.load(Ordering::Relaxed) > 0 {
            let mut contents = self.contents.lock();
            contents.take(adds);
            self.count.store(0, Ordering::Relaxed);
        }
    }

    /// Sets the limit, and moves all adds to the end of `adds`.
    pub(super) fn set_limit(&self, limit: Limit, adds: &mut VecDeque<Add<T>>) {
        let mut contents = self.contents.lock();
        contents.limit = limit;
        contents.take(adds);
        self.count.store(0, Ordering::Relaxed);
    }

    /// Ignores further adds, and moves those that are here to the end of `adds`.
    pub(super) fn close(&self, adds: &mut VecDeque<Add<T>>) {
        let mut contents = self.contents.lock();
        contents.is_closed = true;
        contents.take(adds);
        self.count.store(0, Ordering::Relaxed);
    }
}

impl<T> Contents<T> {
    fn take(&mut self, adds: &mut VecDeque<Add<T>>) {
        if adds.is_empty() {
            std::mem::swap(&mut self.adds, adds);
        } else {
            adds.append(&mut self.adds);
        }
    }
}

impl<T> Default for Inbox<T> {
    fn default() -> Self {
        let contents = Contents { adds: VecDeque::new(), limit: Limit::default(), is_closed: false };
        Self { contents: Mutex::new(contents), count: AtomicUsize::new(0) }
    }
}
