//! [`ChangeStream`], the changes of an informer as server-sent events.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, Stream as Events};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::feed::OpenStream;
use crate::feed::ring::{Change, ChangeKind, Row, Status, Unread};
use crate::meters::Meters;
use crate::selection::Filter;
use crate::streams::Stream;

/// The interval of comments, by which both ends notice that the other is gone.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// The number of changes that are taken at a time.
const BATCH: usize = 64;

/// The bytes of changes from which on no more are taken at a time.
const BATCH_BYTES: usize = 256 << 10;

/// The changes of an informer as server-sent events. It is a position among the changes: nothing is queued for it but the
/// batch that is being sent, whose bytes all streams share.
///
/// | event | data | meaning |
/// |---|---|---|
/// | `change` | `{"type": "added", "row": …}` | `added`, `modified` or `deleted`, as the filter sees it |
/// | `reset` | `{}` | changes were lost: read the table again |
/// | `columns` | `{"columns": […]}` | the table has other columns; the rows follow as changes |
/// | `waiting` | `{"message": …}` | the server is away |
/// | `sync` | `{}` | the server answers again |
/// | `gone` | `{"error": …}` | the last event: the kind or the permission was removed |
pub(crate) struct ChangeStream {
    pub(crate) feed: OpenStream,
    pub(crate) filter: Filter,
    /// The number of the last change that was sent.
    pub(crate) after: u64,
    pub(crate) last: watch::Receiver<u64>,
    pub(crate) shutdown: watch::Receiver<bool>,
    pub(crate) meters: Arc<Meters>,
    pub(crate) ready: VecDeque<Bytes>,
    pub(crate) has_ended: bool,
    /// Counted until the stream ends.
    pub(crate) _open: Stream,
}

impl ChangeStream {
    /// The events, in bytes. `is_lost` is true if the client was at a position that is not known.
    pub(crate) fn into_events(mut self, is_lost: bool) -> impl Events<Item = Bytes> + Send {
        // Bytes at once, by which the client sees that it is connected.
        self.ready.push_back(Bytes::from_static(b"retry: 1000\n\n"));
        if is_lost {
            self.reset();
        }
        if let Status::Waiting(message) = self.feed.ring().status() {
            self.ready.push_back(event(None, "waiting", &json!({ "message": message })));
        }
        stream::unfold(self, |mut stream| async move {
            let bytes = stream.next().await?;
            Some((bytes, stream))
        })
    }

    fn reset(&mut self) {
        self.meters.resets.fetch_add(1, Ordering::Relaxed);
        self.ready.push_back(event(Some(&self.id()), "reset", &json!({})));
    }

    fn id(&self) -> String {
        self.feed.ring().cursor(self.after)
    }

    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(bytes) = self.ready.pop_front() {
                self.meters.events.fetch_add(1, Ordering::Relaxed);
                return Some(bytes);
            }
            if self.has_ended {
                return None;
            }
            self.last.mark_unchanged();
            match self.feed.ring().read(self.after, BATCH, BATCH_BYTES) {
                Unread::Lost => {
                    self.after = self.feed.ring().last();
                    self.reset();
                }
                Unread::Changes(changes) if changes.is_empty() => {
                    // The client notes the id, which may be that of a change it does not see.
                    let id = self.id();
                    tokio::select! {
                        _ = self.last.changed() => {}
                        _ = self.shutdown.wait_for(|is_down| *is_down) => return None,
                        () = tokio::time::sleep(KEEP_ALIVE) => return Some(format!(": \nid: {id}\n\n").into()),
                    }
                }
                Unread::Changes(changes) => {
                    for change in changes {
                        self.after = change.number;
                        let frame = self.frame(&change);
                        self.ready.extend(frame);
                    }
                }
            }
        }
    }

    /// The event of a change; `None` if the filter sees none.
    fn frame(&mut self, change: &Change) -> Option<Bytes> {
        let cursor = self.feed.ring().cursor(change.number);
        let id = || Some(cursor.clone());
        match &change.kind {
            ChangeKind::Row { old, new } if self.filter.is_everything() => {
                let frame = change.frame.get_or_init(|| {
                    row_event(id(), old.as_ref(), new.as_ref()).expect("one of them is there")
                });
                Some(frame.clone())
            }
            ChangeKind::Row { old, new } => {
                let matches = |row: &&Row| self.filter.matches(row);
                row_event(id(), old.as_ref().filter(matches), new.as_ref().filter(matches))
            }
            ChangeKind::Columns(columns) => {
                Some(event(id().as_deref(), "columns", &json!({ "columns": **columns })))
            }
            ChangeKind::Live => Some(event(id().as_deref(), "sync", &json!({}))),
            ChangeKind::Waiting(message) => {
                Some(event(id().as_deref(), "waiting", &json!({ "message": message })))
            }
            ChangeKind::Ended(failure) => {
                self.has_ended = true;
                Some(event(id().as_deref(), "gone", &json!({ "error": failure.to_value() })))
            }
        }
    }
}

fn row_event(id: Option<String>, old: Option<&Row>, new: Option<&Row>) -> Option<Bytes> {
    let (kind, row) = match (old, new) {
        (None, Some(row)) => ("added", row),
        (Some(_), Some(row)) => ("modified", row),
        (Some(row), None) => ("deleted", row),
        (None, None) => return None,
    };
    let row = row.encoded();
    let mut out = Vec::with_capacity(row.bytes().len() + 96);
    if let Some(id) = id {
        out.extend_from_slice(b"id: ");
        out.extend_from_slice(id.as_bytes());
        out.push(b'\n');
    }
    out.extend_from_slice(format!("event: change\ndata: {{\"type\":\"{kind}\",\"row\":").as_bytes());
    push_line(&mut out, row.bytes());
    out.extend_from_slice(b"}\n\n");
    Some(out.into())
}

/// Appends JSON without line breaks, which are white space in it, and would end the data of an event.
fn push_line(out: &mut Vec<u8>, json: &[u8]) {
    out.extend(json.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte }));
}

fn event(id: Option<&str>, name: &str, data: &Value) -> Bytes {
    let id = id.map(|id| format!("id: {id}\n")).unwrap_or_default();
    format!("{id}event: {name}\ndata: {data}\n\n").into()
}
