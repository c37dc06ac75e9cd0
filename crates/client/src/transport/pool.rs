//! [`Pool`], connections enough for all requests.
//!
//! A server lets one HTTP/2 connection carry so many requests at once, usually a hundred; watches last, so a
//! program of many informers fills it, and its next request would wait for ever. A pool opens another connection
//! before that.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, RwLock};
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response};
use http_body_util::BodyExt as _;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tower::Service;

use super::connect::Connector;
use super::{BoxError, Held, RequestBody, ResponseBody};

/// How many requests one connection carries at most: some below what servers allow, for those that are counted here
/// only a moment later than there.
const REQUESTS_PER_CONNECTION: usize = 90;

/// As client-go: found out after 30 s of silence and 15 s without an answer to a ping.
const PING_AFTER: Duration = Duration::from_secs(30);
const PING_TIMEOUT: Duration = Duration::from_secs(15);

const IDLE_TIMEOUT: Duration = Duration::from_secs(90);
const IDLE_CONNECTIONS: usize = 25;

/// Sends requests over as few HTTP/2 connections as can carry them, or over HTTP/1.1.
#[derive(Clone)]
pub(super) struct Pool(Arc<Inner>);

struct Inner {
    connector: Connector,
    lanes: RwLock<Vec<Arc<Lane>>>,
}

/// A client that has one HTTP/2 connection, or as many of HTTP/1.1 as it needs.
struct Lane {
    client: Client<Connector, RequestBody>,
    requests: AtomicUsize,
}

/// A place on a lane, given back when the answer has ended.
struct Seat(Arc<Lane>);

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.requests.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Lane {
    fn new(connector: Connector) -> Self {
        let client = Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .http2_keep_alive_interval(PING_AFTER)
            .http2_keep_alive_timeout(PING_TIMEOUT)
            .http2_keep_alive_while_idle(true)
            .http2_adaptive_window(true)
            .build(connector);
        Lane { client, requests: AtomicUsize::new(0) }
    }

    /// Takes a place, if there is one.
    fn seat(self: &Arc<Self>) -> Option<Seat> {
        let taken = self.requests.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |requests| {
            (requests < REQUESTS_PER_CONNECTION).then_some(requests + 1)
        });
        taken.ok().map(|_| Seat(self.clone()))
    }
}

impl Pool {
    pub(super) fn new(connector: Connector) -> Self {
        let first = Arc::new(Lane::new(connector.clone()));
        Pool(Arc::new(Inner { connector, lanes: RwLock::new(vec![first]) }))
    }

    fn seat(&self) -> Seat {
        let free = |lanes: &[Arc<Lane>]| lanes.iter().find_map(Lane::seat);
        if let Some(seat) = free(&self.0.lanes.read().expect("no panics while held")) {
            return seat;
        }
        let mut lanes = self.0.lanes.write().expect("no panics while held");
        if let Some(seat) = free(&lanes) {
            return seat;
        }
        let lane = Arc::new(Lane::new(self.0.connector.clone()));
        lanes.push(lane.clone());
        lane.seat().expect("a new lane is empty")
    }
}

impl Service<Request<RequestBody>> for Pool {
    type Response = Response<ResponseBody>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<RequestBody>) -> Self::Future {
        let seat = self.seat();
        let sent = seat.0.client.request(request);
        Box::pin(async move {
            let response = sent.await?;
            Ok(response.map(|body| Held { body: body.map_err(BoxError::from), _held: seat }.boxed_unsync()))
        })
    }
}
