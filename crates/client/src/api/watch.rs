//! [`Watch`], changes as they are made.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use klient_apimachinery::codec::{Format, ManagedFields, Wire};
use klient_apimachinery::{WatchEvent, WatchOptions};

use crate::call::Call;
use crate::connection::Connection;
use crate::error::{Error, ErrorKind, Problem};
use crate::rest::{ByteStream, Request};

/// The changes of objects as a stream of events. Dropping it ends the watch.
///
/// It ends when the server ends it, which every server does after a while: start another at the last version. Nothing
/// follows an event of kind [`WatchEvent::Error`], after which a watch cannot continue at its version.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use klient_api::core::v1::Namespace;
/// use klient_client::{Client, Config, WatchEvent, WatchOptions};
///
/// let server = klient_apiserver::TestServer::start().await?;
/// let client = Client::new(Config::from_kubeconfig(&server.kubeconfig())?)?;
/// let mut watch = client.api::<Namespace>().watch(&WatchOptions::default()).await?;
/// assert!(matches!(watch.next().await, Some(Ok(WatchEvent::Added(namespace))) if namespace.metadata.name.is_some()));
/// # Ok(()) }
/// ```
pub struct Watch<K> {
    lines: Lines,
    format: Format,
    managed_fields: ManagedFields,
    kind: PhantomData<fn() -> K>,
}

/// A stream together with its pending read.
type Reading = Pin<Box<dyn Future<Output = (ByteStream, Result<Option<Bytes>, Error>)> + Send>>;

/// The lines of a watch, read by a future that is kept between polls.
struct Lines {
    reading: Option<Reading>,
    idle: Option<Duration>,
    call: Arc<Call>,
    ready: VecDeque<Bytes>,
}

impl<K: Wire> Watch<K> {
    pub(super) async fn start(
        request: Request,
        options: &WatchOptions,
        connection: &Connection,
    ) -> Result<Self, Error> {
        let bookmarks = options.allow_bookmarks || options.send_initial_events;
        let mut request = request.query("watch", "true");
        for (key, value) in [
            ("labelSelector", options.label_selector.as_deref()),
            ("fieldSelector", options.field_selector.as_deref()),
            ("resourceVersion", options.resource_version.as_deref()),
            ("sendInitialEvents", options.send_initial_events.then_some("true")),
            ("resourceVersionMatch", options.send_initial_events.then_some("NotOlderThan")),
            ("allowWatchBookmarks", bookmarks.then_some("true")),
        ] {
            if let Some(value) = value {
                request = request.query(key, value);
            }
        }
        if let Some(seconds) = options.timeout_seconds {
            request = request.query("timeoutSeconds", seconds.to_string());
        }
        let stream = request.stream_of::<K>().await?;
        // Without bookmarks silence is no failure: there may be no changes.
        let idle = connection.config().timeouts.watch_idle.filter(|_| bookmarks);
        Ok(Watch {
            format: stream.format(),
            lines: Lines::new(stream, idle),
            managed_fields: options.managed_fields,
            kind: PhantomData,
        })
    }

    /// The next event; `None` at the end.
    pub async fn next(&mut self) -> Option<Result<WatchEvent<K>, Error>> {
        poll_fn(|context| self.poll_event(context)).await
    }

    /// Appends the next event and those that have arrived with it; false at the end.
    pub(super) async fn next_batch(&mut self, out: &mut Vec<WatchEvent<K>>) -> Result<bool, Error> {
        let Some(first) = self.next().await else { return Ok(false) };
        out.push(first?);
        while let Some(line) = self.lines.ready.pop_front() {
            out.push(self.read(&line)?);
        }
        Ok(true)
    }

    fn poll_event(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<WatchEvent<K>, Error>>> {
        self.lines.poll_line(context).map(|line| line.map(|line| self.read(&line?)))
    }

    fn read(&self, line: &[u8]) -> Result<WatchEvent<K>, Error> {
        let event = match self.format {
            Format::Json => WatchEvent::from_json(line, self.managed_fields),
            Format::Protobuf => WatchEvent::from_protobuf(line, self.managed_fields),
        };
        event.map_err(|error| Error::decode(self.lines.call.to_string(), error))
    }
}

impl<K: Wire> Stream for Watch<K> {
    type Item = Result<WatchEvent<K>, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_event(context)
    }
}

impl<K> fmt::Debug for Watch<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Watch").field(&format_args!("{}", self.lines.call)).finish()
    }
}

impl Lines {
    fn new(stream: ByteStream, idle: Option<Duration>) -> Self {
        let call = stream.call().clone();
        let mut lines = Lines { reading: None, idle, call, ready: VecDeque::new() };
        lines.read(stream);
        lines
    }

    fn read(&mut self, mut stream: ByteStream) {
        let (idle, call) = (self.idle, self.call.clone());
        self.reading = Some(Box::pin(async move {
            let line = match idle {
                None => stream.event().await,
                Some(limit) => tokio::time::timeout(limit, stream.event()).await.unwrap_or_else(|_| {
                    let problem = format!("nothing was heard for {} s", limit.as_secs_f64());
                    Err(Error::new(ErrorKind::Timeout, call.to_string(), Problem(problem)))
                }),
            };
            (stream, line)
        }));
    }

    fn poll_line(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        loop {
            if let Some(line) = self.ready.pop_front() {
                return Poll::Ready(Some(Ok(line)));
            }
            let Some(reading) = &mut self.reading else { return Poll::Ready(None) };
            let Poll::Ready((mut stream, line)) = reading.as_mut().poll(context) else {
                return Poll::Pending;
            };
            self.reading = None;
            match line {
                Ok(None) => return Poll::Ready(None),
                Err(error) => return Poll::Ready(Some(Err(error))),
                Ok(Some(line)) => {
                    self.ready.push_back(line);
                    // What came along with it needs no future of its own.
                    while let Some(line) = stream.buffered_event() {
                        self.ready.push_back(line);
                    }
                    if stream.format() == Format::Json {
                        self.ready.retain(|line| !line.trim_ascii().is_empty());
                    }
                    self.read(stream);
                }
            }
        }
    }
}
