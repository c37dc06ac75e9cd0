//! The server of a gateway: accepting, serving and closing connections.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use klient_certificate::TlsAcceptor;
use klient_proxy::PeerAddress;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::error::Error;
use crate::gateway::Gateway;
use crate::guard::Connection;

/// The time limit of a TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// The time for the head of a request, and for an idle connection.
const IDLE: Duration = Duration::from_secs(120);

/// The interval of pings over HTTP/2, and the time for the answer.
const PING: Duration = Duration::from_secs(30);

/// The pause after a connection that could not be accepted, as without file descriptors.
const PAUSE: Duration = Duration::from_millis(50);

/// The time for requests in progress at the end.
const SHUTDOWN: Duration = Duration::from_secs(10);

/// The limit of bytes that wait to be sent on a connection whose client does not read.
const UNSENT: usize = 64 << 10;

impl Gateway {
    /// Serves a listener until `shutdown` is ready, then ends streams, and waits for other requests in progress, for 10 s at
    /// most.
    ///
    /// # Errors
    ///
    /// If the certificate of the options cannot be read. Nothing is served then.
    pub async fn serve(self, listener: TcpListener, shutdown: impl Future<Output = ()>) -> Result<(), Error> {
        let acceptor = match &self.state.options.tls {
            Some(tls) => Some(Arc::new(TlsAcceptor::new(tls.clone()).await?)),
            None => None,
        };
        let (graceful, mut connections) = (GracefulShutdown::new(), JoinSet::new());
        let limit = self.state.options.limits.connections.clamp(1, Semaphore::MAX_PERMITS);
        let permits = Arc::new(Semaphore::new(limit));
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            let next = async {
                let permit = permits.clone().acquire_owned().await.expect("it is never closed");
                (listener.accept().await, permit)
            };
            let (accepted, permit) = tokio::select! {
                accepted = next => accepted,
                Some(_) = connections.join_next() => continue,
                () = &mut shutdown => break,
            };
            match accepted {
                Ok((stream, _)) => {
                    let (gateway, watcher) = (self.clone(), graceful.watcher());
                    connections.spawn(accept(stream, acceptor.clone(), gateway, watcher, permit));
                }
                Err(error) => {
                    tracing::warn!("a connection could not be accepted: {error}");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
        drop(listener);
        self.state.shutdown.send_replace(true);
        if timeout(SHUTDOWN, graceful.shutdown()).await.is_err() {
            tracing::warn!("requests in progress were cancelled {} s after the shutdown", SHUTDOWN.as_secs());
        }
        Ok(())
    }
}

async fn accept(
    stream: TcpStream,
    acceptor: Option<Arc<TlsAcceptor>>,
    gateway: Gateway,
    watcher: Watcher,
    _permit: OwnedSemaphorePermit,
) {
    // Events are small, and somebody waits for them.
    let _ = stream.set_nodelay(true);
    let addresses = stream.local_addr().and_then(|local| Ok((local.ip(), stream.peer_addr()?.ip())));
    let Ok((local, peer)) = addresses else { return };
    let Some(acceptor) = acceptor else {
        let connection = Connection { local, is_tls: false };
        return serve(stream, false, connection, peer, gateway, watcher).await;
    };
    match timeout(HANDSHAKE, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => {
            let is_http2 = stream.is_http2();
            serve(stream, is_http2, Connection { local, is_tls: true }, peer, gateway, watcher).await;
        }
        Ok(Err(error)) => tracing::debug!("a TLS handshake failed: {error}"),
        Err(_) => tracing::debug!("a TLS handshake took too long"),
    }
}

async fn serve<S>(
    stream: S,
    is_http2: bool,
    connection: Connection,
    peer: IpAddr,
    gateway: Gateway,
    watcher: Watcher,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let builder = auto::Builder::new(TokioExecutor::new());
    let mut builder = if is_http2 { builder.http2_only() } else { builder.http1_only() };
    builder.http1().timer(TokioTimer::new()).header_read_timeout(IDLE).max_buf_size(UNSENT);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING)
        .max_send_buf_size(UNSENT)
        .max_header_list_size(u32::try_from(gateway.state.options.limits.header_bytes).unwrap_or(u32::MAX));
    let service = service_fn(move |mut request: http::Request<Incoming>| {
        let gateway = gateway.clone();
        request.extensions_mut().insert(PeerAddress(peer));
        request.extensions_mut().insert(connection);
        async move { Ok::<_, Infallible>(gateway.answer(request).await) }
    });
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service).into_owned();
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!("a connection was lost: {error}");
    }
}
