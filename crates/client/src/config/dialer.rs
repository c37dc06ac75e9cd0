//! [`Dialer`], the way in which a client opens its connections.

use std::fmt;
use std::io;
#[cfg(unix)]
use std::path::PathBuf;
use std::sync::Arc;

use klient_apimachinery::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite};

/// Opens the connections of a client in place of TCP, such as to a Unix socket, through an SSH tunnel or to a server in
/// the same program (client-go's `Config.Dial`). TLS and HTTP run over what it opens, as the URL of the server says; if
/// there is a [`Proxy`](crate::Proxy), it opens the connections to that.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use klient_apiserver::TestServer;
/// use klient_client::{Client, Config, Dialer};
///
/// let server = TestServer::start_in_memory().await?;
/// let mut config = Config::from_kubeconfig(&server.kubeconfig())?;
/// let connector = server.connector();
/// config.dialer = Some(Dialer::new(move |_host, _port| {
///     let connector = connector.clone();
///     async move { connector.connect().await }
/// }));
/// Client::new(config)?.discovery().version().await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Dialer(Arc<Dial>);

type Dial = dyn Fn(String, u16) -> BoxFuture<'static, io::Result<Box<dyn Stream>>> + Send + Sync;

/// A stream of bytes in both directions.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

impl Dialer {
    /// A dialer that calls a function with the host and port of each connection. IPv6 addresses have no brackets.
    ///
    /// [`Timeouts::connect`](crate::Timeouts::connect) limits each call, which is dropped then. An error of it fails
    /// the request with the kind [`Connect`](crate::ErrorKind::Connect).
    pub fn new<F, S>(dial: impl Fn(String, u16) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = io::Result<S>> + Send + 'static,
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        Dialer(Arc::new(move |host, port| {
            let opening = dial(host, port);
            Box::pin(async move { opening.await.map(|stream| Box::new(stream) as Box<dyn Stream>) })
        }))
    }

    /// Connections to a Unix socket, whatever the host of the URL, such as that of `kubectl proxy --unix-socket=PATH`
    /// for the URL `http://localhost`.
    #[cfg(unix)]
    pub fn unix(path: impl Into<PathBuf>) -> Self {
        let path: Arc<std::path::Path> = path.into().into();
        Dialer::new(move |_, _| {
            let path = path.clone();
            async move {
                let opened = tokio::net::UnixStream::connect(&path).await;
                opened.map_err(|error| {
                    io::Error::new(error.kind(), format!("Unix socket {}: {error}", path.display()))
                })
            }
        })
    }

    /// Opens a connection.
    pub(crate) fn dial(&self, host: &str, port: u16) -> BoxFuture<'static, io::Result<Box<dyn Stream>>> {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        (self.0)(host.to_owned(), port)
    }
}

impl fmt::Debug for Dialer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dialer")
    }
}
