//! Watching objects.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use klient_apimachinery::INITIAL_EVENTS_END;
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::{Instant, interval_at, sleep_until};

use super::list::Wanted;
use super::{Context, Offer, negotiate};
use crate::negotiate::Transform;
use crate::registry::Resource;
use crate::respond::{self, Body};
use crate::state::State;
use crate::status::{Failure, Result};
use crate::storage::{Change, ChangeKind, Cursor, Object, Page, Selection, StoreError, TableId};
use crate::stream;
use crate::table::{self, Include};
use crate::values::{self, map_at};

/// How often a watch without changes is told where it stands.
const BOOKMARK_EVERY: Duration = Duration::from_secs(60);

/// How long before its end a watch is told where it stands.
const LAST_BOOKMARK: Duration = Duration::from_secs(2);

/// The least time a watch lasts if the client does not say; at random up to twice as long.
const LEAST_TIMEOUT: Duration = Duration::from_secs(1800);

/// How many events may wait for a slow client.
const WAITING: usize = 16;

/// Sends changes as they are made.
pub(crate) async fn watch(context: &Context) -> Result<Response<Body>> {
    let format =
        negotiate(&context.headers, &context.query, Offer { transforms: true, list: false, watch: true })?;
    let include = Include::parse(&context.query)?;
    let wanted = Wanted::parse(context, true)?;
    let timeout = timeout(context)?;
    let printer =
        Printer { resource: context.resource.clone(), transform: format.transform, include, columns: true };
    let (sender, body) = stream::channel(WAITING);
    let watcher = Watcher {
        state: context.state.clone(),
        table: context.resource.table.clone(),
        namespace: context.info.namespace.clone(),
        selection: wanted.selection,
        bookmarks: context.query.is_true("allowWatchBookmarks"),
        printer,
        sender,
        deadline: Instant::now() + timeout,
    };
    let initial_events =
        context.query.get("sendInitialEvents").map(|_| context.query.is_true("sendInitialEvents"));
    tokio::spawn(watcher.run(wanted.version, initial_events));
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::OK;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
    Ok(response)
}

fn timeout(context: &Context) -> Result<Duration> {
    let asked = context.query.number("timeoutSeconds")?.and_then(|seconds| u64::try_from(seconds).ok());
    Ok(match asked.filter(|seconds| *seconds > 0) {
        Some(seconds) => Duration::from_secs(seconds),
        None => {
            let random = u64::from(u16::from_be_bytes([uuid::Uuid::new_v4().as_bytes()[0], 0]));
            LEAST_TIMEOUT + LEAST_TIMEOUT.mul_f64(random as f64 / f64::from(u16::MAX))
        }
    })
}

/// One who watches.
struct Watcher {
    state: Arc<State>,
    table: TableId,
    namespace: Option<String>,
    selection: Selection,
    bookmarks: bool,
    printer: Printer,
    sender: mpsc::Sender<Bytes>,
    deadline: Instant,
}

/// The client is gone.
struct Gone;

impl Watcher {
    async fn run(mut self, version: Option<u64>, initial_events: Option<bool>) {
        // What goes wrong once the stream has begun is told in it; then, or when the client is gone, it ends.
        if let Ok(Some(failure)) = self.follow(version, initial_events).await {
            let _ = self.sender.send(error_event(&failure)).await;
        }
    }

    async fn follow(
        &mut self,
        version: Option<u64>,
        initial_events: Option<bool>,
    ) -> std::result::Result<Option<Failure>, Gone> {
        let from = version.filter(|version| *version != 0);
        let mut cursor = match (from, initial_events) {
            (Some(version), None | Some(false)) => match self.state.store.watch_from(&self.table, version) {
                Ok(cursor) => cursor,
                Err(error) => return Ok(Some(too_old(version, &error))),
            },
            (None, Some(false)) => self.state.store.watch_all(&self.table, &self.nothing()).1,
            (from, _) => {
                if let Some(version) = from {
                    let waited = self.state.store.wait_for(version, super::read::WAIT_FOR_VERSION).await;
                    if let Err(StoreError::Future { latest }) = waited {
                        return Ok(Some(Failure::version_too_large(version, latest)));
                    }
                }
                self.send_initial_events().await?
            }
        };
        self.send_changes(&mut cursor, from.unwrap_or_default()).await
    }

    fn nothing(&self) -> Page<'_> {
        Page { namespace: self.namespace.as_deref(), selection: &self.selection, start: None, limit: Some(0) }
    }

    async fn send_initial_events(&mut self) -> std::result::Result<Cursor, Gone> {
        let page = Page { limit: None, ..self.nothing() };
        let (listed, cursor) = self.state.store.watch_all(&self.table, &page);
        for object in &listed.objects {
            let event = self.printer.event(ChangeKind::Added, object, object.version);
            self.send(event).await?;
        }
        if self.bookmarks {
            let event = self.printer.bookmark(listed.version, true);
            self.send(event).await?;
        }
        Ok(cursor)
    }

    async fn send_changes(
        &mut self,
        cursor: &mut Cursor,
        mut version: u64,
    ) -> std::result::Result<Option<Failure>, Gone> {
        let mut bookmarks = interval_at(Instant::now() + BOOKMARK_EVERY, BOOKMARK_EVERY);
        let mut last_bookmark =
            std::pin::pin!(sleep_until(self.deadline - LAST_BOOKMARK.min(self.deadline - Instant::now())));
        let mut last_sent = false;
        let mut stopped = self.state.stopped.clone();
        loop {
            match self.state.store.read_changes(&self.table, cursor) {
                Ok(tail) => {
                    let done = tail.changes.is_empty();
                    // Who starts from a version to come is told of what comes behind it.
                    let from = version;
                    for change in tail.changes.iter().filter(|change| change.version() > from) {
                        self.send_change(change).await?;
                        version = change.version();
                    }
                    if done {
                        version = tail.version.max(version);
                    }
                }
                Err(error) => return Ok(Some(too_old(version, &error))),
            }
            let sender = self.sender.clone();
            tokio::select! {
                () = cursor.changed() => {}
                _ = bookmarks.tick(), if self.bookmarks => {
                    let event = self.printer.bookmark(version, false);
                    self.send(event).await?;
                }
                () = &mut last_bookmark, if self.bookmarks && !last_sent => {
                    last_sent = true;
                    let event = self.printer.bookmark(version, false);
                    self.send(event).await?;
                }
                () = sleep_until(self.deadline) => return Ok(None),
                () = sender.closed() => return Err(Gone),
                () = async { drop(stopped.wait_for(|stopped| *stopped).await) } => return Ok(None),
            }
        }
    }

    async fn send_change(&mut self, change: &Change) -> std::result::Result<(), Gone> {
        let elsewhere =
            self.namespace.is_some() && change.object.key.namespace() != self.namespace.as_deref();
        if elsewhere {
            return Ok(());
        }
        match change.seen_by(&self.selection) {
            Some((kind, object)) => {
                let event = self.printer.event(kind, object, change.version());
                self.send(event).await
            }
            None => Ok(()),
        }
    }

    async fn send(&self, event: Bytes) -> std::result::Result<(), Gone> {
        self.sender.send(event).await.map_err(|_| Gone)
    }
}

/// Puts events into the form that was asked for.
struct Printer {
    resource: Arc<Resource>,
    transform: Transform,
    include: Include,
    /// Whether the next Table is the first, which defines the columns.
    columns: bool,
}

impl Printer {
    fn event(&mut self, kind: ChangeKind, object: &Object, version: u64) -> Bytes {
        let kind = match kind {
            ChangeKind::Added => "ADDED",
            ChangeKind::Modified => "MODIFIED",
            ChangeKind::Deleted => "DELETED",
        };
        let resource = &self.resource;
        let shown = if self.transform == Transform::None && object.version == version {
            respond::with_kind(resource, &resource.render(object))
        } else {
            let mut value = resource.read(object);
            // An object that ceases to be selected is shown as it was, at the version of the change.
            map_at(&mut value, "metadata").insert("resourceVersion".to_owned(), version.to_string().into());
            match self.transform {
                Transform::None => respond::with_kind(resource, &resource.encode(&value)),
                Transform::Partial(version) => respond::partial(version, &value),
                Transform::Table(version) => {
                    let with_columns = std::mem::take(&mut self.columns);
                    table::of_one(version, resource, value, self.include, with_columns)
                }
            }
        };
        event(kind, &shown)
    }

    fn bookmark(&mut self, version: u64, initial_events_end: bool) -> Bytes {
        let resource = &self.resource;
        let mut object = resource.schema().map(values::empty).unwrap_or_default();
        let metadata = map_at(&mut object, "metadata");
        metadata.insert("resourceVersion".to_owned(), version.to_string().into());
        if initial_events_end {
            metadata.insert("annotations".to_owned(), json!({ INITIAL_EVENTS_END: "true" }));
        }
        let shown = match self.transform {
            Transform::None => respond::with_kind(resource, &resource.encode(&object)),
            Transform::Partial(version) => respond::partial(version, &object),
            Transform::Table(version) => {
                let with_columns = std::mem::take(&mut self.columns);
                table::of_one(version, resource, object, self.include, with_columns)
            }
        };
        event("BOOKMARK", &shown)
    }
}

/// A line of a watch; `object` is JSON.
fn event(kind: &str, object: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(object.len() + 40);
    out.extend_from_slice(format!(r#"{{"type":"{kind}","object":"#).as_bytes());
    out.extend_from_slice(object);
    out.extend_from_slice(b"}\n");
    out.into()
}

fn error_event(failure: &Failure) -> Bytes {
    event("ERROR", &respond::status(failure.status()))
}

fn too_old(version: u64, error: &StoreError) -> Failure {
    match error {
        StoreError::Compacted { oldest } => {
            Failure::expired(format!("too old resource version: {version} ({oldest})"))
        }
        _ => Failure::internal("cannot watch"),
    }
}
