//! The watch verb.

mod printer;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use tokio::sync::mpsc::{self, error::TrySendError};
use tokio::time::{Instant, interval_at, sleep_until};

use printer::Printer;

use super::list::ListRequest;
use super::read::{unreadable, wait};
use super::{Context, Offer, negotiate};
use crate::respond::Body;
use crate::state::State;
use crate::status::{Failure, Result};
use crate::storage::{Change, ChangeKind, Cursor, Page, Selection, TableId};
use crate::stream;

/// The minimum interval of bookmarks.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(1);

/// The time between the last bookmark and the end of a watch.
const LAST_BOOKMARK: Duration = Duration::from_secs(2);

/// The minimum duration of a watch without `timeoutSeconds`; it is chosen at random up to twice as long.
const LEAST_TIMEOUT: Duration = Duration::from_secs(1800);

/// The maximum duration of a watch, also of one with a longer `timeoutSeconds`.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(365 * 24 * 3600);

/// The number of events buffered for a slow client.
const WAITING: usize = 16;

/// Streams changes as they are made.
pub(crate) async fn watch(context: &Context) -> Result<Response<Body>> {
    let custom = context.resource.is_custom();
    let offer = Offer { transforms: true, watch: true, custom, ..Offer::PLAIN };
    let format = negotiate(&context.headers, &context.query, offer)?;
    let request = ListRequest::parse(context, true)?;
    let timeout = timeout(context)?;
    let printer = Printer { resource: context.resource.clone(), format, columns: true };
    let (sender, body) = stream::channel(WAITING);
    let watcher = Watcher {
        state: context.state.clone(),
        table: context.resource.table.clone(),
        namespace: context.info.namespace.clone(),
        selection: request.selection,
        bookmarks: context.query.is_true("allowWatchBookmarks"),
        printer,
        sender,
        deadline: Instant::now() + timeout,
    };
    let initial_events =
        context.query.get("sendInitialEvents").map(|_| context.query.is_true("sendInitialEvents"));
    tokio::spawn(watcher.run(request.version, initial_events));
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::OK;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(format.media.stream_type()));
    Ok(response)
}

fn timeout(context: &Context) -> Result<Duration> {
    let asked = context.query.number("timeoutSeconds")?.and_then(|seconds| u64::try_from(seconds).ok());
    Ok(match asked.filter(|seconds| *seconds > 0) {
        Some(seconds) => Duration::from_secs(seconds).min(LONGEST_TIMEOUT),
        None => {
            let random = u64::from(u16::from_be_bytes([uuid::Uuid::new_v4().as_bytes()[0], 0]));
            LEAST_TIMEOUT + LEAST_TIMEOUT.mul_f64(random as f64 / f64::from(u16::MAX))
        }
    })
}

/// A running watch.
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

/// The client has disconnected, or is so slow that it has missed changes, or the watch has timed out.
struct Gone;

impl Watcher {
    async fn run(mut self, version: Option<u64>, initial_events: Option<bool>) {
        // Errors after the start of the stream are sent as an event; then, or if the client has disconnected, it
        // ends.
        if let Ok(Some(failure)) = self.follow(version, initial_events).await {
            let _ = self.sender.send(self.printer.error(&failure)).await;
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
                Err(error) => return Ok(Some(unreadable(version, &error))),
            },
            (None, Some(false)) => self.state.store.watch_all(&self.table, &self.nothing()).1,
            (from, _) => {
                if let Some(version) = from
                    && let Err(failure) = wait(&self.state, version).await
                {
                    return Ok(Some(failure));
                }
                match self.send_initial_events().await? {
                    Ok(cursor) => cursor,
                    Err(failure) => return Ok(Some(failure)),
                }
            }
        };
        self.send_changes(&mut cursor, from.unwrap_or_default()).await
    }

    fn nothing(&self) -> Page<'_> {
        Page { namespace: self.namespace.as_deref(), selection: &self.selection, start: None, limit: Some(0) }
    }

    async fn send_initial_events(&mut self) -> std::result::Result<Result<Cursor>, Gone> {
        let page = Page { limit: None, ..self.nothing() };
        let (listed, cursor) = self.state.store.watch_all(&self.table, &page);
        let served =
            self.state.converter.serve_all(&self.printer.resource, listed.objects, self.deadline).await;
        let objects = match served {
            Ok(objects) => objects,
            Err(_) if Instant::now() >= self.deadline => return Err(Gone),
            Err(undecodable) => return Ok(Err(undecodable.into())),
        };
        for object in &objects {
            let event = self.printer.event(ChangeKind::Added, object, object.version);
            self.send(event, &cursor).await?;
        }
        if self.bookmarks {
            let event = self.printer.bookmark(listed.version, true);
            self.send(event, &cursor).await?;
        }
        Ok(Ok(cursor))
    }

    async fn send_changes(
        &mut self,
        cursor: &mut Cursor,
        mut version: u64,
    ) -> std::result::Result<Option<Failure>, Gone> {
        let interval = self.state.bookmark_interval.max(SHORTEST_INTERVAL);
        let mut bookmarks = interval_at(Instant::now() + interval, interval);
        let mut last_bookmark =
            pin!(sleep_until(self.deadline - LAST_BOOKMARK.min(self.deadline - Instant::now())));
        let (mut last_sent, mut bookmark_due, mut replaced) = (false, false, false);
        let mut stopped = self.state.stopped.clone();
        let (state, resource) = (self.state.clone(), self.printer.resource.clone());
        let mut replacement = pin!(state.registry.replaced(&resource));
        loop {
            let tail = match self.state.store.read_changes(&self.table, cursor) {
                Ok(tail) => tail,
                Err(error) => return Ok(Some(unreadable(version, &error))),
            };
            // A watch from a future version gets only the changes after it.
            for change in tail.changes.iter().filter(|change| change.version() > version) {
                if let Err(failure) = self.send_change(change, cursor).await? {
                    return Ok(Some(failure));
                }
            }
            version = tail.version.max(version);
            if std::mem::take(&mut bookmark_due) {
                let event = self.printer.bookmark(version, false);
                self.send(event, cursor).await?;
            }
            if replaced {
                return Ok(None);
            }
            let sender = self.sender.clone();
            tokio::select! {
                () = cursor.changed() => {}
                _ = bookmarks.tick(), if self.bookmarks => bookmark_due = true,
                () = &mut last_bookmark, if self.bookmarks && !last_sent => {
                    last_sent = true;
                    bookmark_due = true;
                }
                () = &mut replacement => replaced = true,
                () = sleep_until(self.deadline) => return Ok(None),
                () = sender.closed() => return Err(Gone),
                () = async { drop(stopped.wait_for(|stopped| *stopped).await) } => return Ok(None),
            }
        }
    }

    async fn send_change(
        &mut self,
        change: &Change,
        cursor: &Cursor,
    ) -> std::result::Result<Result<()>, Gone> {
        let Some((kind, object)) = change.seen_by(self.namespace.as_deref(), &self.selection) else {
            return Ok(Ok(()));
        };
        let object =
            match self.state.converter.serve(&self.printer.resource, object.clone(), self.deadline).await {
                Ok(object) => object,
                Err(_) if Instant::now() >= self.deadline => return Err(Gone),
                Err(undecodable) => return Ok(Err(undecodable.into())),
            };
        let event = self.printer.event(kind, &object, change.version());
        self.send(event, cursor).await.map(Ok)
    }

    /// Sends an event. Waits for a slow client, but only as long as the server still has the changes that follow.
    async fn send(&self, event: Bytes, cursor: &Cursor) -> std::result::Result<(), Gone> {
        let event = match self.sender.try_send(event) {
            Ok(()) => return Ok(()),
            Err(TrySendError::Closed(_)) => return Err(Gone),
            Err(TrySendError::Full(event)) => event,
        };
        let mut stopped = self.state.stopped.clone();
        tokio::select! {
            sent = self.sender.send(event) => sent.map_err(|_| Gone),
            () = self.state.store.overtakes(&self.table, cursor) => Err(Gone),
            () = sleep_until(self.deadline) => Err(Gone),
            _ = stopped.wait_for(|stopped| *stopped) => Err(Gone),
        }
    }
}
