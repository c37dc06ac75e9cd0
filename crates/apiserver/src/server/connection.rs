//! Connections: accepting, serving and closing them.

use std::convert::Infallible;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::requests::{Requests, hold};
use crate::auth::User;
use crate::service;
use crate::state::State;
use crate::tls::user_of;

/// The limit of kube-apiserver.
const MAX_STREAMS: u32 = 100;
const MAX_FRAME: u32 = 256 * 1024;

/// Headers of a request over HTTP/1.1. Go limits their bytes alone.
const MAX_HEADERS: usize = 1_000;

/// The size limit of a request's head over HTTP/2, in bytes: more than the longest path, 64 KiB.
const MAX_HEAD: u32 = 128 * 1024;

/// The idle timeout between requests, as a multiple of the client timeout.
const IDLE: u32 = 3;

/// The grace period of ongoing requests when their connection is closed.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Connections of clients: those to the port, if there is one, and those within the program.
pub(super) struct Connections {
    pub(super) listener: Option<TcpListener>,
    pub(super) in_memory: mpsc::UnboundedReceiver<DuplexStream>,
}

/// Accepts connections until the server stops, and waits until the last is closed.
pub(super) async fn accept(clients: Connections, tls: TlsAcceptor, state: Arc<State>) {
    let Connections { listener, mut in_memory } = clients;
    let mut stopped = state.stopped.clone();
    let mut connections = JoinSet::new();
    loop {
        let connection = tokio::select! {
            connection = accept_tcp(&listener) => connection,
            Some(stream) = in_memory.recv() => {
                connections.spawn(secure(stream, tls.clone(), state.clone()));
                continue;
            }
            Some(_) = connections.join_next() => continue,
            _ = stopped.wait_for(|stopped| *stopped) => break,
        };
        match connection {
            Ok(stream) => {
                // Requests are small and clients wait for responses: buffering of segments gains nothing.
                let _ = stream.set_nodelay(true);
                connections.spawn(secure(stream, tls.clone(), state.clone()));
            }
            // Possibly out of file descriptors: retries after other connections may have closed.
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop((listener, in_memory));
    while connections.join_next().await.is_some() {}
}

/// The next connection to the port. Without a port it never comes.
async fn accept_tcp(listener: &Option<TcpListener>) -> io::Result<TcpStream> {
    match listener {
        Some(listener) => listener.accept().await.map(|(stream, _)| stream),
        None => std::future::pending().await,
    }
}

/// A stream of bytes between a client and the server.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Stream for S {}

async fn secure(stream: impl Stream, tls: TlsAcceptor, state: Arc<State>) {
    let mut stopped = state.stopped.clone();
    let handshake = tokio::select! {
        handshake = tokio::time::timeout(state.client_timeout, tls.accept(stream)) => handshake,
        _ = stopped.wait_for(|stopped| *stopped) => return,
    };
    match handshake {
        Ok(Ok(stream)) => serve(stream, state).await,
        Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
        Err(_) => tracing::debug!("a TLS handshake took too long"),
    }
}

async fn serve<S: Stream>(stream: TlsStream<S>, state: Arc<State>) {
    let (_, session) = stream.get_ref();
    let certificate = session.peer_certificates().and_then(|all| all.first());
    let user: Option<Arc<User>> = certificate.and_then(user_of).map(Arc::new);
    let is_http2 = session.alpn_protocol() == Some(b"h2");
    let requests = Requests::default();
    let service = {
        let (state, requests) = (state.clone(), requests.clone());
        service_fn(move |request| {
            let (state, user, ongoing) = (state.clone(), user.clone(), requests.begin());
            async move { Ok::<_, Infallible>(hold(service::answer(state, request, user).await, ongoing)) }
        })
    };
    let (stream, timeout) = (TokioIo::new(stream), state.client_timeout);
    // The HTTP version is negotiated in the handshake: a client that sends nothing afterwards must time out.
    if is_http2 {
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder.timer(TokioTimer::new()).keep_alive_interval(timeout).keep_alive_timeout(timeout * IDLE);
        builder.max_concurrent_streams(MAX_STREAMS).max_frame_size(MAX_FRAME).max_header_list_size(MAX_HEAD);
        let connection = builder.serve_connection(stream, service);
        drive(connection, http2::Connection::graceful_shutdown, requests, state).await;
    } else {
        let mut builder = http1::Builder::new();
        // The wait for a head begins at the end of the previous response.
        builder.timer(TokioTimer::new()).header_read_timeout(timeout * IDLE).max_headers(MAX_HEADERS);
        let connection = builder.serve_connection(stream, service).with_upgrades();
        drive(connection, http1::UpgradeableConnection::graceful_shutdown, requests, state).await;
    }
}

/// Serves a connection until the client closes it, it times out, or the server stops.
async fn drive<C: Future<Output = hyper::Result<()>>>(
    connection: C,
    shut_down: fn(Pin<&mut C>),
    requests: Requests,
    state: Arc<State>,
) {
    let mut connection = pin!(connection);
    let mut stopped = state.stopped.clone();
    let done = tokio::select! {
        done = connection.as_mut() => Some(done),
        () = requests.cease_for(state.client_timeout * IDLE) => None,
        _ = stopped.wait_for(|stopped| *stopped) => None,
    };
    let done = match done {
        Some(done) => Some(done),
        None => {
            shut_down(connection.as_mut());
            tokio::time::timeout(LAST_WORDS.min(state.client_timeout), connection).await.ok()
        }
    };
    if let Some(Err(error)) = done {
        tracing::debug!(%error, "a connection broke");
    }
}
