//! [`State`], the state of a queue, all of it under one lock. It has no tasks and does no I/O: actions
//! outside the lock are left in [`Effects`].
//!
//! Invariants whenever the lock is free:
//!
//! - an item is in the ready queue if and only if it is dirty and no worker has it;
//! - of the waiters, as many have been woken for items in the ready queue and have not come yet as there are
//!   such items, or nearly so for many items: see `to_wake`;
//! - the limit of the inbox is one if a waiter has to be woken for the next item, few if a waiter exists, and
//!   many otherwise: all who come to wait look into the inbox first;
//! - if an item is delayed and a waiter exists in `get`, one of the waiters keeps the time or has been woken.

mod duplicates;
mod effects;
mod entries;
mod inbox;
mod ready_queue;

use std::collections::{BTreeSet, VecDeque};
use std::hash::Hash;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use crate::clock::Instant;
use crate::metrics::Meter;
use crate::order::Order;
pub(crate) use duplicates::Duplicates;
pub(crate) use effects::Effects;
use effects::contained;
use entries::Entries;
pub(crate) use entries::{Hasher, Slot};
use inbox::Limit;
pub(crate) use inbox::{Add, Inbox};
use ready_queue::ReadyQueue;

/// The state of a queue.
pub(crate) struct State<T> {
    entries: Entries<T>,
    ready_queue: ReadyQueue<T>,
    duplicates: Arc<Duplicates<T>>,
    inbox: Arc<Inbox<T>>,
    /// Adds taken from the inbox and not applied yet: none when the lock is free.
    adds: VecDeque<Add<T>>,
    /// The limit of the inbox.
    limit: Limit,
    /// Items in the ready queue for which it was not found empty since.
    available: usize,
    /// Delayed items, by time and turn.
    waiting: BTreeSet<(Instant, u64, Slot)>,
    /// Waiters in `get`, the longest waiting first.
    getters: VecDeque<(Ticket, Waker)>,
    /// The number of waiters that were woken for items and are still expected: at most `available`. A waiter
    /// whose item somebody else took is not expected, as it may not be run for long.
    claims: usize,
    /// The waiter in `getters` that comes back when the first of `waiting` is ready.
    timekeeper: Option<Ticket>,
    /// The number of items that workers have.
    in_hand: usize,
    phase: Phase,
    drains: Vec<Waker>,
    turns: u64,
    meter: Option<Meter>,
}

/// The place of a waiter in `get`.
pub(crate) type Ticket = u64;

#[derive(Clone, Copy, PartialEq)]
enum Phase {
    Open,
    /// Adds are ignored.
    Down,
    /// Adds are ignored, and a caller waits until no worker has an item.
    Draining,
}

/// The result of [`State::take`].
pub(crate) enum TakeResult<T> {
    Item(Slot, T, i32),
    /// Nothing is ready. The waker will be called, except that the caller itself comes back at the instant,
    /// if there is one.
    Wait(Option<Instant>),
    /// Nothing is ready, and nothing will be.
    End,
}

impl<T: Hash + Eq + Clone> State<T> {
    pub(crate) fn new(
        hasher: Hasher,
        duplicates: Arc<Duplicates<T>>,
        inbox: Arc<Inbox<T>>,
        order: Option<Box<dyn Order<T>>>,
        meter: Option<Meter>,
    ) -> Self {
        Self {
            entries: Entries::new(hasher),
            ready_queue: order.map_or_else(ReadyQueue::default, ReadyQueue::Ordered),
            duplicates,
            inbox,
            adds: VecDeque::new(),
            limit: Limit::default(),
            available: 0,
            waiting: BTreeSet::new(),
            getters: VecDeque::new(),
            claims: 0,
            timekeeper: None,
            in_hand: 0,
            phase: Phase::Open,
            drains: Vec::new(),
            turns: 0,
            meter,
        }
    }

    /// Applies the adds in the inbox.
    pub(crate) fn collect(&mut self, effects: &mut Effects<T>) {
        self.inbox.take(&mut self.adds);
        self.apply(effects);
    }

    /// Applies the adds taken from the inbox. One that panics, as it may when items are compared, which is
    /// before anything is changed, is lost alone: the caller may be somebody else.
    fn apply(&mut self, effects: &mut Effects<T>) {
        while !self.adds.is_empty() {
            contained(|| self.apply_all(effects));
        }
    }

    fn apply_all(&mut self, effects: &mut Effects<T>) {
        while let Some(Add { hash, item, since }) = self.adds.pop_front() {
            effects.keep_room();
            self.add(hash, item, 0, since, effects);
        }
        effects.keep_room();
    }

    /// Restores the invariants on waiters; the last act before the lock is free.
    pub(crate) fn settle(&mut self, effects: &mut Effects<T>) {
        loop {
            while self.claims < Self::to_wake(self.available) && !self.getters.is_empty() {
                self.claims += 1;
                self.wake_next(effects);
            }
            let limit = match self.getters.is_empty() {
                true => Limit::Many,
                false if self.claims < Self::to_wake(self.available + 1) => Limit::One,
                false => Limit::Few,
            };
            if limit == self.limit {
                return;
            }
            self.limit = limit;
            self.inbox.set_limit(limit, &mut self.adds);
            self.apply(effects);
        }
    }

    /// The number of waiters to be expected for so many items. Those that come wake others, so a few of them
    /// suffice if one comes at all: a future may have been woken and is not polled.
    fn to_wake(items: usize) -> usize {
        items.min(ONE_EACH + items / Limit::Few as usize)
    }

    pub(crate) fn add(
        &mut self,
        hash: u64,
        item: T,
        priority: i32,
        since: Option<Instant>,
        effects: &mut Effects<T>,
    ) {
        if self.phase != Phase::Open {
            effects.dropped = Some(item);
            return;
        }
        let slot = self.entries.enter(hash, item, &mut effects.dropped);
        let entry = &mut self.entries[slot];
        // An add that changes neither priority nor order is recorded as a duplicate.
        if entry.dirty
            && !entry.duplicated
            && entry.priority >= 0
            && priority == 0
            && !self.ready_queue.observes_touch()
        {
            entry.duplicated = true;
            if let Some(item) = effects.dropped.take() {
                self.duplicates.insert(hash, item);
            }
            return;
        }
        self.make_dirty(slot, priority, since, effects);
    }

    pub(crate) fn add_after(
        &mut self,
        hash: u64,
        item: T,
        priority: i32,
        after: Duration,
        effects: &mut Effects<T>,
    ) {
        if self.phase != Phase::Open {
            effects.dropped = Some(item);
            return;
        }
        if let Some(meter) = &mut self.meter {
            effects.observe(meter.retried());
        }
        let slot = self.entries.enter(hash, item, &mut effects.dropped);
        if after.is_zero() {
            return self.make_dirty(slot, priority, None, effects);
        }
        let ready = later(Instant::now(), after);
        let turn = self.turn();
        let entry = &mut self.entries[slot];
        let before = entry.raise(priority);
        if entry.is_queued() && entry.priority != before {
            self.ready_queue.touch(slot, before, &mut self.entries);
        }
        let entry = &mut self.entries[slot];
        if let Some((earlier, turn)) = entry.ready {
            if earlier <= ready {
                return;
            }
            self.waiting.remove(&(earlier, turn, slot));
        }
        entry.ready = Some((ready, turn));
        self.waiting.insert((ready, turn, slot));
        if self.waiting.first().is_some_and(|(_, first, _)| *first == turn) {
            match self.timekeeper {
                Some(ticket) => self.wake(ticket, effects),
                None => self.wake_next(effects),
            }
        }
    }

    /// Takes the next item, or registers `waker`. Does not wait without a waker.
    pub(crate) fn take(
        &mut self,
        ticket: &mut Option<Ticket>,
        waker: Option<&Waker>,
        effects: &mut Effects<T>,
    ) -> TakeResult<T> {
        self.promote(effects);
        if let Some((slot, clone)) = self.ready_queue.pop(&mut self.entries) {
            self.available = self.available.saturating_sub(1);
            if ticket.is_some() {
                self.leave(ticket, effects);
            }
            self.claims = self.claims.min(self.available);
            let entry = &mut self.entries[slot];
            entry.dirty = false;
            if std::mem::take(&mut entry.duplicated) {
                self.duplicates.remove(entry.hash, |item| effects.drop_item(item));
            }
            // An item whose clone panics is lost, and can be added again.
            let item = clone.unwrap_or_else(|| entry.item.clone());
            entry.in_hand = true;
            self.in_hand += 1;
            let priority = entry.priority;
            if let Some(meter) = &mut self.meter {
                effects.observe(meter.taken(slot));
            }
            return TakeResult::Item(slot, item, priority);
        }
        self.available = 0;
        self.claims = 0;
        let Some(waker) = waker.filter(|_| self.phase == Phase::Open) else {
            self.leave(ticket, effects);
            return if self.phase == Phase::Open { TakeResult::Wait(None) } else { TakeResult::End };
        };
        let ticket = self.wait(ticket, waker, effects);
        let Some((first, ..)) = self.waiting.first() else { return TakeResult::Wait(None) };
        let keeps_time = *self.timekeeper.get_or_insert(ticket) == ticket;
        TakeResult::Wait(keeps_time.then_some(*first))
    }

    /// Removes a waiter. The wake-up that it has not used goes to the next.
    pub(crate) fn leave(&mut self, ticket: &mut Option<Ticket>, effects: &mut Effects<T>) {
        let Some(ticket) = ticket.take() else { return };
        match self.place(ticket) {
            Some(place) => effects.unused = self.getters.remove(place).map(|(_, waker)| waker),
            None => self.claims = self.claims.saturating_sub(1),
        }
        if self.timekeeper == Some(ticket) {
            self.timekeeper = None;
        }
        let time_is_kept = self.timekeeper.is_some() || self.waiting.is_empty();
        if !time_is_kept {
            self.wake_next(effects);
        }
    }

    pub(crate) fn done(&mut self, slot: Slot, effects: &mut Effects<T>) {
        let entry = &mut self.entries[slot];
        entry.in_hand = false;
        self.in_hand -= 1;
        let (dirty, idle) = (entry.dirty, entry.is_idle());
        if let Some(meter) = &mut self.meter {
            effects.observe(meter.done(slot));
        }
        if self.in_hand == 0 && !self.drains.is_empty() {
            self.drains.drain(..).for_each(|waker| effects.wake(waker));
        }
        // Last, as an order may panic.
        if dirty {
            self.queue(slot);
        } else if idle {
            effects.dropped = Some(self.entries.remove(slot));
        }
    }

    pub(crate) fn len(&mut self, effects: &mut Effects<T>) -> usize {
        self.promote(effects);
        self.ready_queue.len()
    }

    pub(crate) fn is_down(&self) -> bool {
        self.phase != Phase::Open
    }

    pub(crate) fn shut_down(&mut self, drain: bool, effects: &mut Effects<T>) {
        self.inbox.close(&mut self.adds);
        self.apply(effects);
        self.phase = if drain { Phase::Draining } else { Phase::Down };
        self.timekeeper = None;
        self.getters.drain(..).for_each(|(_, waker)| effects.wake(waker));
        self.drains.drain(..).for_each(|waker| effects.wake(waker));
        for (.., slot) in std::mem::take(&mut self.waiting) {
            let entry = &mut self.entries[slot];
            entry.ready = None;
            if entry.is_idle() {
                effects.drop_item(self.entries.remove(slot));
            }
        }
    }

    /// Returns true if no worker has an item, or the queue is not draining; otherwise registers the waker.
    pub(crate) fn is_drained(&mut self, waker: &Waker) -> bool {
        if self.in_hand == 0 || self.phase != Phase::Draining {
            return true;
        }
        if !self.drains.iter().any(|other| other.will_wake(waker)) {
            self.drains.push(waker.clone());
        }
        false
    }

    pub(crate) fn meter(&mut self, effects: &mut Effects<T>) -> Option<&Meter> {
        self.promote(effects);
        self.meter.as_ref()
    }

    /// Queues delayed items that are ready.
    fn promote(&mut self, effects: &mut Effects<T>) {
        if self.waiting.is_empty() {
            return;
        }
        let now = Instant::now();
        while let Some((ready, _, slot)) = self.waiting.first().copied().filter(|(ready, ..)| *ready <= now) {
            self.waiting.pop_first();
            self.entries[slot].ready = None;
            let priority = self.entries[slot].priority;
            self.make_dirty(slot, priority, Some(ready), effects);
        }
    }

    fn make_dirty(&mut self, slot: Slot, priority: i32, since: Option<Instant>, effects: &mut Effects<T>) {
        let entry = &mut self.entries[slot];
        let before = entry.raise(priority);
        if entry.is_queued() {
            return self.ready_queue.touch(slot, before, &mut self.entries);
        }
        if std::mem::replace(&mut entry.dirty, true) {
            return;
        }
        let in_hand = entry.in_hand;
        if let Some(meter) = &mut self.meter {
            effects.observe(meter.added(slot, since));
        }
        if !in_hand {
            self.queue(slot);
        }
    }

    fn queue(&mut self, slot: Slot) {
        let turn = self.turn();
        self.ready_queue.push(slot, turn, &mut self.entries);
        self.available += 1;
    }

    fn wait(&mut self, ticket: &mut Option<Ticket>, waker: &Waker, effects: &mut Effects<T>) -> Ticket {
        if let Some((ticket, place)) = ticket.and_then(|ticket| Some((ticket, self.place(ticket)?))) {
            let registered = &mut self.getters[place].1;
            if !registered.will_wake(waker) {
                effects.unused = Some(std::mem::replace(registered, waker.clone()));
            }
            return ticket;
        }
        let turn = *ticket.insert(self.turn());
        self.getters.push_back((turn, waker.clone()));
        turn
    }

    /// The place of a waiter that was not woken.
    fn place(&self, ticket: Ticket) -> Option<usize> {
        self.getters.binary_search_by_key(&ticket, |(other, _)| *other).ok()
    }

    fn wake_next(&mut self, effects: &mut Effects<T>) {
        if let Some((ticket, waker)) = self.getters.pop_front() {
            self.timekeeper.take_if(|other| *other == ticket);
            effects.wake(waker);
        }
    }

    fn wake(&mut self, ticket: Ticket, effects: &mut Effects<T>) {
        if let Some(place) = self.place(ticket) {
            effects.wake(self.getters[place].1.clone());
        }
    }

    fn turn(&mut self) -> u64 {
        self.turns += 1;
        self.turns
    }
}

/// The instant after a delay; practically infinite if it is beyond the clock's range.
fn later(now: Instant, after: Duration) -> Instant {
    now.checked_add(after).unwrap_or_else(|| now + NEVER)
}

/// Some 30 years, as in tokio.
const NEVER: Duration = Duration::from_secs(86_400 * 365 * 30);

/// The number of items for each of which a waiter is woken, so that a future that is woken and not polled delays
/// nothing that others can do. With more of them a flood of adds wakes a waiter for each item, which takes that
/// alone and waits again: with 16, on two cores, a key then took three times the time in one run of five.
const ONE_EACH: usize = if cfg!(loom) { 1 } else { 2 };
