//! [`Pool`], connections for all requests of a client.
//!
//! A server limits the concurrent requests of one HTTP/2 connection, usually to a hundred. Watches last, so that a
//! program of many informers reaches the limit, and its next request would wait for ever. A pool opens another
//! connection before that.
//!
//! The tasks of a connection run on the runtime that opened it, and end with it. A request uses connections of its own
//! runtime only, so that tests with a runtime each can share a client.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock, Weak};
use std::time::Duration;

use http::{HeaderValue, Method, Request, Response, Uri, header};
use klient_workqueue::Backoff;
use tokio::runtime::Handle;

use super::body::Bodies;
use super::connect::Connector;
use super::idle_connections::IDLE_TIMEOUT;
use super::opening::Opening;
use super::pooled_connection::{PooledConnection, StreamPermit};
use super::server::Server;
use super::{BoxError, RequestBody, ResponseBody};
use crate::config::{Config, HttpVersion};

/// The number of idle connections of other runtimes, or to other servers, that are kept. Those of runtimes that have ended
/// are among them.
const IDLE_OF_OTHERS: usize = 8;

/// The number of times that a request which the server did not process is sent again, as by Go's HTTP client. The first
/// time is at once, on a new connection after a GOAWAY.
const RESENDS: u32 = 6;

/// The delays before the later times.
const RESEND_BACKOFF: Backoff =
    Backoff { duration: Duration::from_millis(100), factor: 2.0, jitter: 0.1, steps: RESENDS, cap: None };

/// Sends requests over as few HTTP/2 connections as can carry them, or over HTTP/1.1.
#[derive(Clone)]
pub(super) struct Pool(Arc<Inner>);

struct Inner {
    connector: Connector,
    max_connection_age: Option<Duration>,
    /// Several requests may share a connection.
    may_be_http2: bool,
    /// Added to every request: see [`Connector::proxy_authorization`].
    proxy_authorization: Option<HeaderValue>,
    /// Connections that get requests. One that is retired lives until its last response has ended.
    connections: RwLock<Vec<Arc<PooledConnection>>>,
    is_swept: AtomicBool,
    bodies: Arc<Bodies>,
}

impl Pool {
    pub(super) fn new(connector: Connector, config: &Config) -> Self {
        Pool(Arc::new(Inner {
            max_connection_age: config.max_connection_age,
            may_be_http2: config.http == HttpVersion::Negotiate && config.url.scheme_str() == Some("https"),
            proxy_authorization: connector.proxy_authorization(&config.url).cloned(),
            connector,
            connections: RwLock::default(),
            is_swept: AtomicBool::new(false),
            bodies: Bodies::new(config.timeouts.unread),
        }))
    }

    /// A pool of HTTP/1.1 connections that are opened in the same way.
    pub(super) fn http11(&self) -> Self {
        Pool(Arc::new(Inner {
            connector: self.0.connector.clone().http11(),
            max_connection_age: self.0.max_connection_age,
            may_be_http2: false,
            proxy_authorization: self.0.proxy_authorization.clone(),
            connections: RwLock::default(),
            is_swept: AtomicBool::new(false),
            bodies: self.0.bodies.clone(),
        }))
    }

    /// A permit for a request to a URL.
    ///
    /// # Errors
    ///
    /// If the URL has no host.
    fn permit(&self, url: &Uri) -> Result<StreamPermit, BoxError> {
        let runtime = Handle::current().id();
        let tls = self.0.connector.tls();
        tls.reload_if_due();
        let generation = tls.generation();
        let free = |connections: &[Arc<PooledConnection>]| {
            let mut own = connections.iter().filter(|connection| {
                connection.runtime == runtime
                    && connection.server.serves(url)
                    && !connection.is_retired(generation)
            });
            own.find_map(PooledConnection::permit)
        };
        if let Some(permit) = free(&self.0.connections.read().expect("no panics while held")) {
            return Ok(permit);
        }
        let server = Server::of(url)?;
        let mut connections = self.0.connections.write().expect("no panics while held");
        if let Some(permit) = free(&connections) {
            return Ok(permit);
        }
        let mut kept = 0;
        connections.retain(|connection| {
            if connection.is_retired(generation) {
                return false;
            }
            let is_own = connection.runtime == runtime && connection.server.serves(url);
            let is_idle = !is_own && connection.requests.load(Ordering::Relaxed) == 0;
            kept += usize::from(is_idle);
            !is_idle || kept <= IDLE_OF_OTHERS
        });
        let connection = Arc::new(PooledConnection::new(
            self.0.connector.clone(),
            server,
            runtime,
            self.0.max_connection_age,
            Opening::new(self.0.may_be_http2),
        ));
        let permit = connection.permit().expect("a new connection is empty");
        connections.push(connection);
        drop(connections);
        if !self.0.is_swept.swap(true, Ordering::Relaxed) {
            tokio::spawn(Sweep(Arc::downgrade(&self.0)).run());
        }
        Ok(permit)
    }

    /// Sends a request, and sends it again if the server says that it did not process it.
    pub(super) async fn send(
        self,
        mut request: Request<RequestBody>,
    ) -> Result<Response<ResponseBody>, BoxError> {
        if let Some(authorization) = &self.0.proxy_authorization {
            request.headers_mut().insert(header::PROXY_AUTHORIZATION, authorization.clone());
        }
        let line = (request.method().clone(), request.uri().clone());
        let (mut resends, mut backoff) = (0, RESEND_BACKOFF);
        loop {
            let mut permit = self.permit(&line.1)?;
            let failed = match permit.send(request).await {
                Ok(response) => {
                    return Ok(
                        response.map(|body| ResponseBody::new(self.0.bodies.register(body, line, permit)))
                    );
                }
                Err(failed) => failed,
            };
            drop(permit);
            match failed.unprocessed {
                Some(unprocessed) if resends < RESENDS => request = *unprocessed,
                _ => return Err(failed.error),
            }
            let (method, uri) = &line;
            tracing::debug!(resends, "{method} {uri}: not processed by the server, sending again");
            if resends > 0 {
                tokio::time::sleep(backoff.step()).await;
            }
            resends += 1;
        }
    }

    /// Logs a request that waits for its response.
    pub(super) fn log_slow(&self, method: &Method, uri: &Uri, waited: Duration) {
        let connections = self.0.connections.read().expect("no panics while held");
        let requests: usize =
            connections.iter().map(|connection| connection.requests.load(Ordering::Relaxed)).sum();
        tracing::warn!(
            connections = connections.len(),
            requests,
            unfinished_responses = self.0.bodies.len(),
            "{method} {uri}: no response within {} s, still waiting",
            waited.as_secs()
        );
    }
}

/// The task that closes connections which are retired or idle for too long, those of HTTP/1.1 one by one. It runs while there are any.
struct Sweep(Weak<Inner>);

impl Sweep {
    async fn run(mut self) {
        loop {
            tokio::time::sleep(IDLE_TIMEOUT).await;
            let Some(pool) = self.0.upgrade() else { return };
            let generation = pool.connector.tls().generation();
            let mut connections = pool.connections.write().expect("no panics while held");
            connections.retain(|connection| {
                connection.idle.sweep();
                !connection.is_retired(generation) && !connection.is_idle_for(IDLE_TIMEOUT)
            });
            if connections.is_empty() {
                pool.is_swept.store(false, Ordering::Relaxed);
                // Another sweep may begin before this one is dropped.
                self.0 = Weak::new();
                return;
            }
        }
    }
}

impl Drop for Sweep {
    /// A sweep also ends with its runtime.
    fn drop(&mut self) {
        if let Some(pool) = self.0.upgrade() {
            pool.is_swept.store(false, Ordering::Relaxed);
        }
    }
}
