//! [`ReadyQueue`], the items to hand out, in order.

use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};
use std::hash::Hash;

use super::entries::{Entries, Slot};
use crate::order::Order;

/// The items to hand out, in order.
pub(super) enum ReadyQueue<T> {
    ByPriority(ByPriority),
    Ordered(Box<dyn Order<T>>),
}

/// By priority, the highest first, and by turn among equals.
///
/// Items are mostly queued without a priority; these have a queue of their own, at almost no cost. An item
/// that gets a priority later leaves a gap there, recognized by its turn.
#[derive(Default)]
pub(super) struct ByPriority {
    plain: VecDeque<(u64, Slot)>,
    gaps: usize,
    others: BTreeMap<Place, Slot>,
}

type Place = (Reverse<i32>, u64);

impl<T> Default for ReadyQueue<T> {
    fn default() -> Self {
        Self::ByPriority(ByPriority::default())
    }
}

impl<T: Hash + Eq + Clone> ReadyQueue<T> {
    pub(super) fn push(&mut self, slot: Slot, turn: u64, entries: &mut Entries<T>) {
        match self {
            Self::ByPriority(queue) => queue.push(slot, turn, entries),
            Self::Ordered(order) => {
                let entry = &entries[slot];
                order.push(entry.item.clone(), entry.priority);
            }
        }
    }

    /// Called when a queued item was added again.
    pub(super) fn touch(&mut self, slot: Slot, from: i32, entries: &mut Entries<T>) {
        match self {
            Self::ByPriority(queue) => queue.raise(slot, from, entries),
            Self::Ordered(order) => {
                let entry = &entries[slot];
                order.touch(&entry.item, entry.priority);
            }
        }
    }

    /// Returns true if the order has to be told of adds that do not change the priority.
    pub(super) fn observes_touch(&self) -> bool {
        matches!(self, Self::Ordered(_))
    }

    /// Removes and returns the next item; an order returns its own clone with it.
    pub(super) fn pop(&mut self, entries: &mut Entries<T>) -> Option<(Slot, Option<T>)> {
        match self {
            Self::ByPriority(queue) => Some((queue.pop(entries)?, None)),
            Self::Ordered(order) => loop {
                let item = order.pop()?;
                let slot = entries.find(&item);
                // An order that returns an item it was not given must not hand it to two workers.
                if let Some(slot) = slot.filter(|slot| entries[*slot].is_queued()) {
                    return Some((slot, Some(item)));
                }
            },
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::ByPriority(queue) => queue.plain.len() - queue.gaps + queue.others.len(),
            Self::Ordered(order) => order.len(),
        }
    }
}

impl ByPriority {
    fn push<T: Hash + Eq>(&mut self, slot: Slot, turn: u64, entries: &mut Entries<T>) {
        let entry = &mut entries[slot];
        entry.turn = turn;
        entry.plain = entry.priority == 0;
        if entry.plain {
            self.plain.push_back((turn, slot));
        } else {
            self.others.insert((Reverse(entry.priority), turn), slot);
        }
    }

    fn raise<T: Hash + Eq>(&mut self, slot: Slot, from: i32, entries: &mut Entries<T>) {
        let entry = &mut entries[slot];
        if entry.priority == from {
            return;
        }
        if entry.plain {
            entry.plain = false;
            self.gaps += 1;
        } else {
            self.others.remove(&(Reverse(from), entry.turn));
        }
        self.others.insert((Reverse(entry.priority), entry.turn), slot);
        if self.gaps > self.plain.len() / 2 {
            self.plain.retain(|place| is_there(*place, entries));
            self.gaps = 0;
        }
    }

    fn pop<T: Hash + Eq>(&mut self, entries: &Entries<T>) -> Option<Slot> {
        let plain = loop {
            match self.plain.front() {
                Some(place) if self.gaps > 0 && !is_there(*place, entries) => {
                    self.plain.pop_front();
                    self.gaps -= 1;
                }
                first => break first.map(|(turn, _)| (Reverse(0), *turn)),
            }
        };
        match (plain, self.others.first_key_value()) {
            (Some(plain), Some((other, _))) if *other < plain => {
                self.others.pop_first().map(|(_, slot)| slot)
            }
            (None, _) => self.others.pop_first().map(|(_, slot)| slot),
            _ => self.plain.pop_front().map(|(_, slot)| slot),
        }
    }
}

fn is_there<T: Hash + Eq>((turn, slot): (u64, Slot), entries: &Entries<T>) -> bool {
    entries.get(slot).is_some_and(|entry| entry.plain && entry.turn == turn)
}
