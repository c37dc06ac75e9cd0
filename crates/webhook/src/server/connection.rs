//! Connections: accepting, serving and closing them.

use std::collections::HashMap;
use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use klient_certificate::TlsAcceptor;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{Id, JoinSet};
use tokio::time::{sleep, timeout};

use super::activity::Activity;
use crate::webhooks::{ResponseBody, Webhooks};

/// The time limit of a TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// The interval of pings over HTTP/2, and the time for the answer.
const PING: Duration = Duration::from_secs(30);

/// The pause after a connection that could not be accepted, as without file descriptors.
const PAUSE: Duration = Duration::from_millis(50);

/// The time without a request after which a connection that is to be closed is cut, though its client does not take part in it.
const GRACE: Duration = Duration::from_secs(1);

/// The time without a request after which a connection may be closed for another one: a new one has sent its first by then.
const QUIET: Duration = Duration::from_secs(2);

/// The interval at which a connection that waits looks for one that may be closed.
const INTERVAL: Duration = Duration::from_millis(100);

/// The phases of a server.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Serving,
    /// It serves, and says that it is not ready.
    Leaving,
    Stopped,
}

/// The connections of a server.
pub(super) struct Connections {
    pub(super) listener: TcpListener,
    pub(super) acceptor: Arc<TlsAcceptor>,
    pub(super) webhooks: Webhooks,
    pub(super) phases: watch::Receiver<Phase>,
    /// The number of connections at a time.
    pub(super) limit: usize,
    pub(super) idle_timeout: Duration,
    /// The time for requests in progress after the end.
    pub(super) timeout: Duration,
}

impl Connections {
    /// Accepts connections until the server stops, then waits for requests in progress. Dropped, it ends all of them.
    pub(super) async fn accept(self) {
        let Connections { listener, acceptor, webhooks, phases, limit, idle_timeout, timeout: time } = self;
        let mut open = Open::default();
        let mut stopped = phases.clone();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = open.ended(), if !open.tasks.is_empty() => continue,
                _ = stopped.wait_for(|phase| *phase == Phase::Stopped) => break,
            };
            let stream = match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!("a connection could not be accepted: {error}");
                    sleep(PAUSE).await;
                    continue;
                }
            };
            tokio::select! {
                () = open.make_room(limit) => {}
                _ = stopped.wait_for(|phase| *phase == Phase::Stopped) => break,
            }
            let activity = Arc::new(Activity::new());
            let service = Service { webhooks: webhooks.clone(), phases: phases.clone(), activity };
            open.add(service.activity.clone(), serve(stream, acceptor.clone(), service, idle_timeout));
        }
        drop(listener);
        let all_have_ended = async {
            while !open.tasks.is_empty() {
                open.ended().await;
            }
        };
        if timeout(time, all_have_ended).await.is_err() {
            tracing::warn!("requests in progress were cancelled {} s after the shutdown", time.as_secs());
        }
    }
}

/// The connections that are open.
#[derive(Default)]
struct Open {
    tasks: JoinSet<()>,
    activities: HashMap<Id, Arc<Activity>>,
}

impl Open {
    fn add(&mut self, activity: Arc<Activity>, serve: impl Future<Output = ()> + Send + 'static) {
        let task = self.tasks.spawn(serve);
        self.activities.insert(task.id(), activity);
    }

    /// Waits until one has ended, of which there is at least one.
    async fn ended(&mut self) {
        let id = match self.tasks.join_next_with_id().await {
            Some(Ok((id, ()))) => id,
            Some(Err(error)) => error.id(),
            None => return,
        };
        self.activities.remove(&id);
    }

    /// Waits until there are less than `limit`. The one that had no request for the longest time is closed; there may be none
    /// without requests.
    async fn make_room(&mut self, limit: usize) {
        while self.tasks.len() >= limit.max(1) {
            let candidates = self.activities.values();
            let candidates = candidates.filter_map(|activity| Some((activity.idle_since()?, activity)));
            let longest = candidates.min_by_key(|(since, _)| *since);
            if let Some((_, activity)) = longest.filter(|(since, _)| since.elapsed() >= QUIET) {
                activity.close();
            }
            tokio::select! {
                () = self.ended() => {}
                () = sleep(INTERVAL) => {}
            }
        }
    }
}

/// Serves a connection until its client closes it, it is idle for too long, or the server stops.
async fn serve(stream: TcpStream, acceptor: Arc<TlsAcceptor>, service: Service, idle_timeout: Duration) {
    // Requests are small, and their clients wait.
    let _ = stream.set_nodelay(true);
    let (mut phases, activity) = (service.phases.clone(), service.activity.clone());
    let mut closing = pin!(async {
        tokio::select! {
            _ = phases.wait_for(|phase| *phase == Phase::Stopped) => {}
            () = activity.closing(idle_timeout) => {}
        }
    });
    let secured = tokio::select! {
        secured = timeout(HANDSHAKE, acceptor.accept(stream)) => secured,
        () = &mut closing => return,
    };
    let stream = match secured {
        Ok(Ok(stream)) => stream,
        Ok(Err(problem)) => return tracing::debug!("a TLS handshake failed: {problem}"),
        Err(_) => return tracing::debug!("a TLS handshake took too long"),
    };
    let builder = auto::Builder::new(TokioExecutor::new());
    let mut builder = if stream.is_http2() { builder.http2_only() } else { builder.http1_only() };
    builder.http1().timer(TokioTimer::new()).header_read_timeout(idle_timeout);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(PING).keep_alive_timeout(PING);
    let service = service_fn(move |request| {
        let service = service.clone();
        async move { Ok::<_, Infallible>(service.answer(request).await) }
    });
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = &mut closing => {
            connection.as_mut().graceful_shutdown();
            let is_left = async {
                sleep(GRACE).await;
                activity.idle_for(GRACE).await;
            };
            tokio::select! {
                ended = &mut connection => ended,
                () = is_left => return,
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!("a connection was lost: {error}");
    }
}

#[derive(Clone)]
struct Service {
    webhooks: Webhooks,
    phases: watch::Receiver<Phase>,
    activity: Arc<Activity>,
}

impl Service {
    async fn answer(&self, request: Request<Incoming>) -> Response<ResponseBody> {
        let _in_progress = self.activity.begin();
        let (code, text) = match request.uri().path() {
            "/healthz" | "/livez" => (StatusCode::OK, "ok"),
            "/readyz" if *self.phases.borrow() == Phase::Serving => (StatusCode::OK, "ok"),
            "/readyz" => (StatusCode::SERVICE_UNAVAILABLE, "the server shuts down"),
            _ => return self.webhooks.call(request).await,
        };
        let mut response = Response::new(ResponseBody::from(text));
        *response.status_mut() = code;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        response
    }
}
