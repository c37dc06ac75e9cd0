//! [`Pool`], connections for all requests of a client.
//!
//! A server limits the concurrent requests of one HTTP/2 connection, usually to a hundred. Watches last, so that a
//! program of many informers reaches the limit, and its next request would wait for ever. A pool opens another
//! connection before that.
//!
//! The tasks of a connection run on the runtime that opened it, and end with it. A request uses connections of its own
//! runtime only, so that tests with a runtime each can share a client.

use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, RwLock};
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Method, Request, Response, Uri};
use hyper::body::Incoming;
use tokio::runtime::Handle;
use tower::Service;

use super::body::Bodies;
use super::connect::Connector;
use super::pooled_connection::{PooledConnection, StreamPermit};
use super::{BoxError, RequestBody, ResponseBody};
use crate::config::Timeouts;

/// The time after which a request that waits for the head of its response is logged.
const SLOW_RESPONSE: Duration = Duration::from_secs(10);

/// The number of idle connections of other runtimes that are kept. Those of runtimes that have ended are among them.
const IDLE_OF_OTHERS: usize = 8;

/// Sends requests over as few HTTP/2 connections as can carry them, or over HTTP/1.1.
#[derive(Clone)]
pub(super) struct Pool(Arc<Inner>);

struct Inner {
    connector: Connector,
    /// Connections that get requests. One that is retired lives until its last response has ended.
    connections: RwLock<Vec<Arc<PooledConnection>>>,
    bodies: Arc<Bodies>,
}

impl Pool {
    pub(super) fn new(connector: Connector, timeouts: &Timeouts) -> Self {
        Pool(Arc::new(Inner {
            connector,
            connections: RwLock::default(),
            bodies: Bodies::new(timeouts.unread),
        }))
    }

    fn permit(&self) -> StreamPermit {
        let runtime = Handle::current().id();
        let tls = self.0.connector.tls();
        tls.reload_if_due();
        let generation = tls.generation();
        let free = |connections: &[Arc<PooledConnection>]| {
            let mut own = connections
                .iter()
                .filter(|connection| connection.runtime == runtime && !connection.is_retired(generation));
            own.find_map(PooledConnection::permit)
        };
        if let Some(permit) = free(&self.0.connections.read().expect("no panics while held")) {
            return permit;
        }
        let mut connections = self.0.connections.write().expect("no panics while held");
        if let Some(permit) = free(&connections) {
            return permit;
        }
        let mut kept = 0;
        connections.retain(|connection| {
            if connection.is_retired(generation) {
                return false;
            }
            let is_idle = connection.runtime != runtime && connection.requests.load(Ordering::Relaxed) == 0;
            kept += usize::from(is_idle);
            !is_idle || kept <= IDLE_OF_OTHERS
        });
        let connection = Arc::new(PooledConnection::new(self.0.connector.clone(), runtime));
        connections.push(connection.clone());
        connection.permit().expect("a new connection is empty")
    }

    /// Waits for the head of a response, and logs a long wait.
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
        let connections = self.0.connections.read().expect("no panics while held");
        let requests: usize =
            connections.iter().map(|connection| connection.requests.load(Ordering::Relaxed)).sum();
        tracing::warn!(
            connections = connections.len(),
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
        let sent = permit.connection().client.request(request);
        Box::pin(async move {
            let response = pool.response(sent, &line).await?;
            Ok(response.map(|body| ResponseBody::new(pool.0.bodies.register(body, line, permit))))
        })
    }
}
