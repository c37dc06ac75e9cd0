//! [`Registrations`], the parsed objects of a kind that configures admission, such as the configurations of webhooks.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use klient_apimachinery::values::Map;
use klient_cel::Effort;
use tokio::time::{Instant, timeout_at};

use crate::offload::offload;
use crate::status::{Failure, Result};
use crate::storage::{Cursor, Key, Object, Page, Selection, Storage, TableId};

/// The parsed objects of a cluster-scoped kind, sorted by name. They are read again after a change to one, and those
/// that have not changed are kept. Without a change a look costs a lock and the clone of an `Arc`.
///
/// Expressions in them are compiled, which may take long: no thread is blocked meanwhile, and only the writes wait that
/// need the objects. The first of them may be given up before they are parsed: that goes on for the others.
pub(crate) struct Registrations<T>(Arc<Shared<T>>);

struct Shared<T> {
    storage: Arc<dyn Storage>,
    table: TableId,
    parse: fn(&Map) -> T,
    parsed: Mutex<Parsed<T>>,
    /// Held while objects are parsed.
    parsing: Arc<tokio::sync::Mutex<()>>,
}

/// The time in which objects are parsed.
const PARSE_TIME: Duration = Duration::from_secs(300);

/// The objects as they were at a cursor.
struct Parsed<T> {
    /// `None` if objects are missing.
    cursor: Option<Cursor>,
    /// The key and the resourceVersion of each object.
    versions: Vec<(Key, u64)>,
    objects: Arc<[Arc<T>]>,
}

impl<T: Send + Sync + 'static> Registrations<T> {
    /// The objects of a table; `parse` gets them as they are stored.
    pub(crate) fn new(storage: Arc<dyn Storage>, table: TableId, parse: fn(&Map) -> T) -> Self {
        let parsed = Parsed { cursor: None, versions: Vec::new(), objects: Arc::default() };
        let (parsed, parsing) = (Mutex::new(parsed), Arc::default());
        Registrations(Arc::new(Shared { storage, table, parse, parsed, parsing }))
    }

    /// The objects as they are.
    ///
    /// # Errors
    ///
    /// 504 if they are not parsed by the deadline.
    pub(crate) async fn all(&self, deadline: Instant) -> Result<Arc<[Arc<T>]>> {
        let Registrations(shared) = self;
        if let Some(known) = shared.known() {
            return Ok(known);
        }
        let locked = timeout_at(deadline, shared.parsing.clone().lock_owned()).await;
        let parsing = locked.map_err(|_| Failure::deadline_exceeded())?;
        if let Some(known) = shared.known() {
            return Ok(known);
        }
        let shared = shared.clone();
        let reading = tokio::spawn(async move {
            let _parsing = parsing;
            shared.read(Instant::now() + PARSE_TIME).await
        });
        match timeout_at(deadline, reading).await {
            Ok(Ok(read)) => read,
            Ok(Err(error)) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(Failure::internal("the server stops")),
            },
            Err(_) => Err(Failure::deadline_exceeded()),
        }
    }
}

impl<T: Send + Sync + 'static> Shared<T> {
    /// The objects, unless they have changed.
    fn known(&self) -> Option<Arc<[Arc<T>]>> {
        let parsed = self.parsed.lock().unwrap_or_else(PoisonError::into_inner);
        let has_changed = parsed.cursor.as_ref().is_none_or(Cursor::has_changed);
        (!has_changed).then(|| parsed.objects.clone())
    }

    async fn read(&self, deadline: Instant) -> Result<Arc<[Arc<T>]>> {
        let page = Page { namespace: None, selection: &Selection::default(), start: None, limit: None };
        let (listed, cursor) = self.storage.watch_all(&self.table, &page);
        let before: Vec<((Key, u64), Arc<T>)> = {
            let parsed = self.parsed.lock().unwrap_or_else(PoisonError::into_inner);
            parsed.versions.iter().cloned().zip(parsed.objects.iter().cloned()).collect()
        };
        let (mut versions, mut objects) = (Vec::new(), Vec::new());
        let mut done = Ok(());
        for object in &listed.objects {
            let version = (object.key.clone(), object.version);
            let parsed = match before.iter().find(|(known, _)| *known == version) {
                Some((_, parsed)) => Ok(parsed.clone()),
                None => self.parse(object, deadline).await,
            };
            match parsed {
                Ok(parsed) => {
                    versions.push(version);
                    objects.push(parsed);
                }
                // Others may be known, and are kept for the next who asks.
                Err(failure) => done = Err(failure),
            }
        }
        let objects: Arc<[Arc<T>]> = objects.into();
        let cursor = done.is_ok().then_some(cursor);
        let parsed = Parsed { cursor, versions, objects: objects.clone() };
        *self.parsed.lock().unwrap_or_else(PoisonError::into_inner) = parsed;
        done.map(|()| objects)
    }

    async fn parse(&self, object: &Arc<Object>, deadline: Instant) -> Result<Arc<T>> {
        let parse = self.parse;
        if let Ok(parsed) = Effort::LITTLE.spend(|| parse(&object.value())) {
            return Ok(Arc::new(parsed));
        }
        let object = object.clone();
        offload(deadline, move || Arc::new(parse(&object.value()))).await
    }
}
