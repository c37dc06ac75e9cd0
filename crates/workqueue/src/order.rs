//! [`Order`]: the order in which queued items are handed out.

/// Decides which queued item is handed out next: see [`QueueBuilder::order`](crate::QueueBuilder::order).
///
/// By default, items of a higher priority come first, and items of equal priority in the order in which they
/// were first added. An order of one's own need not consider priorities.
///
/// Methods are called under the queue's lock: they must be quick, and must not use the queue. If one panics,
/// the item it was called for may be lost.
pub trait Order<T>: Send {
    /// Adds an item that is not in the order yet.
    fn push(&mut self, item: T, priority: i32);

    /// Called when an item in the order was added again; `priority` is the highest it was added with.
    fn touch(&mut self, _item: &T, _priority: i32) {}

    /// Removes and returns the next item.
    fn pop(&mut self) -> Option<T>;

    /// The number of items in the order.
    fn len(&self) -> usize;

    /// Returns true if there are no items.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
