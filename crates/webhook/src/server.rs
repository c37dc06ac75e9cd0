//! [`Server`], webhooks over HTTPS.

mod activity;
mod connection;

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use klient_certificate::{Tls, TlsAcceptor};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use connection::{Connections, Phase};

use crate::error::{Error, ErrorKind};
use crate::webhooks::Webhooks;

/// Options of a [`Server`].
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// The address to listen on; by default port 9443 of all addresses, as controller-runtime. Port 0 picks a free one.
    pub listen: SocketAddr,
    /// The number of connections at a time; by default 500. At the limit the connection that had no request for the longest
    /// time, and for 2 s, is closed for the next one, which waits while there is none.
    pub max_connections: usize,
    /// The time after which a connection without a request is closed, also one whose client has not sent the whole header of
    /// one; by default 120 s, since Go's client, which the API server is, closes its idle connections after 90 s, and should be
    /// the one that does. A TLS handshake may take 10 s.
    pub idle_timeout: Duration,
    /// The time from the beginning of a shutdown, when `/readyz` begins to fail, to the end of new connections: a pod is sent
    /// requests until all nodes have taken it out of its service. By default none; some seconds in a cluster.
    pub shutdown_delay: Duration,
    /// The time after that for requests in progress; by default 30 s.
    pub shutdown_timeout: Duration,
}

impl Default for ServerOptions {
    fn default() -> Self {
        ServerOptions {
            listen: (Ipv6Addr::UNSPECIFIED, 9443).into(),
            max_connections: 500,
            idle_timeout: Duration::from_secs(120),
            shutdown_delay: Duration::ZERO,
            shutdown_timeout: Duration::from_secs(30),
        }
    }
}

/// A server of webhooks, over HTTP/2 and HTTP/1.1. It stops at once when it is dropped.
///
/// `/healthz` and `/livez` answer `ok`, and so does `/readyz` until it shuts down; a probe of a pod has the scheme HTTPS.
///
/// ```
/// # async fn f(webhooks: klient_webhook::Webhooks) -> Result<(), klient_webhook::Error> {
/// use klient_webhook::{Server, Tls};
/// let tls = Tls::files("/tls/tls.crt", "/tls/tls.key");
/// let server = Server::start(webhooks, tls, Default::default()).await?;
/// // With `klient::controller::shutdown_signal()` for the signal that ends a pod.
/// # let shutdown = async {};
/// server.run(shutdown).await;
/// # Ok(()) }
/// ```
pub struct Server {
    address: SocketAddr,
    phase: watch::Sender<Phase>,
    task: JoinHandle<()>,
    options: ServerOptions,
}

impl Server {
    /// Starts a server. It accepts connections when this returns.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Listen`] if the address is in use or not that of this machine; [`ErrorKind::Certificate`] if the certificate
    /// or the key cannot be read.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub async fn start(webhooks: Webhooks, tls: Tls, options: ServerOptions) -> Result<Self, Error> {
        let acceptor = TlsAcceptor::new(tls).await?;
        let listen = options.listen;
        let not_bound = |error| Error::caused(ErrorKind::Listen, format!("cannot listen on {listen}"), error);
        let listener = bind(listen).await.map_err(not_bound)?;
        let address = listener.local_addr().map_err(not_bound)?;
        let (phase, phases) = watch::channel(Phase::Serving);
        let connections = Connections {
            listener,
            acceptor: Arc::new(acceptor),
            webhooks,
            phases,
            limit: options.max_connections,
            idle_timeout: options.idle_timeout,
            timeout: options.shutdown_timeout,
        };
        tracing::info!(%address, "serving webhooks");
        Ok(Server { address, phase, task: tokio::spawn(connections.accept()), options })
    }

    /// The address that it listens on, with its port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown` is ready, then [stops](Self::stop).
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        shutdown.await;
        self.stop().await;
    }

    /// Fails `/readyz` for the delay of the options, then closes the port, and waits for the requests in progress, at most for
    /// the time of the options.
    pub async fn stop(mut self) {
        if !self.options.shutdown_delay.is_zero() {
            self.phase.send_replace(Phase::Leaving);
            tokio::time::sleep(self.options.shutdown_delay).await;
        }
        self.phase.send_replace(Phase::Stopped);
        if let Err(error) = (&mut self.task).await {
            tracing::error!("the server of webhooks has ended: {error}");
        }
    }
}

/// Listens on an address. All addresses are those of IPv4 on a machine without IPv6.
async fn bind(listen: SocketAddr) -> io::Result<TcpListener> {
    match TcpListener::bind(listen).await {
        Err(error)
            if listen.ip() == IpAddr::V6(Ipv6Addr::UNSPECIFIED)
                && error.kind() != io::ErrorKind::AddrInUse =>
        {
            TcpListener::bind((Ipv4Addr::UNSPECIFIED, listen.port())).await
        }
        bound => bound,
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Server({})", self.address)
    }
}
