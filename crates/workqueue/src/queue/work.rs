//! [`Work`], an item in progress.

use std::fmt;
use std::hash::Hash;
use std::ops::Deref;

use super::Queue;
use crate::state::Slot;

/// An item that a worker processes. Dropping it marks the item as done (client-go's `Done`), so that an early
/// return, a panic or an aborted task does not block the item.
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

    /// The highest priority that the item was added with since it was last handed out. Add it with the same
    /// to retry it as urgently.
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

/// Formats as the item, for logs.
impl<T: Eq + Hash + Clone + Send + fmt::Display + 'static> fmt::Display for Work<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.item.fmt(f)
    }
}

impl<T: Eq + Hash + Clone + Send + fmt::Debug + 'static> fmt::Debug for Work<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Work").field(&self.item).finish()
    }
}
