//! [`Ring`], the last changes of an informer, which any number of readers read at their own pace.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use bytes::Bytes;
use klient_apimachinery::Unstructured;
use klient_cache::{Cached, Event};
use tokio::sync::watch;

use super::table::Column;
use crate::failure::Failure;

/// A row, as an object of a cache.
pub(crate) type Row = Cached<Unstructured>;

/// The last changes of an informer, numbered from 1. A reader is a position, so that one who does not read costs nothing here:
/// if the changes at its position are gone, it begins anew.
pub(crate) struct Ring {
    /// A random name: numbers count for this ring only.
    epoch: String,
    capacity: usize,
    /// The limit of the bytes of the changes.
    capacity_bytes: usize,
    state: Mutex<State>,
    /// The number of the last change.
    last: watch::Sender<u64>,
}

struct State {
    /// Changes up to `last`, one for each number.
    changes: VecDeque<Arc<Change>>,
    /// The bytes of the changes.
    bytes: usize,
    last: u64,
    columns: Arc<Vec<Column>>,
    status: Status,
}

/// The state of an informer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// It lists for the first time.
    Syncing,
    /// It follows the server.
    Live,
    /// The server is away: the problem.
    Waiting(String),
    /// It is of no use any more, as after the removal of its kind or of a permission.
    Ended(Failure),
}

/// A change that readers see.
pub(crate) struct Change {
    pub(crate) number: u64,
    pub(crate) kind: ChangeKind,
    /// The form in which it is sent to readers without a filter, which all of them share.
    pub(crate) frame: OnceLock<Bytes>,
}

impl Change {
    /// The bytes that are kept for the change: its rows, and the form in which it is sent.
    fn bytes(&self) -> usize {
        match &self.kind {
            ChangeKind::Row { old, new } => {
                let size = |row: &Option<Row>| row.as_ref().map_or(0, |row| row.encoded().bytes().len());
                let (old, new) = (size(old), size(new));
                old + new + old.max(new)
            }
            _ => 0,
        }
    }
}

pub(crate) enum ChangeKind {
    /// A row was added (no old one), modified, or deleted (no new one).
    Row {
        old: Option<Row>,
        new: Option<Row>,
    },
    Columns(Arc<Vec<Column>>),
    /// The server answers again.
    Live,
    Waiting(String),
    Ended(Failure),
}

/// The changes that a reader has not seen.
pub(crate) enum Unread {
    Changes(Vec<Arc<Change>>),
    /// They are not kept any more.
    Lost,
}

impl Ring {
    /// A ring of at most some changes, and some bytes; the last change is kept in any case.
    pub(crate) fn new(capacity: usize, capacity_bytes: usize) -> Self {
        Ring {
            epoch: format!("{:016x}", fastrand::u64(..)),
            capacity: capacity.max(1),
            capacity_bytes,
            state: Mutex::new(State {
                changes: VecDeque::new(),
                bytes: 0,
                last: 0,
                columns: Arc::default(),
                status: Status::Syncing,
            }),
            last: watch::Sender::new(0),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, state: &mut State, kind: ChangeKind) {
        state.last += 1;
        let change = Change { number: state.last, kind, frame: OnceLock::new() };
        state.bytes += change.bytes();
        state.changes.push_back(Arc::new(change));
        while state.changes.len() > self.capacity
            || (state.bytes > self.capacity_bytes && state.changes.len() > 1)
        {
            let Some(oldest) = state.changes.pop_front() else { break };
            state.bytes -= oldest.bytes();
        }
        self.last.send_replace(state.last);
    }

    /// Adds an event of the informer. The objects of its first list are no changes.
    pub(super) fn add(&self, event: Event<Unstructured>) {
        let (old, new) = match event {
            Event::Added { is_in_initial_list: true, .. } => return,
            Event::Added { object, .. } => (None, Some(object)),
            Event::Updated { old, new } => (Some(old), Some(new)),
            Event::Deleted(deleted) => (deleted.known.or(deleted.object), None),
            _ => return,
        };
        if old.is_some() || new.is_some() {
            self.push(&mut self.lock(), ChangeKind::Row { old, new });
        }
    }

    /// Takes the columns; returns true if there were others before.
    pub(super) fn set_columns(&self, columns: Vec<Column>) -> bool {
        let mut state = self.lock();
        if *state.columns == columns || columns.is_empty() {
            return false;
        }
        let had_others = !state.columns.is_empty();
        state.columns = Arc::new(columns);
        if had_others {
            let columns = state.columns.clone();
            self.push(&mut state, ChangeKind::Columns(columns));
        }
        had_others
    }

    pub(super) fn set_live(&self) {
        let mut state = self.lock();
        match state.status {
            Status::Live | Status::Ended(_) => {}
            Status::Syncing => state.status = Status::Live,
            Status::Waiting(_) => {
                state.status = Status::Live;
                self.push(&mut state, ChangeKind::Live);
            }
        }
    }

    /// Notes that the server is away.
    pub(super) fn set_waiting(&self, problem: String) {
        let mut state = self.lock();
        match state.status {
            Status::Ended(_) => {}
            Status::Waiting(_) => state.status = Status::Waiting(problem),
            Status::Syncing | Status::Live => {
                state.status = Status::Waiting(problem.clone());
                self.push(&mut state, ChangeKind::Waiting(problem));
            }
        }
    }

    /// Ends the ring, and all who read it.
    pub(crate) fn end(&self, failure: Failure) {
        let mut state = self.lock();
        if !matches!(state.status, Status::Ended(_)) {
            state.status = Status::Ended(failure.clone());
            self.push(&mut state, ChangeKind::Ended(failure));
        }
    }

    pub(crate) fn status(&self) -> Status {
        self.lock().status.clone()
    }

    pub(crate) fn columns(&self) -> Arc<Vec<Column>> {
        self.lock().columns.clone()
    }

    /// The number of the last change.
    pub(crate) fn last(&self) -> u64 {
        self.lock().last
    }

    /// The random name of the ring.
    pub(crate) fn epoch(&self) -> &str {
        &self.epoch
    }

    /// The name of a change by its number.
    pub(crate) fn cursor(&self, number: u64) -> String {
        format!("{}-{number}", self.epoch)
    }

    /// The number of the change that a cursor names, if the changes behind it are kept.
    pub(crate) fn find(&self, cursor: &str) -> Option<u64> {
        let (epoch, number) = cursor.split_once('-')?;
        let number: u64 = number.parse().ok()?;
        let state = self.lock();
        let first = state.last - state.changes.len() as u64;
        (epoch == self.epoch && (first..=state.last).contains(&number)).then_some(number)
    }

    /// The changes behind a number, some at a time: at most `limit`, and no more when they have `bytes`.
    pub(crate) fn read(&self, after: u64, limit: usize, bytes: usize) -> Unread {
        let state = self.lock();
        let first = state.last - state.changes.len() as u64;
        let Some(skipped) = after.checked_sub(first) else { return Unread::Lost };
        let skipped = usize::try_from(skipped).unwrap_or(usize::MAX);
        let mut taken = 0;
        let unread = state.changes.iter().skip(skipped).take(limit).take_while(|change| {
            let has_room = taken < bytes;
            taken += change.bytes();
            has_room
        });
        Unread::Changes(unread.cloned().collect())
    }

    /// The number of the last change, and its changes.
    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        self.last.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Code;

    fn numbers(unread: Unread) -> Option<Vec<u64>> {
        match unread {
            Unread::Changes(changes) => Some(changes.iter().map(|change| change.number).collect()),
            Unread::Lost => None,
        }
    }

    #[test]
    fn a_reader_goes_on_where_it_was_or_begins_anew() {
        let ring = Ring::new(2, 1 << 20);
        let begin = ring.cursor(0);
        assert_eq!(ring.find(&begin), Some(0));
        ring.set_live();
        ring.set_waiting("away".to_owned());
        ring.set_waiting("still away".to_owned());
        ring.set_live();
        assert_eq!(ring.last(), 2);
        assert_eq!(numbers(ring.read(0, 9, 1)), Some(vec![1, 2]));
        assert_eq!(numbers(ring.read(1, 9, 1)), Some(vec![2]));
        ring.end(Failure::new(Code::KindUnknown, "removed"));
        ring.end(Failure::new(Code::Forbidden, "ended already"));
        ring.set_live();
        assert_eq!(ring.last(), 3);
        assert_eq!(ring.find(&begin), None);
        assert_eq!(numbers(ring.read(0, 9, 1)), None);
        assert_eq!(numbers(ring.read(1, 1, 1)), Some(vec![2]));
        assert_eq!(numbers(ring.read(3, 1, 1)), Some(vec![]));
        for unknown in [ring.cursor(4), "0-1".to_owned(), "1".to_owned(), String::new(), "x-y-z".to_owned()] {
            assert_eq!(ring.find(&unknown), None, "{unknown}");
        }
    }

    #[test]
    fn other_columns_are_a_change_and_the_first_are_not() {
        let ring = Ring::new(2, 1 << 20);
        let columns = |name: &str| vec![Column { name: name.to_owned(), ..Column::default() }];
        assert!(!ring.set_columns(columns("a")));
        assert!(!ring.set_columns(columns("a")));
        assert_eq!(ring.last(), 0);
        assert!(ring.set_columns(columns("b")));
        assert_eq!((ring.last(), ring.columns()[0].name.as_str()), (1, "b"));
    }
}
