//! [`Server`], a running API server.

mod connection;
mod requests;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::admission::Addresses;
use crate::auth::{Modes, SUPERUSERS, TokenFileError, Tokens, User};
use crate::bootstrap;
use crate::discovery::Discovery;
use crate::local::Local;
use crate::namespaces::Cleanups;
use crate::registry::Registry;
use crate::state::{Names, State};
use crate::storage::Store;
use crate::tls::{Authority, ClientCertificate, TlsError};

/// What kind of server to start.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to listen; port 0 picks a free one.
    pub listen: SocketAddr,
    /// How many changes are kept for lists and watches that go on from an earlier version. Fewer are kept if
    /// earlier states of objects take more than 256 MiB.
    pub history: usize,
    /// How long a client may keep the server waiting: for a TLS handshake, for a body, to take the next part of an
    /// answer, and no more than three seconds for a version to come. Between requests it may wait three times as
    /// long, the head of the next one over HTTP/1.1 included.
    pub client_timeout: Duration,
    /// A file of tokens and their users, in the format of kube-apiserver's `--token-auth-file`: CSV records of a
    /// token, a user's name, its UID and, if it is in groups, their names with commas between them.
    pub token_auth_file: Option<PathBuf>,
    /// Whether a namespace that is deleted is emptied and then removed, as kube-controller-manager's namespace
    /// controller does. Without, it stays `Terminating` until `/finalize` is called, as on a kube-apiserver alone.
    pub namespace_controller: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            history: 50_000,
            client_timeout: Duration::from_secs(30),
            token_auth_file: None,
            namespace_controller: true,
        }
    }
}

/// Why a server could not be started.
#[derive(Debug)]
pub struct StartError(StartProblem);

#[derive(Debug)]
enum StartProblem {
    Listen(SocketAddr, io::Error),
    Certificates(TlsError),
    Tokens(PathBuf, TokenFileError),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            StartProblem::Listen(address, _) => write!(f, "cannot listen on {address}"),
            StartProblem::Certificates(_) => f.write_str("cannot make certificates"),
            StartProblem::Tokens(path, _) => write!(f, "cannot read the token file {}", path.display()),
        }
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0 {
            StartProblem::Listen(_, error) => Some(error),
            StartProblem::Certificates(error) | StartProblem::Tokens(_, error) => Some(&**error),
        }
    }
}

/// A running API server. It [stops](Server::stop) when dropped.
///
/// It speaks HTTPS with a certificate authority of its own, over HTTP/2 and HTTP/1.1, and knows who asks by bearer
/// token or client certificate.
pub struct Server {
    state: Arc<State>,
    authority: Authority,
    address: SocketAddr,
    admin_token: String,
    stop: watch::Sender<bool>,
    accepting: JoinHandle<()>,
}

impl Server {
    /// Starts a server. It serves when this returns.
    ///
    /// # Errors
    ///
    /// If the address is taken, the file of tokens cannot be read, or no certificates can be made.
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
        let tokens = Tokens::default();
        if let Some(path) = &options.token_auth_file {
            tokens.load(path).map_err(|error| StartError(StartProblem::Tokens(path.clone(), error)))?;
        }
        let (stop, stopped) = watch::channel(false);
        let state = Arc::new(State {
            store: Store::new(options.history),
            registry: Registry::new(),
            tokens,
            impersonation_modes: Modes::default(),
            addresses: Addresses::default(),
            discovery: Discovery::default(),
            names: Names::default(),
            cleanups: Cleanups::default(),
            namespace_controller: options.namespace_controller,
            address: address.to_string(),
            client_timeout: options.client_timeout,
            stopped,
        });
        bootstrap::populate(&state, authority.pem());
        let admin_token = state.tokens.issue(User::new("kubernetes-admin", &[SUPERUSERS.to_owned()]));
        let tls = TlsAcceptor::from(Arc::new(tls));
        let accepting = tokio::spawn(connection::accept(listener, tls, state.clone()));
        Ok(Server { state, authority, address, admin_token, stop, accepting })
    }

    /// Stops the server: its port is free and its connections are closed when this returns. Watches end; other
    /// requests that are being answered have two seconds to end.
    ///
    /// A server that is dropped stops in the same way, but nobody waits for it.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        if let Err(error) = (&mut self.accepting).await {
            tracing::error!(%error, "the server did not stop in order");
        }
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

    /// The server's objects for caches in the same program, without HTTP.
    pub fn local(&self) -> Local {
        Local::new(self.state.clone())
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
