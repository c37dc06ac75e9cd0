//! Connections: accepting, serving and closing them.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::tls::TlsSettings;
use crate::webhooks::{ResponseBody, Webhooks};

/// The time limit of a TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// The time after which an idle connection is closed: longer than that of Go's client, 90 s, so that this closes it.
const IDLE: Duration = Duration::from_secs(120);

/// The interval of pings over HTTP/2, and the time for the answer.
const PING: Duration = Duration::from_secs(30);

/// The pause after a connection that could not be accepted, as without file descriptors.
const PAUSE: Duration = Duration::from_millis(50);

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
    pub(super) settings: Arc<TlsSettings>,
    pub(super) webhooks: Webhooks,
    pub(super) phases: watch::Receiver<Phase>,
    /// The time for requests in progress after the end.
    pub(super) timeout: Duration,
}

impl Connections {
    /// Accepts connections until the server stops, then waits for requests in progress. Dropped, it ends all of them.
    pub(super) async fn accept(self) {
        let Connections { listener, settings, webhooks, phases, timeout: limit } = self;
        let (graceful, mut connections) = (GracefulShutdown::new(), JoinSet::new());
        let mut stopped = phases.clone();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                Some(_) = connections.join_next() => continue,
                _ = stopped.wait_for(|phase| *phase == Phase::Stopped) => break,
            };
            match accepted {
                Ok((stream, _)) => {
                    let service = Service { webhooks: webhooks.clone(), phases: phases.clone() };
                    connections.spawn(serve(stream, settings.clone(), service, graceful.watcher()));
                }
                Err(error) => {
                    tracing::warn!("a connection could not be accepted: {error}");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
        drop(listener);
        if timeout(limit, graceful.shutdown()).await.is_err() {
            tracing::warn!("requests in progress were cancelled {} s after the shutdown", limit.as_secs());
        }
    }
}

async fn serve(stream: TcpStream, settings: Arc<TlsSettings>, service: Service, watcher: Watcher) {
    // Requests are small, and their clients wait.
    let _ = stream.set_nodelay(true);
    let secured = async {
        let acceptor = settings.acceptor().await.ok_or_else(|| "there is no certificate yet".to_owned())?;
        acceptor.accept(stream).await.map_err(|error| error.to_string())
    };
    let mut phases = service.phases.clone();
    let secured = tokio::select! {
        secured = timeout(HANDSHAKE, secured) => secured,
        _ = phases.wait_for(|phase| *phase == Phase::Stopped) => return,
    };
    let stream = match secured {
        Ok(Ok(stream)) => stream,
        Ok(Err(problem)) => return tracing::debug!("a TLS handshake failed: {problem}"),
        Err(_) => return tracing::debug!("a TLS handshake took too long"),
    };
    // The version is negotiated in the handshake.
    let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    let builder = auto::Builder::new(TokioExecutor::new());
    let mut builder = if is_http2 { builder.http2_only() } else { builder.http1_only() };
    builder.http1().timer(TokioTimer::new()).header_read_timeout(IDLE);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(PING).keep_alive_timeout(PING);
    let service = service_fn(move |request| {
        let service = service.clone();
        async move { Ok::<_, Infallible>(service.answer(request).await) }
    });
    let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!("a connection was lost: {error}");
    }
}

#[derive(Clone)]
struct Service {
    webhooks: Webhooks,
    phases: watch::Receiver<Phase>,
}

impl Service {
    async fn answer(&self, request: Request<Incoming>) -> Response<ResponseBody> {
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
