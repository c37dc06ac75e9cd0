//! [`Order`]: which of the queued items comes next.

/// Decides which of the queued items comes next; see [`Builder::order`](crate::Builder::order).
///
/// Without one, a queue hands out items of a higher priority first, and those of equal priority in the order in
/// which they were first added. An order that disregards priorities is free to do so.
///
/// The queue calls it under its lock: methods must be quick, and must not call the queue. If one panics, the item it was
/// called for may not come out again.
pub trait Order<T>: Send {
    /// Takes in an item, which is not in the order yet.
    fn push(&mut self, item: T, priority: i32);

    /// Learns that an item was added again. `priority` is the highest that it was added with. The item is in the
    /// order.
    fn touch(&mut self, _item: &T, _priority: i32) {}

    /// Gives the next item.
    fn pop(&mut self) -> Option<T>;

    /// The number of items in the order.
    fn len(&self) -> usize;

    /// Returns true if there are no items.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
