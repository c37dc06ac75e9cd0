//! [`Registrations`], the parsed objects of a kind that configures admission, such as the configurations of webhooks.

use std::sync::{Arc, Mutex, PoisonError};

use klient_apimachinery::values::Map;

use crate::storage::{Cursor, Key, Page, Selection, Storage, TableId};

/// The parsed objects of a cluster-scoped kind, sorted by name. They are read again after a change to one, and those
/// that have not changed are kept. Without a change a look costs a lock and the clone of an `Arc`.
pub(crate) struct Registrations<T> {
    storage: Arc<dyn Storage>,
    table: TableId,
    parse: fn(&Map) -> T,
    parsed: Mutex<Parsed<T>>,
}

/// The objects as they were at a cursor.
struct Parsed<T> {
    cursor: Option<Cursor>,
    /// The key and the resourceVersion of each object.
    versions: Vec<(Key, u64)>,
    objects: Arc<[Arc<T>]>,
}

impl<T> Registrations<T> {
    /// The objects of a table; `parse` gets them as they are stored.
    pub(crate) fn new(storage: Arc<dyn Storage>, table: TableId, parse: fn(&Map) -> T) -> Self {
        let parsed = Parsed { cursor: None, versions: Vec::new(), objects: Arc::default() };
        Registrations { storage, table, parse, parsed: Mutex::new(parsed) }
    }

    /// The objects as they are.
    pub(crate) fn all(&self) -> Arc<[Arc<T>]> {
        let mut parsed = self.parsed.lock().unwrap_or_else(PoisonError::into_inner);
        if parsed.cursor.as_ref().is_none_or(Cursor::has_changed) {
            self.read(&mut parsed);
        }
        parsed.objects.clone()
    }

    fn read(&self, parsed: &mut Parsed<T>) {
        let page = Page { namespace: None, selection: &Selection::default(), start: None, limit: None };
        let (listed, cursor) = self.storage.watch_all(&self.table, &page);
        let versions: Vec<(Key, u64)> =
            listed.objects.iter().map(|object| (object.key.clone(), object.version)).collect();
        let before: Vec<_> = parsed.versions.iter().zip(&*parsed.objects).collect();
        let known = |version: &(Key, u64)| before.iter().find(|(known, _)| *known == version);
        let objects = versions.iter().zip(&listed.objects).map(|(version, object)| match known(version) {
            Some((_, parsed)) => Arc::clone(parsed),
            None => Arc::new((self.parse)(&object.value())),
        });
        let objects = objects.collect();
        *parsed = Parsed { cursor: Some(cursor), versions, objects };
    }
}
