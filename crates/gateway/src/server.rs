//! The server of a gateway: accepting, serving and closing connections.

mod unread;
mod unread_body;

use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use klient_certificate::TlsAcceptor;
use klient_client::ResponseBody;
use klient_proxy::PeerAddress;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use unread::Unread;
use unread_body::{UnreadBody, Waiting};

use crate::error::Error;
use crate::gateway::Gateway;
use crate::guard::Connection;
use crate::response::IsStream;

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
        let mut connections = JoinSet::new();
        let limit = self.state.options.limits.connections.clamp(1, Semaphore::MAX_PERMITS);
        let permits = Arc::new(Semaphore::new(limit));
        let mut shutdown = pin!(shutdown);
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
                    connections.spawn(accept(stream, acceptor.clone(), self.clone(), permit));
                }
                Err(error) => {
                    tracing::warn!("a connection could not be accepted: {error}");
                    sleep(PAUSE).await;
                }
            }
        }
        drop(listener);
        self.shut_down();
        let ended = async { while connections.join_next().await.is_some() {} };
        if timeout(SHUTDOWN, ended).await.is_err() {
            tracing::warn!("requests in progress were cancelled {} s after the shutdown", SHUTDOWN.as_secs());
        }
        Ok(())
    }
}

async fn accept(
    stream: TcpStream,
    acceptor: Option<Arc<TlsAcceptor>>,
    gateway: Gateway,
    _permit: OwnedSemaphorePermit,
) {
    // Events are small, and somebody waits for them.
    let _ = stream.set_nodelay(true);
    let addresses = stream.local_addr().and_then(|local| Ok((local.ip(), stream.peer_addr()?.ip())));
    let Ok((local, peer)) = addresses else { return };
    let Some(acceptor) = acceptor else {
        let connection = Connection { local, is_tls: false };
        return serve(stream, false, connection, peer, gateway).await;
    };
    match timeout(HANDSHAKE, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => {
            let is_http2 = stream.is_http2();
            serve(stream, is_http2, Connection { local, is_tls: true }, peer, gateway).await;
        }
        Ok(Err(error)) => tracing::debug!("a TLS handshake failed: {error}"),
        Err(_) => tracing::debug!("a TLS handshake took too long"),
    }
}

/// Serves a connection until its client closes it, it is idle for too long, or the gateway shuts down.
async fn serve<S>(stream: S, is_http2: bool, connection: Connection, peer: IpAddr, gateway: Gateway)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut shutdown = gateway.state.shutdown.subscribe();
    let header_bytes = u32::try_from(gateway.state.options.limits.header_bytes).unwrap_or(u32::MAX);
    let unread_timeout = gateway.state.options.unread_timeout;
    let [has_begun, is_stream] = [(); 2].map(|()| Arc::new(AtomicBool::new(false)));
    let (begun, streams) = (has_begun.clone(), is_stream.clone());
    let waiting = Arc::new(Waiting::default());
    let bodies = waiting.clone();
    let service = service_fn(move |mut request: http::Request<Incoming>| {
        begun.store(true, Ordering::Relaxed);
        let (gateway, streams, bodies) = (gateway.clone(), streams.clone(), bodies.clone());
        request.extensions_mut().insert(PeerAddress(peer));
        request.extensions_mut().insert(connection);
        async move {
            let response = gateway.answer(request).await;
            let is_stream = response.extensions().get::<IsStream>().is_some();
            streams.store(is_stream, Ordering::Relaxed);
            Ok::<_, Infallible>(match is_http2 && !is_stream {
                true => response.map(|body| ResponseBody::new(UnreadBody::new(body, bodies))),
                false => response,
            })
        }
    });
    let is_down = async move { drop(shutdown.wait_for(|is_down| *is_down).await) };
    // The version is known: finding it out would have no time limit.
    let ended = if is_http2 {
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder.timer(TokioTimer::new()).keep_alive_interval(PING).keep_alive_timeout(PING);
        builder.max_send_buf_size(UNSENT).max_header_list_size(header_bytes);
        let mut served = pin!(builder.serve_connection(TokioIo::new(stream), service));
        // Pings begin when the client has said that it speaks HTTP/2.
        let is_silent = async {
            sleep(IDLE).await;
            if has_begun.load(Ordering::Relaxed) {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            ended = served.as_mut() => ended,
            () = is_silent => return,
            () = waiting.too_long(unread_timeout) => {
                tracing::debug!("a client has not read a response");
                return;
            }
            () = is_down => {
                served.as_mut().graceful_shutdown();
                served.await
            }
        }
    } else {
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(IDLE).max_buf_size(UNSENT);
        let stream = TokioIo::new(Unread::new(stream, unread_timeout, is_stream));
        let mut served = pin!(builder.serve_connection(stream, service).with_upgrades());
        tokio::select! {
            ended = served.as_mut() => ended,
            () = is_down => {
                served.as_mut().graceful_shutdown();
                served.await
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!("a connection was lost: {error}");
    }
}
