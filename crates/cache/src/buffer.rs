//! [`Buffer`], the queue of notifications of one event handler.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use klient_apimachinery::Object;
use tokio::sync::Notify;

use crate::cached::{Cached, Deleted};
use crate::event::Event;
use crate::handler::Overflow;
use crate::key::ObjectKey;
use crate::snapshot::Snapshot;
use crate::store::Change;

/// A notification for one event handler. Changes are shared between handlers; initial objects and resyncs are
/// snapshots.
pub(crate) enum Notification<K> {
    /// Changes of the store, and `true` if they belong to the initial list.
    Changes(Arc<[Change<K>]>, bool),
    /// All objects in the store, added for a handler that joins.
    Initial(Snapshot<K>),
    /// All objects in the store, as updates without a change.
    Resync(Snapshot<K>),
    /// The end of the initial objects.
    Synced,
}

/// The queue of notifications of one event handler: bounded, by blocking the informer or by coalescing
/// changes.
pub(crate) struct Buffer<K> {
    waiting: Mutex<VecDeque<Notification<K>>>,
    /// The number of events that are queued or in the reader.
    depth: AtomicUsize,
    /// The depth above which queued changes are coalesced again.
    coalesce_threshold: AtomicUsize,
    dropped: AtomicU64,
    /// Set when the listener is removed; nothing is delivered from then on.
    is_closed: AtomicBool,
    limit: usize,
    overflow: Overflow,
    ready: Notify,
    capacity: Notify,
}

impl<K: Object> Buffer<K> {
    pub(crate) fn new(limit: usize, overflow: Overflow) -> Self {
        let limit = limit.max(1);
        Buffer {
            waiting: Mutex::default(),
            depth: AtomicUsize::new(0),
            coalesce_threshold: AtomicUsize::new(limit),
            dropped: AtomicU64::new(0),
            is_closed: AtomicBool::new(false),
            limit,
            overflow,
            ready: Notify::new(),
            capacity: Notify::new(),
        }
    }

    pub(crate) fn push(&self, item: Notification<K>) {
        let mut waiting = self.lock();
        // A snapshot takes no memory of its own, and does not count.
        let depth = match &item {
            Notification::Changes(changes, _) => changes.len(),
            _ => 0,
        };
        waiting.push_back(item);
        let depth = self.depth.fetch_add(depth, Ordering::Relaxed) + depth;
        // Changes of a single notification, such as a list, are of different objects: nothing to coalesce.
        let has_many = matches!(waiting.iter().nth_back(1), Some(Notification::Changes(..)));
        if self.overflow == Overflow::Coalesce
            && has_many
            && depth > self.coalesce_threshold.load(Ordering::Relaxed)
        {
            self.coalesce(&mut waiting);
        }
        drop(waiting);
        self.ready.notify_one();
    }

    /// Coalesces queued changes to the same object into one.
    fn coalesce(&self, waiting: &mut VecDeque<Notification<K>>) {
        let mut batches = Vec::new();
        while let Some(Notification::Changes(..)) = waiting.back() {
            if let Some(Notification::Changes(changes, is_initial)) = waiting.pop_back() {
                batches.push((changes, is_initial));
            }
        }
        let before: usize = batches.iter().map(|(changes, _)| changes.len()).sum();
        let mut indices: HashMap<ObjectKey, usize> = HashMap::new();
        // Indices of versions that cannot be decoded. They stay behind the last decodable state of their
        // object.
        let mut marks: HashMap<ObjectKey, usize> = HashMap::new();
        let mut merged: Vec<Option<(Change<K>, bool)>> = Vec::new();
        for (changes, is_initial) in batches.iter().rev() {
            for change in changes.iter() {
                let key = change.key();
                // Superseded by any later change of the object.
                if let Some(mark) = marks.remove(&key) {
                    merged[mark] = None;
                }
                if let Change::Undecodable { .. } = change {
                    marks.insert(key, merged.len());
                    merged.push(Some((change.clone(), *is_initial)));
                    continue;
                }
                let index = indices.get(&key).copied();
                match index.and_then(|index| merged[index].take().map(|before| (index, before))) {
                    Some((index, (before, was_initial))) => {
                        merged[index] = merge(before, change.clone()).map(|change| (change, was_initial));
                    }
                    None => {
                        indices.insert(key, merged.len());
                        merged.push(Some((change.clone(), *is_initial)));
                    }
                }
            }
        }
        let merged: Vec<_> = merged.into_iter().flatten().collect();
        let after = merged.len();
        for is_initial in [true, false] {
            let part: Vec<_> = merged.iter().filter(|(_, initial)| *initial == is_initial).collect();
            if !part.is_empty() {
                let changes = part.into_iter().map(|(change, _)| change.clone()).collect();
                waiting.push_back(Notification::Changes(changes, is_initial));
            }
        }
        self.depth.fetch_sub(before - after, Ordering::Relaxed);
        self.dropped.fetch_add((before - after) as u64, Ordering::Relaxed);
        self.coalesce_threshold.store((2 * after).max(self.limit), Ordering::Relaxed);
    }

    /// Waits until fewer events than the limit are queued, if the handler blocks on overflow; returns at once
    /// otherwise.
    pub(crate) async fn wait_for_capacity(&self) {
        if self.overflow != Overflow::Block {
            return;
        }
        loop {
            let freed = self.capacity.notified();
            if self.depth() < self.limit || self.is_closed.load(Ordering::Acquire) {
                return;
            }
            freed.await;
        }
    }

    /// The number of events that are queued or in the reader.
    pub(crate) fn depth(&self) -> usize {
        self.depth.load(Ordering::Relaxed)
    }

    /// The number of events that later changes of the same object replaced.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Drops all notifications and releases an informer that waits for capacity.
    pub(crate) fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
        self.lock().clear();
        self.capacity.notify_waiters();
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Notification<K>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The change that two changes of an object amount to, seen from the state before the first; `None` if they
/// cancel out.
fn merge<K>(before: Change<K>, after: Change<K>) -> Option<Change<K>> {
    Some(match (before, after) {
        (Change::Added(_), Change::Updated { new, .. }) => Change::Added(new),
        (Change::Added(_), Change::Deleted { .. }) => return None,
        (
            Change::Updated { old, .. } | Change::Deleted { old: Some(old), .. },
            Change::Added(new) | Change::Updated { new, .. },
        ) => Change::Updated { old, new },
        (Change::Updated { old, .. }, Change::Deleted { key, last, is_final_state_unknown, .. }) => {
            Change::Deleted { key, old: Some(old), last, is_final_state_unknown }
        }
        (
            Change::Deleted { old: Some(old), last: before, .. },
            Change::Deleted { key, last, is_final_state_unknown, .. },
        ) => Change::Deleted { key, old: Some(old), last: last.or(before), is_final_state_unknown },
        (_, after) => after,
    })
}

/// The consumer's side of a buffer.
pub(crate) struct BufferReader<K> {
    buffer: Arc<Buffer<K>>,
    items: VecDeque<Notification<K>>,
    /// The number of events of the first notification that were delivered.
    position: usize,
}

/// A delivered event, or the end of the initial objects.
pub(crate) enum Step<K> {
    Event(Event<K>),
    Synced,
}

impl<K: Object> BufferReader<K> {
    pub(crate) fn new(buffer: Arc<Buffer<K>>) -> Self {
        BufferReader { buffer, items: VecDeque::new(), position: 0 }
    }

    /// Waits for the next step. Cancel safe.
    pub(crate) async fn next(&mut self) -> Step<K> {
        loop {
            if let Some(step) = self.try_next() {
                return step;
            }
            let ready = self.buffer.ready.notified();
            if self.buffer.lock().is_empty() {
                ready.await;
            }
        }
    }

    /// The next step, or `None` if nothing is queued.
    pub(crate) fn try_next(&mut self) -> Option<Step<K>> {
        loop {
            let Some(item) = self.items.front() else {
                let mut waiting = self.buffer.lock();
                if waiting.is_empty() {
                    return None;
                }
                match self.buffer.overflow {
                    Overflow::Block => self.items = std::mem::take(&mut waiting),
                    // Notifications that stay in the buffer can still be coalesced.
                    Overflow::Coalesce => self.items.extend(waiting.pop_front()),
                }
                continue;
            };
            let step = match item {
                Notification::Changes(changes, is_initial) => {
                    changes.get(self.position).map(|change| Step::Event(event(change, *is_initial)))
                }
                Notification::Initial(snapshot) => snapshot.next(&mut self.position).map(|entry| {
                    Step::Event(Event::Added { object: Cached::new(entry.clone()), is_in_initial_list: true })
                }),
                Notification::Resync(snapshot) => snapshot.next(&mut self.position).map(|entry| {
                    let object = Cached::new(entry.clone());
                    Step::Event(Event::Updated { old: object.clone(), new: object })
                }),
                Notification::Synced => (self.position == 0).then_some(Step::Synced),
            };
            match step {
                Some(step) => {
                    self.position += 1;
                    return Some(step);
                }
                None => {
                    let item = self.items.pop_front();
                    self.position = 0;
                    if let Some(Notification::Changes(changes, _)) = item {
                        self.buffer.depth.fetch_sub(changes.len(), Ordering::Relaxed);
                        self.buffer.capacity.notify_waiters();
                    }
                }
            }
        }
    }
}

fn event<K: Object>(change: &Change<K>, is_in_initial_list: bool) -> Event<K> {
    match change {
        Change::Added(entry) => Event::Added { object: Cached::new(entry.clone()), is_in_initial_list },
        Change::Updated { old, new } => {
            Event::Updated { old: Cached::new(old.clone()), new: Cached::new(new.clone()) }
        }
        Change::Deleted { key, old, last, is_final_state_unknown } => Event::Deleted(Deleted {
            key: key.clone(),
            known: old.clone().map(Cached::new),
            object: last.clone().map(Cached::new),
            is_final_state_unknown: *is_final_state_unknown,
        }),
        Change::Undecodable { known, version } => {
            Event::Undecodable { known: known.clone().map(Cached::new), version: version.clone() }
        }
    }
}
