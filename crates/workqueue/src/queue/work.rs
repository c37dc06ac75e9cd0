//! [`Work`], an item in a worker's hands.

use std::fmt;
use std::hash::Hash;
use std::ops::Deref;

use super::Queue;
use crate::state::Slot;

/// An item in a worker's hands. Dropping it says that the worker is done: so neither an early return, nor a panic, nor a
/// task that was aborted keeps the item from being handed out again.
pub struct Work<T: Eq + Hash + Clone + Send + 'static> {
    queue: Queue<T>,
    slot: Slot,
    item: T,
    priority: i32,
}

impl<T: Eq + Hash + Clone + Send + 'static> Work<T> {
    pub(super) fn new(queue: Queue<T>, slot: Slot, item: T, priority: i32) -> Self {
        Self { queue, slot, item, priority }
    }

    /// The highest priority that the item was added with since it was last handed out. To try it again as urgently,
    /// add it with the same.
    pub fn priority(&self) -> i32 {
        self.priority
    }
}

impl<T: Eq + Hash + Clone + Send + 'static> Drop for Work<T> {
    fn drop(&mut self) {
        self.queue.with(|state, effects| state.done(self.slot, effects));
    }
}

impl<T: Eq + Hash + Clone + Send + 'static> Deref for Work<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.item
    }
}

impl<T: Eq + Hash + Clone + Send + fmt::Debug + 'static> fmt::Debug for Work<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Work").field(&self.item).finish()
    }
}
