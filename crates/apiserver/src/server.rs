//! [`Server`], a running API server.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::admission::Addresses;
use crate::auth::{SUPERUSERS, Tokens, User};
use crate::discovery::Discovery;
use crate::registry::Registry;
use crate::state::State;
use crate::storage::Store;
use crate::tls::{Authority, ClientCertificate, TlsError, user_of};
use crate::{bootstrap, service};

/// How long a client may take for a TLS handshake or to send the head of a request.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// As kube-apiserver.
const MAX_STREAMS: u32 = 100;
const MAX_FRAME: u32 = 256 * 1024;

/// What kind of server to start.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to listen; port 0 picks a free one.
    pub listen: SocketAddr,
    /// How many changes are kept for lists and watches that go on from an earlier version.
    pub history: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options { listen: SocketAddr::from(([127, 0, 0, 1], 0)), history: 50_000 }
    }
}

/// Why a server could not be started.
#[derive(Debug)]
pub struct StartError(StartProblem);

#[derive(Debug)]
enum StartProblem {
    Listen(SocketAddr, io::Error),
    Certificates(TlsError),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            StartProblem::Listen(address, _) => write!(f, "cannot listen on {address}"),
            StartProblem::Certificates(_) => f.write_str("cannot make certificates"),
        }
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0 {
            StartProblem::Listen(_, error) => Some(error),
            StartProblem::Certificates(error) => Some(&**error),
        }
    }
}

/// A running API server. It stops when dropped.
///
/// It speaks HTTPS with a certificate authority of its own, over HTTP/2 and HTTP/1.1, and knows who asks by bearer
/// token or client certificate.
pub struct Server {
    state: Arc<State>,
    authority: Authority,
    address: SocketAddr,
    admin_token: String,
    stop: watch::Sender<bool>,
}

impl Server {
    /// Starts a server. It serves when this returns.
    ///
    /// # Errors
    ///
    /// If the address is taken or no certificates can be made.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub async fn start(options: Options) -> Result<Server, StartError> {
        let listener = TcpListener::bind(options.listen).await;
        let listener = listener.map_err(|error| StartError(StartProblem::Listen(options.listen, error)))?;
        let address = listener.local_addr();
        let address = address.map_err(|error| StartError(StartProblem::Listen(options.listen, error)))?;
        let certificates = |error| StartError(StartProblem::Certificates(error));
        let authority = Authority::new().map_err(certificates)?;
        let tls = authority.server_config(address).map_err(certificates)?;
        let (stop, stopped) = watch::channel(false);
        let state = Arc::new(State {
            store: Store::new(options.history),
            registry: Registry::new(),
            tokens: Tokens::default(),
            addresses: Addresses::default(),
            discovery: Discovery::default(),
            address: address.to_string(),
            stopped,
        });
        bootstrap::populate(&state);
        let admin_token = state.tokens.issue(User::new("kubernetes-admin", &[SUPERUSERS.to_owned()]));
        tokio::spawn(accept(listener, TlsAcceptor::from(Arc::new(tls)), state.clone()));
        Ok(Server { state, authority, address, admin_token, stop })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its URL, `https://HOST:PORT`.
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// The certificate of its authority, as PEM.
    pub fn ca_pem(&self) -> &str {
        self.authority.pem()
    }

    /// The bearer token of a user who may do everything.
    pub fn admin_token(&self) -> &str {
        &self.admin_token
    }

    /// Makes a bearer token for a user in groups; what they may do, roles and bindings say.
    pub fn token(&self, user: &str, groups: &[&str]) -> String {
        let groups: Vec<String> = groups.iter().map(|group| (*group).to_owned()).collect();
        self.state.tokens.issue(User::new(user, &groups))
    }

    /// Makes a client certificate for a user in groups.
    ///
    /// # Errors
    ///
    /// If the names cannot stand in a certificate.
    pub fn client_certificate(&self, user: &str, groups: &[&str]) -> Result<ClientCertificate, StartError> {
        let groups: Vec<String> = groups.iter().map(|group| (*group).to_owned()).collect();
        self.authority
            .sign_client(user, &groups)
            .map_err(|error| StartError(StartProblem::Certificates(error)))
    }

    /// A kubeconfig with which any client is cluster-admin.
    pub fn kubeconfig(&self) -> String {
        self.kubeconfig_for(&self.admin_token)
    }

    /// A kubeconfig with another token.
    pub fn kubeconfig_for(&self, token: &str) -> String {
        crate::kubeconfig::write(&self.url(), self.ca_pem(), token)
    }

    /// Forgets all changes made so far: lists and watches can no longer go on from earlier versions, and get
    /// `Expired` as they would from a server that has compacted its history.
    pub fn compact(&self) {
        self.state.store.compact();
    }

    /// The resourceVersion of the last change.
    pub fn resource_version(&self) -> u64 {
        self.state.store.version()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("address", &self.address).finish_non_exhaustive()
    }
}

async fn accept(listener: TcpListener, tls: TlsAcceptor, state: Arc<State>) {
    let mut stopped = state.stopped.clone();
    loop {
        let connection = tokio::select! {
            connection = listener.accept() => connection,
            _ = stopped.wait_for(|stopped| *stopped) => return,
        };
        match connection {
            Ok((stream, _)) => {
                tokio::spawn(secure(stream, tls.clone(), state.clone()));
            }
            // Out of file descriptors, perhaps: those who are connected may leave some.
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn secure(stream: TcpStream, tls: TlsAcceptor, state: Arc<State>) {
    // Requests are small and answers are waited for: nothing is gained by holding segments back.
    let _ = stream.set_nodelay(true);
    let handshake = tokio::time::timeout(HANDSHAKE_TIMEOUT, tls.accept(stream)).await;
    match handshake {
        Ok(Ok(stream)) => {
            let certificates = stream.get_ref().1.peer_certificates();
            let user = certificates.and_then(|all| user_of(all.first()?)).map(Arc::new);
            serve(stream, state, user).await;
        }
        Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
        Err(_) => tracing::debug!("a TLS handshake took too long"),
    }
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    state: Arc<State>,
    user: Option<Arc<User>>,
) {
    let mut stopped = state.stopped.clone();
    let service = service_fn(move |request| {
        let (state, user) = (state.clone(), user.clone());
        async move { Ok::<_, std::convert::Infallible>(service::answer(state, request, user).await) }
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HANDSHAKE_TIMEOUT);
    builder.http2().timer(TokioTimer::new()).max_concurrent_streams(MAX_STREAMS).max_frame_size(MAX_FRAME);
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        done = connection.as_mut() => {
            if let Err(error) = done {
                tracing::debug!(%error, "a connection broke");
            }
        }
        _ = stopped.wait_for(|stopped| *stopped) => {}
    }
}
