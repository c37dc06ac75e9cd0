//! [`Memory`], a storage in memory, for the lifetime of the server.

use std::collections::{HashMap, VecDeque};
use std::future::ready;
use std::sync::{Arc, RwLock, RwLockReadGuard};
use std::time::Duration;

use klient_apimachinery::BoxFuture;
use tokio::sync::watch;

use super::history::{Change, Cursor, Tail};
use super::object::{Key, Object, Unchanged};
use super::table::{Listed, Page, Table};
use super::{Storage, StorageError, TableId, Write};

/// A storage in memory.
pub(crate) struct Memory {
    inner: RwLock<Inner>,
    /// The latest version, for tasks that wait for one.
    latest: watch::Sender<u64>,
    /// The number of changes to keep.
    history: usize,
}

/// The size limit of earlier states of objects, in bytes.
pub(super) const HISTORY_BYTES: usize = 256 << 20;

struct Inner {
    /// The version of the last change.
    version: u64,
    /// Changes up to this version are compacted.
    compacted: u64,
    tables: HashMap<TableId, Table>,
    /// The tables of the kept changes, oldest first, and the bytes kept for each change.
    log: VecDeque<(TableId, usize)>,
    /// The bytes kept for all changes.
    bytes: usize,
}

impl Memory {
    /// An empty storage that keeps `history` changes, and whose versions continue after `version`.
    pub(crate) fn after(version: u64, history: usize) -> Self {
        let inner =
            Inner { version, compacted: version, tables: HashMap::new(), log: VecDeque::new(), bytes: 0 };
        Memory { inner: RwLock::new(inner), latest: watch::channel(version).0, history }
    }

    fn read(&self) -> RwLockReadGuard<'_, Inner> {
        self.inner.read().expect("no panics while held")
    }

    /// Reads a table, which is created if it does not exist.
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

    fn write(&self, table: &TableId, write: Write<'_>) -> Result<Arc<Object>, StorageError> {
        let mut inner = self.inner.write().expect("no panics while held");
        let written = inner.write(table, write)?;
        inner.trim(self.history);
        self.latest.send_replace(inner.version);
        Ok(written)
    }
}

impl Storage for Memory {
    fn version(&self) -> u64 {
        self.read().version
    }

    fn wait_for(&self, version: u64, limit: Duration) -> BoxFuture<'_, Result<(), StorageError>> {
        Box::pin(async move {
            let mut latest = self.latest.subscribe();
            let reached = tokio::time::timeout(limit, latest.wait_for(|latest| *latest >= version)).await;
            match reached {
                Ok(Ok(_)) => Ok(()),
                _ => Err(StorageError::Future { latest: self.version() }),
            }
        })
    }

    fn get(&self, table: &TableId, key: &Key) -> Option<Arc<Object>> {
        self.read().tables.get(table)?.get(key)
    }

    fn commit<'a>(
        &'a self,
        table: &'a TableId,
        write: Write<'a>,
    ) -> BoxFuture<'a, Result<Arc<Object>, StorageError>> {
        Box::pin(ready(self.write(table, write)))
    }

    fn list(&self, table: &TableId, at: Option<u64>, page: &Page<'_>) -> Result<Listed, StorageError> {
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

    fn watch_from(&self, table: &TableId, version: u64) -> Result<Cursor, StorageError> {
        self.with_table(table, |inner, objects| {
            if version < inner.compacted {
                return Err(StorageError::Compacted { oldest: inner.compacted });
            }
            Ok(objects.cursor(version))
        })
    }

    fn watch_all(&self, table: &TableId, page: &Page<'_>) -> (Listed, Cursor) {
        self.with_table(table, |inner, objects| {
            (objects.list(inner.version, page), objects.cursor(inner.version))
        })
    }

    fn read_changes(&self, table: &TableId, cursor: &mut Cursor) -> Result<Tail, StorageError> {
        let inner = self.read();
        let oldest = inner.compacted;
        let objects = inner.tables.get(table).ok_or(StorageError::Compacted { oldest })?;
        let changes = objects.changes(cursor).ok_or(StorageError::Compacted { oldest })?;
        let rest = objects.has_more(cursor).then(|| changes.last().map(Change::version)).flatten();
        Ok(Tail { changes, version: rest.unwrap_or(inner.version) })
    }

    fn overtakes<'a>(&'a self, table: &'a TableId, cursor: &'a Cursor) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let mut cursor = cursor.clone();
            while self.with_table(table, |_, objects| !objects.has_forgotten(&cursor)) {
                cursor.changed().await;
            }
        })
    }

    fn compact(&self) {
        self.inner.write().expect("no panics while held").trim(0);
    }
}

impl Inner {
    /// Commits a change at the next version, if its preconditions hold.
    fn write(&mut self, table: &TableId, write: Write<'_>) -> Result<Arc<Object>, StorageError> {
        let version = self.version + 1;
        if let Write::Create { needs, .. } = &write {
            for Unchanged { table, key, version } in *needs {
                self.tables.get(table).ok_or(StorageError::Changed)?.check(key, *version)?;
            }
        }
        let objects = self.tables.entry(table.clone()).or_default();
        let (object, bytes) = match write {
            Write::Create { object, .. } => {
                if objects.get(object.key()).is_some() {
                    return Err(StorageError::Exists);
                }
                let object = Arc::new(object.at(version));
                (object.clone(), objects.put(object))
            }
            Write::Update { object, from } => {
                objects.check(object.key(), from)?;
                let object = Arc::new(object.at(version));
                (object.clone(), objects.put(object))
            }
            Write::Delete { last, from } => {
                objects.check(last.key(), from)?;
                let last = Arc::new(last.at(version));
                (last.clone(), objects.remove(last))
            }
        };
        self.record(table, version, bytes);
        Ok(object)
    }

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

    fn check_readable(&self, version: u64) -> Result<(), StorageError> {
        if version < self.compacted {
            Err(StorageError::Compacted { oldest: self.compacted })
        } else if version > self.version {
            Err(StorageError::Future { latest: self.version })
        } else {
            Ok(())
        }
    }
}
