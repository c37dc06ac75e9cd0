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

use http::{Method, Request, Response, Uri};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tower::Service;

use super::body::Bodies;
use super::connect::Connector;
use super::{BoxError, RequestBody, ResponseBody};
use crate::config::Timeouts;

/// How many requests one connection carries at most: some below what servers allow, for those that are counted here
/// only a moment later than there.
const REQUESTS_PER_CONNECTION: usize = 90;

/// Unread data of one HTTP/2 response: it bounds the memory that an unread response holds, and how much is under way on
/// a connection with a long round trip.
pub(super) const STREAM_WINDOW: u32 = 1 << 20;

/// Unread data of all responses of one connection. Responses that are not read never use it up, since all of them
/// together hold less; the rest is for those that were dropped while their data was under way.
const CONNECTION_WINDOW: u32 = 128 << 20;

const _: () = assert!(CONNECTION_WINDOW as usize > REQUESTS_PER_CONNECTION * STREAM_WINDOW as usize);

/// A request that waits for longer for the head of its response says so in the log.
const SLOW_RESPONSE: Duration = Duration::from_secs(10);

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
    bodies: Arc<Bodies>,
}

/// A client that has one HTTP/2 connection, or as many of HTTP/1.1 as it needs.
struct Lane {
    client: Client<Connector, RequestBody>,
    requests: AtomicUsize,
}

/// The permit for one request on a lane, given back when the response has ended.
pub(super) struct StreamPermit(Arc<Lane>);

impl Drop for StreamPermit {
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
            .http2_initial_stream_window_size(STREAM_WINDOW)
            .http2_initial_connection_window_size(CONNECTION_WINDOW)
            .build(connector);
        Lane { client, requests: AtomicUsize::new(0) }
    }

    /// A permit, if one is left.
    fn permit(self: &Arc<Self>) -> Option<StreamPermit> {
        let taken = self.requests.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |requests| {
            (requests < REQUESTS_PER_CONNECTION).then_some(requests + 1)
        });
        taken.ok().map(|_| StreamPermit(self.clone()))
    }
}

impl Pool {
    pub(super) fn new(connector: Connector, timeouts: &Timeouts) -> Self {
        let lanes = RwLock::new(vec![Arc::new(Lane::new(connector.clone()))]);
        Pool(Arc::new(Inner { connector, lanes, bodies: Bodies::new(timeouts.unread) }))
    }

    fn permit(&self) -> StreamPermit {
        let free = |lanes: &[Arc<Lane>]| lanes.iter().find_map(Lane::permit);
        if let Some(permit) = free(&self.0.lanes.read().expect("no panics while held")) {
            return permit;
        }
        let mut lanes = self.0.lanes.write().expect("no panics while held");
        if let Some(permit) = free(&lanes) {
            return permit;
        }
        let lane = Arc::new(Lane::new(self.0.connector.clone()));
        lanes.push(lane.clone());
        lane.permit().expect("a new lane is empty")
    }

    /// Waits for the head of a response, and says so in the log where that takes long.
    async fn response(
        &self,
        sent: impl Future<Output = Result<Response<Incoming>, hyper_util::client::legacy::Error>>,
        (method, uri): &(Method, Uri),
    ) -> Result<Response<Incoming>, BoxError> {
        let mut sent = std::pin::pin!(sent);
        if let Ok(response) = tokio::time::timeout(SLOW_RESPONSE, &mut sent).await {
            return Ok(response?);
        }
        self.log_slow(method, uri);
        Ok(sent.await?)
    }

    fn log_slow(&self, method: &Method, uri: &Uri) {
        let lanes = self.0.lanes.read().expect("no panics while held");
        let requests: usize = lanes.iter().map(|lane| lane.requests.load(Ordering::Relaxed)).sum();
        tracing::warn!(
            connections = lanes.len(),
            requests,
            unfinished_responses = self.0.bodies.len(),
            "{method} {uri}: no response within {} s, still waiting",
            SLOW_RESPONSE.as_secs()
        );
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
        let pool = self.clone();
        let permit = self.permit();
        let line = (request.method().clone(), request.uri().clone());
        let sent = permit.0.client.request(request);
        Box::pin(async move {
            let response = pool.response(sent, &line).await?;
            Ok(response.map(|body| pool.0.bodies.register(body, line, permit).boxed_unsync()))
        })
    }
}
