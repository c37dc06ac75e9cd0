//! [`PooledConnection`], a connection of a pool, and the permits for requests on it.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::{Request, Response, Uri};
use hyper::body::Incoming;
use hyper::client::conn::http2;
use klient_workqueue::Backoff;
use tokio::runtime::Id;
use tokio::sync::oneshot;
use tokio::time::Instant;
use tracing::Instrument as _;
use tracing::instrument::WithSubscriber as _;

use super::connect::Connector;
use super::idle_connections::IdleConnections;
use super::opening::Opening;
use super::sender::{CONNECTION_WINDOW, Failed, Http1Sender, STREAM_WINDOW, Sender, send_http2};
use super::server::Server;
use super::{BoxError, RequestBody};
use crate::http_trace::ConnectTimes;

/// The maximum number of requests of one connection: fewer than servers allow, since the counts of both sides differ
/// for a moment.
const REQUESTS_PER_CONNECTION: usize = 90;

const _: () = assert!(CONNECTION_WINDOW as usize > REQUESTS_PER_CONNECTION * STREAM_WINDOW as usize);

/// One HTTP/2 connection, or as many of HTTP/1.1 as it needs.
pub(super) struct PooledConnection {
    connector: Connector,
    pub(super) server: Server,
    /// The HTTP/2 connection, once it is open.
    http2: OnceLock<http2::SendRequest<RequestBody>>,
    pub(super) idle: IdleConnections,
    /// The runtime of the connection's tasks.
    pub(super) runtime: Id,
    pub(super) requests: AtomicUsize,
    /// The generation of TLS settings with which it is opened.
    tls_generation: u64,
    /// The time after which it gets no more requests.
    retires: Option<Instant>,
    opening: Opening,
    created: Instant,
    /// The end of its last request, in milliseconds after it was created.
    last_used: AtomicU64,
    /// True if its first request could not open it.
    has_failed: AtomicBool,
}

/// The permit for one request on a connection, given back when the response has ended.
pub(super) struct StreamPermit {
    connection: Arc<PooledConnection>,
    /// The HTTP/1.1 connection of the request.
    http1: Option<Http1Sender>,
}

impl StreamPermit {
    /// Sends a request, and waits for the head of its response. The permit is for the body, too.
    pub(super) async fn send(
        &mut self,
        mut request: Request<RequestBody>,
    ) -> Result<Response<Incoming>, Failed> {
        // An idle connection may have been closed by the server, which the client sees when it uses it. As many may
        // have been as there are.
        while let Some(sender) = self.connection.idle.take().await {
            match self.send_http1(sender, request).await {
                Err(Failed { unprocessed: Some(unsent), .. }) => request = *unsent,
                result => return result,
            }
        }
        match self.connection.sender(request.uri()).await? {
            Sender::Http1(sender) => self.send_http1(sender, request).await,
            Sender::Http2(sender) => send_http2(sender, request).await,
        }
    }

    async fn send_http1(
        &mut self,
        mut sender: Http1Sender,
        request: Request<RequestBody>,
    ) -> Result<Response<Incoming>, Failed> {
        let response = sender.send(request, &self.connection.server.host).await?;
        self.http1 = Some(sender);
        Ok(response)
    }
}

impl Drop for StreamPermit {
    fn drop(&mut self) {
        if let Some(sender) = self.http1.take() {
            self.connection.idle.put(sender);
        }
        self.connection.give_back();
    }
}

impl PooledConnection {
    /// A connection that is opened with the first request.
    pub(super) fn new(
        connector: Connector,
        server: Server,
        runtime: Id,
        max_age: Option<Duration>,
        opening: Opening,
    ) -> Self {
        PooledConnection {
            tls_generation: connector.tls().generation(),
            connector,
            server,
            http2: OnceLock::new(),
            idle: IdleConnections::default(),
            runtime,
            requests: AtomicUsize::new(0),
            retires: max_age.and_then(|max_age| Instant::now().checked_add(random_age(max_age))),
            opening,
            created: Instant::now(),
            last_used: AtomicU64::new(0),
            has_failed: AtomicBool::new(false),
        }
    }

    /// Returns true if it gets no more requests, since it is too old, its certificates were replaced, the server has
    /// closed it, or it could not be opened.
    pub(super) fn is_retired(&self, tls_generation: u64) -> bool {
        self.tls_generation != tls_generation
            || self.retires.is_some_and(|retires| Instant::now() >= retires)
            || self.http2.get().is_some_and(http2::SendRequest::is_closed)
            || self.has_failed.load(Ordering::Relaxed)
    }

    /// A permit, if one is left.
    pub(super) fn permit(self: &Arc<Self>) -> Option<StreamPermit> {
        let taken = self.requests.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |requests| {
            (requests < REQUESTS_PER_CONNECTION).then_some(requests + 1)
        });
        taken.ok().map(|_| StreamPermit { connection: self.clone(), http1: None })
    }

    /// The HTTP/2 connection, which is opened for the first request, or a new one of HTTP/1.1.
    async fn sender(self: &Arc<Self>, server: &Uri) -> Result<Sender, BoxError> {
        if let Some(sender) = self.http2() {
            return Ok(sender);
        }
        if self.opening.begins() {
            return self.open_for_all(server.clone()).await;
        }
        self.opening.done().await;
        match self.http2() {
            Some(sender) => Ok(sender),
            None => self.open(server).await,
        }
    }

    fn http2(&self) -> Option<Sender> {
        self.http2.get().map(|sender| Sender::Http2(sender.clone()))
    }

    /// Opens the connection in a task of its own, within the trace and the span of the request that begins it.
    async fn open_for_all(self: &Arc<Self>, server: Uri) -> Result<Sender, BoxError> {
        let (result, opened) = oneshot::channel();
        let opening = BeganOpening(self.clone());
        let opening = async move {
            let connection = &opening.0;
            let opened = connection.open(&server).await;
            connection.has_failed.store(opened.is_err(), Ordering::Relaxed);
            if let Err(Ok(Sender::Http1(sender))) = result.send(opened) {
                connection.idle.put(sender);
            }
        };
        let opening = ConnectTimes::measured(ConnectTimes::current(), opening);
        tokio::spawn(opening.in_current_span().with_current_subscriber());
        // It ends with the runtime only.
        opened.await.unwrap_or_else(|_| Err("the runtime is shutting down".into()))
    }

    async fn open(&self, server: &Uri) -> Result<Sender, BoxError> {
        let socket = self.connector.open(server).await?;
        let sender = Sender::start(socket, self.connector.timeouts()).await?;
        let Sender::Http2(sender) = sender else { return Ok(sender) };
        // Of those that tried at the same time one is the connection of all.
        let shared = self.http2.get_or_init(|| sender.clone());
        Ok(Sender::Http2(if shared.is_closed() { sender } else { shared.clone() }))
    }

    /// Notes that a request has ended.
    fn give_back(&self) {
        let now = self.created.elapsed().as_millis().try_into().unwrap_or(u64::MAX);
        self.last_used.store(now, Ordering::Relaxed);
        self.requests.fetch_sub(1, Ordering::Relaxed);
    }

    /// Returns true if it has had no request for a time.
    pub(super) fn is_idle_for(&self, time: Duration) -> bool {
        let last_used = Duration::from_millis(self.last_used.load(Ordering::Relaxed));
        self.requests.load(Ordering::Relaxed) == 0 && self.created.elapsed().saturating_sub(last_used) >= time
    }
}

/// A connection that is being opened for all who wait. They go on when this is dropped, also by a panic of a dialer.
struct BeganOpening(Arc<PooledConnection>);

impl Drop for BeganOpening {
    fn drop(&mut self) {
        self.0.opening.finish();
    }
}

/// A random time of at most `max`, and at least three quarters of it.
fn random_age(max: Duration) -> Duration {
    Backoff { duration: max.mul_f64(0.75), jitter: 1.0 / 3.0, ..Default::default() }.step().min(max)
}
