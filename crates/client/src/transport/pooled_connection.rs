//! [`PooledConnection`], a connection of a pool, and the permits for requests on it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use klient_workqueue::Backoff;
use tokio::runtime::Id;
use tokio::time::Instant;

use super::RequestBody;
use super::connect::Connector;
use super::opening::Opening;

/// The maximum number of requests of one connection: fewer than servers allow, since the counts of both sides differ
/// for a moment.
const REQUESTS_PER_CONNECTION: usize = 90;

/// Unread data of one HTTP/2 response: it bounds the memory that an unread response holds, and how much is under way on
/// a connection with a long round trip.
pub(super) const STREAM_WINDOW: u32 = 1 << 20;

/// Unread data of all responses of one connection. Responses that are not read never use it up, since all of them
/// together hold less; the rest is for those that were dropped while their data was under way.
const CONNECTION_WINDOW: u32 = 128 << 20;

const _: () = assert!(CONNECTION_WINDOW as usize > REQUESTS_PER_CONNECTION * STREAM_WINDOW as usize);

const IDLE_TIMEOUT: Duration = Duration::from_secs(90);
const IDLE_CONNECTIONS: usize = 25;

/// A client that has one HTTP/2 connection, or as many of HTTP/1.1 as it needs.
pub(super) struct PooledConnection {
    pub(super) client: Client<Connector, RequestBody>,
    /// The runtime of the connection's tasks.
    pub(super) runtime: Id,
    pub(super) requests: AtomicUsize,
    /// The generation of TLS settings with which it is opened.
    tls_generation: u64,
    /// The time after which it gets no more requests.
    retires: Option<Instant>,
    pub(super) opening: Opening,
}

/// The permit for one request on a connection, given back when the response has ended.
pub(super) struct StreamPermit(Arc<PooledConnection>);

impl StreamPermit {
    pub(super) fn connection(&self) -> &PooledConnection {
        &self.0
    }
}

impl Drop for StreamPermit {
    fn drop(&mut self) {
        self.0.requests.fetch_sub(1, Ordering::Relaxed);
    }
}

impl PooledConnection {
    /// A connection that is opened with the first request.
    pub(super) fn new(
        connector: Connector,
        runtime: Id,
        max_age: Option<Duration>,
        opening: Opening,
    ) -> Self {
        let tls_generation = connector.tls().generation();
        let timeouts = connector.timeouts().clone();
        let client = Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .http2_keep_alive_interval(timeouts.http2_read_idle)
            .http2_keep_alive_timeout(timeouts.http2_ping)
            .http2_keep_alive_while_idle(true)
            .http2_initial_stream_window_size(STREAM_WINDOW)
            .http2_initial_connection_window_size(CONNECTION_WINDOW)
            .build(connector);
        let retires = max_age.and_then(|max_age| Instant::now().checked_add(random_age(max_age)));
        PooledConnection { client, runtime, requests: AtomicUsize::new(0), tls_generation, retires, opening }
    }

    /// Returns true if it gets no more requests, since it is too old or its certificates were replaced.
    pub(super) fn is_retired(&self, tls_generation: u64) -> bool {
        self.tls_generation != tls_generation || self.retires.is_some_and(|retires| Instant::now() >= retires)
    }

    /// A permit, if one is left.
    pub(super) fn permit(self: &Arc<Self>) -> Option<StreamPermit> {
        let taken = self.requests.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |requests| {
            (requests < REQUESTS_PER_CONNECTION).then_some(requests + 1)
        });
        taken.ok().map(|_| StreamPermit(self.clone()))
    }
}

/// A random time of at most `max`, and at least three quarters of it.
fn random_age(max: Duration) -> Duration {
    Backoff { duration: max.mul_f64(0.75), jitter: 1.0 / 3.0, ..Default::default() }.step().min(max)
}
