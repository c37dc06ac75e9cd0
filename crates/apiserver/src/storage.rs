//! Where objects live: every change has a version, and what was lately true can still be read.
//!
//! - one counter numbers all changes to all resources, so versions compare across kinds;
//! - a change is made only on the version it was computed from;
//! - the last changes are kept: lists can be read as of an earlier version, and watches go on from one;
//! - objects are kept encoded, so that lists and watches copy bytes instead of encoding again.

mod history;
mod object;
mod table;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, RwLock, RwLockReadGuard};

use tokio::sync::watch;

pub(crate) use history::{Change, ChangeKind, Cursor, Tail};
pub(crate) use object::{Key, Object, Selection, Unchanged};
use table::Table;
pub(crate) use table::{Listed, Page};

/// Which table: the group and plural under which objects are stored, whatever versions serve them.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct TableId(pub(crate) Arc<str>);

/// All objects of a server.
pub(crate) struct Store {
    inner: RwLock<Inner>,
    /// The latest version, for those who wait for one.
    latest: watch::Sender<u64>,
    /// How many changes are kept.
    history: usize,
}

/// The most bytes that earlier states of objects may take.
const HISTORY_BYTES: usize = 256 << 20;

struct Inner {
    /// The version of the last change.
    version: u64,
    /// Changes up to this version are forgotten.
    compacted: u64,
    tables: HashMap<TableId, Table>,
    /// The tables of the changes that are kept, oldest first, and how many bytes each change keeps.
    log: VecDeque<(TableId, usize)>,
    /// The bytes of all changes that are kept.
    bytes: usize,
}

/// What keeps a change from being made.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum StoreError {
    /// The object is there already.
    Exists,
    /// The object is not there, or it or another is no longer at the version the change was computed from.
    Changed,
    /// The version is older than what is kept.
    Compacted {
        /// The oldest version that can still be read.
        oldest: u64,
    },
    /// The version has not been reached yet.
    Future {
        /// The latest version.
        latest: u64,
    },
}

/// What to make of an object; called with the version of the change.
pub(crate) type Encode<'a> = &'a mut dyn FnMut(u64) -> Object;

impl Store {
    /// An empty store that keeps `history` changes.
    pub(crate) fn new(history: usize) -> Self {
        // As etcd, which counts itself as the first change.
        Store::after(1, history)
    }

    /// An empty store whose changes are numbered from behind `version`.
    pub(crate) fn after(version: u64, history: usize) -> Self {
        let inner =
            Inner { version, compacted: version, tables: HashMap::new(), log: VecDeque::new(), bytes: 0 };
        Store { inner: RwLock::new(inner), latest: watch::channel(version).0, history }
    }

    /// The version of the last change.
    pub(crate) fn version(&self) -> u64 {
        self.read().version
    }

    /// Waits until a version is reached, or gives the latest if that takes too long.
    pub(crate) async fn wait_for(&self, version: u64, limit: std::time::Duration) -> Result<(), StoreError> {
        let mut latest = self.latest.subscribe();
        let reached = tokio::time::timeout(limit, latest.wait_for(|latest| *latest >= version)).await;
        match reached {
            Ok(Ok(_)) => Ok(()),
            _ => Err(StoreError::Future { latest: self.version() }),
        }
    }

    /// An object.
    pub(crate) fn get(&self, table: &TableId, key: &Key) -> Option<Arc<Object>> {
        self.read().tables.get(table)?.get(key)
    }

    /// Puts a new object, if those it needs are as they were.
    pub(crate) fn create(
        &self,
        table: &TableId,
        key: Key,
        needs: &[Unchanged],
        encode: Encode<'_>,
    ) -> Result<Arc<Object>, StoreError> {
        self.change(|inner| {
            let version = inner.version + 1;
            for Unchanged { table, key, version } in needs {
                inner.tables.get(table).ok_or(StoreError::Changed)?.check(key, *version)?;
            }
            let objects = inner.tables.entry(table.clone()).or_default();
            if objects.get(&key).is_some() {
                return Err(StoreError::Exists);
            }
            let object = Arc::new(encode(version));
            let bytes = objects.put(key, object.clone());
            inner.record(table, version, bytes);
            Ok(object)
        })
    }

    /// Puts a new state of an object that is at version `from`.
    pub(crate) fn update(
        &self,
        table: &TableId,
        key: &Key,
        from: u64,
        encode: Encode<'_>,
    ) -> Result<Arc<Object>, StoreError> {
        self.change(|inner| {
            let version = inner.version + 1;
            let objects = inner.tables.get_mut(table).ok_or(StoreError::Changed)?;
            objects.check(key, from)?;
            let object = Arc::new(encode(version));
            let bytes = objects.put(key.clone(), object.clone());
            inner.record(table, version, bytes);
            Ok(object)
        })
    }

    /// Removes an object that is at version `from`; `encode` gives its last state.
    pub(crate) fn delete(
        &self,
        table: &TableId,
        key: &Key,
        from: u64,
        encode: Encode<'_>,
    ) -> Result<Arc<Object>, StoreError> {
        self.change(|inner| {
            let version = inner.version + 1;
            let objects = inner.tables.get_mut(table).ok_or(StoreError::Changed)?;
            objects.check(key, from)?;
            let object = Arc::new(encode(version));
            let bytes = objects.remove(key, object.clone());
            inner.record(table, version, bytes);
            Ok(object)
        })
    }

    /// Lists objects of a table, as they are or as they were at a version.
    pub(crate) fn list(
        &self,
        table: &TableId,
        at: Option<u64>,
        page: &Page<'_>,
    ) -> Result<Listed, StoreError> {
        let inner = self.read();
        if let Some(version) = at {
            inner.check_readable(version)?;
        }
        let version = at.unwrap_or(inner.version);
        Ok(match inner.tables.get(table) {
            Some(objects) => objects.list(version, page),
            None => Listed { version, ..Listed::default() },
        })
    }

    /// A cursor on the changes behind a version.
    pub(crate) fn watch_from(&self, table: &TableId, version: u64) -> Result<Cursor, StoreError> {
        self.with_table(table, |inner, objects| {
            if version < inner.compacted {
                return Err(StoreError::Compacted { oldest: inner.compacted });
            }
            Ok(objects.cursor(version))
        })
    }

    /// The objects of a table and a cursor on the changes behind them.
    pub(crate) fn watch_all(&self, table: &TableId, page: &Page<'_>) -> (Listed, Cursor) {
        self.with_table(table, |inner, objects| {
            (objects.list(inner.version, page), objects.cursor(inner.version))
        })
    }

    /// The next changes of a cursor, and the version up to which there are no others.
    pub(crate) fn read_changes(&self, table: &TableId, cursor: &mut Cursor) -> Result<Tail, StoreError> {
        let inner = self.read();
        let oldest = inner.compacted;
        let objects = inner.tables.get(table).ok_or(StoreError::Compacted { oldest })?;
        let changes = objects.changes(cursor).ok_or(StoreError::Compacted { oldest })?;
        let rest = objects.has_more(cursor).then(|| changes.last().map(Change::version)).flatten();
        Ok(Tail { changes, version: rest.unwrap_or(inner.version) })
    }

    /// Waits until changes that a cursor has not read are forgotten.
    pub(crate) async fn overtakes(&self, table: &TableId, cursor: &Cursor) {
        let mut cursor = cursor.clone();
        while self.with_table(table, |_, objects| !objects.has_forgotten(&cursor)) {
            cursor.changed().await;
        }
    }

    /// Forgets all changes; what was read before can no longer be gone on from.
    pub(crate) fn compact(&self) {
        let mut inner = self.inner.write().expect("no panics while held");
        inner.trim(0);
    }

    fn read(&self) -> RwLockReadGuard<'_, Inner> {
        self.inner.read().expect("no panics while held")
    }

    /// Reads a table, which is made if nothing was stored in it yet.
    fn with_table<T>(&self, table: &TableId, read: impl Fn(&Inner, &Table) -> T) -> T {
        let inner = self.read();
        if let Some(objects) = inner.tables.get(table) {
            return read(&inner, objects);
        }
        drop(inner);
        self.inner.write().expect("no panics while held").tables.entry(table.clone()).or_default();
        let inner = self.read();
        read(&inner, inner.tables.get(table).expect("it was made above, and tables stay"))
    }

    fn change<T>(&self, make: impl FnOnce(&mut Inner) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let mut inner = self.inner.write().expect("no panics while held");
        let made = make(&mut inner)?;
        inner.trim(self.history);
        self.latest.send_replace(inner.version);
        Ok(made)
    }
}

impl Inner {
    fn record(&mut self, table: &TableId, version: u64, bytes: usize) {
        self.version = version;
        self.bytes += bytes;
        self.log.push_back((table.clone(), bytes));
    }

    fn trim(&mut self, keep: usize) {
        while self.log.len() > keep || self.bytes > HISTORY_BYTES {
            let Some((table, bytes)) = self.log.pop_front() else { return };
            self.bytes -= bytes;
            if let Some(version) = self.tables.get_mut(&table).and_then(Table::forget) {
                self.compacted = version;
            }
        }
        if keep == 0 {
            self.compacted = self.version;
        }
    }

    fn check_readable(&self, version: u64) -> Result<(), StoreError> {
        if version < self.compacted {
            Err(StoreError::Compacted { oldest: self.compacted })
        } else if version > self.version {
            Err(StoreError::Future { latest: self.version })
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests;
