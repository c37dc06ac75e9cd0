//! [`Table`], the objects stored under one group and plural.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

use tokio::sync::watch;

use super::StorageError;
use super::history::{Change, Cursor};
use super::object::{Key, Object, Selection};

/// The limit of changes returned at once.
const BATCH: usize = 256;

#[derive(Default)]
pub(super) struct Table {
    objects: BTreeMap<Key, Arc<Object>>,
    changes: VecDeque<Change>,
    /// The number of compacted changes.
    forgotten: u64,
    /// The number of changes made, for tasks that wait for the next.
    signal: watch::Sender<u64>,
}

/// The requested part of a list.
pub(crate) struct Page<'a> {
    pub(crate) namespace: Option<&'a str>,
    pub(crate) selection: &'a Selection,
    /// Keys below this one are skipped: they were listed before.
    pub(crate) start: Option<&'a str>,
    /// The limit of objects.
    pub(crate) limit: Option<usize>,
}

/// A part of a list.
#[derive(Debug, Default)]
pub(crate) struct Listed {
    pub(crate) objects: Vec<Arc<Object>>,
    /// The version of the read.
    pub(crate) version: u64,
    /// The key at which the next part starts, if there is one: the smallest after the last of this part.
    pub(crate) next: Option<String>,
    /// The number of remaining objects, selected or not.
    pub(crate) remaining: usize,
}

impl Table {
    pub(super) fn get(&self, key: &Key) -> Option<Arc<Object>> {
        self.objects.get(key).cloned()
    }

    pub(super) fn check(&self, key: &Key, version: u64) -> Result<(), StorageError> {
        match self.objects.get(key) {
            Some(object) if object.version == version => Ok(()),
            _ => Err(StorageError::Changed),
        }
    }

    /// Inserts or replaces an object and returns the bytes kept for the change.
    pub(super) fn put(&mut self, object: Arc<Object>) -> usize {
        let previous = self.objects.insert(object.key.clone(), object.clone());
        self.push(Change { object, previous, gone: false })
    }

    /// Removes an object and returns the bytes kept for the change.
    pub(super) fn remove(&mut self, last: Arc<Object>) -> usize {
        let previous = self.objects.remove(&last.key);
        self.push(Change { object: last, previous, gone: true })
    }

    fn push(&mut self, change: Change) -> usize {
        let bytes = change.bytes();
        self.changes.push_back(change);
        self.signal.send_modify(|count| *count += 1);
        bytes
    }

    /// Compacts the oldest change and returns its version.
    pub(super) fn forget(&mut self) -> Option<u64> {
        let change = self.changes.pop_front()?;
        self.forgotten += 1;
        Some(change.version())
    }

    pub(super) fn cursor(&self, version: u64) -> Cursor {
        let seen = self.changes.partition_point(|change| change.version() <= version);
        Cursor { next: self.forgotten + seen as u64, signal: self.signal.subscribe() }
    }

    /// Returns true if there are changes that a cursor has not read.
    pub(super) fn has_more(&self, cursor: &Cursor) -> bool {
        cursor.next < self.forgotten + self.changes.len() as u64
    }

    /// Returns true if changes that a cursor has not read are compacted.
    pub(super) fn has_forgotten(&self, cursor: &Cursor) -> bool {
        cursor.next < self.forgotten
    }

    /// The next changes of a cursor; `None` if they are compacted.
    pub(super) fn changes(&self, cursor: &mut Cursor) -> Option<Vec<Change>> {
        cursor.signal.mark_unchanged();
        let seen = usize::try_from(cursor.next.checked_sub(self.forgotten)?).ok()?;
        let changes: Vec<Change> =
            self.changes.range(seen.min(self.changes.len())..).take(BATCH).cloned().collect();
        cursor.next += changes.len() as u64;
        if self.has_more(cursor) {
            cursor.signal.mark_changed();
        }
        Some(changes)
    }

    pub(super) fn list(&self, version: u64, page: &Page<'_>) -> Listed {
        let before = self.states_at(version);
        let prefix = page.namespace.map(|namespace| format!("{namespace}/")).unwrap_or_default();
        let start = Key::new(None, page.start.unwrap_or(&prefix));
        let inside = |key: &Key| key.as_str().starts_with(&prefix);
        let from = (Bound::Included(&start), Bound::Unbounded);
        let current = self.objects.range::<Key, _>(from).filter(|(key, _)| !before.contains_key(*key));
        let earlier = before.range::<Key, _>(from).filter_map(|(key, object)| Some((*key, (*object)?)));
        let mut all =
            Merged { left: current.peekable(), right: earlier.peekable() }.take_while(|(key, _)| inside(key));
        let mut listed = Listed { version, ..Listed::default() };
        for (_, object) in all.by_ref() {
            if !object.matches(page.selection) {
                continue;
            }
            if page.limit.is_some_and(|limit| listed.objects.len() >= limit) {
                listed.next = listed.objects.last().map(|last| format!("{}\0", last.key));
                listed.remaining = 1;
                break;
            }
            listed.objects.push(object.clone());
        }
        if listed.next.is_some() && page.selection.is_everything() {
            listed.remaining += all.count();
        }
        listed
    }

    /// The state at `version` of each key that has changed since.
    fn states_at(&self, version: u64) -> BTreeMap<&Key, Option<&Arc<Object>>> {
        let mut states = BTreeMap::new();
        for change in self.changes.iter().rev().take_while(|change| change.version() > version) {
            states.insert(&change.object.key, change.previous.as_ref());
        }
        states
    }
}

/// Two sorted sequences of entries, merged.
struct Merged<L: Iterator, R: Iterator> {
    left: std::iter::Peekable<L>,
    right: std::iter::Peekable<R>,
}

impl<'a, L, R> Iterator for Merged<L, R>
where
    L: Iterator<Item = (&'a Key, &'a Arc<Object>)>,
    R: Iterator<Item = (&'a Key, &'a Arc<Object>)>,
{
    type Item = (&'a Key, &'a Arc<Object>);

    fn next(&mut self) -> Option<Self::Item> {
        match (self.left.peek(), self.right.peek()) {
            (Some((left, _)), Some((right, _))) if left > right => self.right.next(),
            (Some(_), _) => self.left.next(),
            (None, _) => self.right.next(),
        }
    }
}
