//! [`Server`], a running API server.

mod connection;
mod connector;
mod requests;
mod serving;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use klient_apimachinery::WithCauses;
use tokio::io::DuplexStream;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, watch};
use tokio_rustls::TlsAcceptor;

use crate::admission::{
    Caller, CertificateApproval, CertificateSigning, CertificateSubjectRestriction, Chain,
    MutatingAdmissionPolicy, MutatingAdmissionWebhook, NamespaceLifecycle, Plugin, PolicyParameters,
    RoleEscalation, Sources, ValidatingAdmissionPolicy, ValidatingAdmissionWebhook,
};
use crate::auth::{Modes, SUPERUSERS, SigningKey, SigningKeyError, TokenFileError, Tokens, User};
use crate::bootstrap;
use crate::containers::Containers;
use crate::controllers;
use crate::conversion::Converter;
use crate::discovery::Discovery;
use crate::finalization::queue::Finalizations;
use crate::local::Local;
use crate::openapi::OpenApi;
use crate::registry::Registry;
use crate::registry::addresses::Addresses;
use crate::state::{Current, State};
use crate::storage::{Memory, Storage};
use crate::tls::{Authority, ClientCertificate, TlsError};
use crate::webhook::{ServiceAddress, Services, WebhookClients};
pub use connector::Connector;
use serving::Serving;

/// Options of a server.
#[derive(Clone, Debug)]
pub struct Options {
    /// The address to listen on; port 0 picks a free one. `None` opens no port: clients connect with
    /// [`Server::connect`] only.
    pub listen: Option<SocketAddr>,
    /// The number of changes kept for lists and watches from an earlier version. Fewer are kept if earlier states of
    /// objects take more than 256 MiB.
    pub history: usize,
    /// The version of the empty storage, at least and by default 1, as etcd counts its initialization as the first change.
    /// With a large number, versions can be told from other numbers.
    pub first_version: u64,
    /// The interval of the bookmarks of a watch: a minute by default, as in Kubernetes.
    pub bookmark_interval: Duration,
    /// The timeout for clients: of a TLS handshake, of receiving a body, of sending each part of a response, and at
    /// most three seconds for waiting for a version. Idle connections are closed after three times as long, including
    /// the wait for the head of the next request over HTTP/1.1.
    pub client_timeout: Duration,
    /// A token file, in the format of kube-apiserver's `--token-auth-file`: CSV records of a token, a user's name,
    /// its UID and optionally its groups, separated by commas.
    pub token_auth_file: Option<PathBuf>,
    /// The addresses of services whose webhooks are called. Those of others are their Service objects' external names or
    /// cluster IPs.
    pub service_addresses: Vec<ServiceAddress>,
    /// True to run those controllers of kube-controller-manager that the server has: deleted namespaces are emptied
    /// and removed, approved CertificateSigningRequests of the `kubernetes.io` signers are signed, and the status of
    /// PodDisruptionBudgets is kept. Otherwise these are left to clients, as on a kube-apiserver alone: namespaces
    /// stay `Terminating` until `/finalize` is called.
    pub controller_manager: bool,
    /// The number of threads that serve requests. One is best for tests, which start many servers and send few
    /// requests at once. `None` starts no thread: requests are served on the tokio runtime that starts the server, with
    /// which the server ends, and whose [paused](https://docs.rs/tokio/latest/tokio/time/fn.pause.html) time is the
    /// server's.
    pub threads: Option<NonZeroUsize>,
    /// The stand-in for the containers of pods: what commands print, ports answer and logs hold. Without it exec, attach
    /// and port-forward are refused, as by a server whose nodes cannot be reached.
    pub containers: Option<Containers>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            listen: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
            history: 50_000,
            first_version: 1,
            bookmark_interval: Duration::from_secs(60),
            client_timeout: Duration::from_secs(30),
            token_auth_file: None,
            service_addresses: Vec::new(),
            controller_manager: true,
            threads: Some(NonZeroUsize::MIN),
            containers: None,
        }
    }
}

/// A failure to start a server.
#[derive(Debug)]
pub struct StartError(StartProblem);

#[derive(Debug)]
enum StartProblem {
    Listen(SocketAddr, io::Error),
    Thread(io::Error),
    Certificates(TlsError),
    Tokens(PathBuf, TokenFileError),
    SigningKey(SigningKeyError),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            StartProblem::Listen(address, error) => write!(f, "cannot listen on {address}: {error}"),
            StartProblem::Thread(error) => write!(f, "cannot start a thread: {error}"),
            StartProblem::Certificates(error) => {
                write!(f, "cannot make certificates: {}", WithCauses(&**error))
            }
            StartProblem::SigningKey(error) => {
                write!(f, "cannot make the key of service account tokens: {}", WithCauses(&**error))
            }
            StartProblem::Tokens(path, error) => {
                write!(f, "cannot read the token file {}: {}", path.display(), WithCauses(&**error))
            }
        }
    }
}

/// The message includes the causes.
impl std::error::Error for StartError {}

/// A running API server. It [stops](Server::stop) when dropped.
///
/// It serves HTTPS with its own certificate authority, over HTTP/2 and HTTP/1.1, and authenticates by bearer token or
/// client certificate.
///
/// It has its own threads and tokio runtime, unless its [options](Options::threads) say otherwise, so it outlives the
/// runtime on which it was started, and [paused](https://docs.rs/tokio/latest/tokio/time/fn.pause.html) time in a test
/// does not affect the server.
pub struct Server {
    options: Options,
    /// Admission plugins in addition to the built-in ones.
    plugins: Vec<Arc<dyn Plugin>>,
    authority: Arc<Authority>,
    tls: TlsAcceptor,
    address: SocketAddr,
    admin_token: String,
    current: Arc<Current>,
    /// `None` while it is stopped.
    serving: Arc<Mutex<Option<Serving>>>,
}

impl Server {
    /// Starts a server. It accepts requests when this returns.
    ///
    /// # Errors
    ///
    /// If the address is in use, the token file cannot be read, or no certificates or thread can be created.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub async fn start(options: Options) -> Result<Server, StartError> {
        Server::start_with(options, Vec::new()).await
    }

    /// Starts a server with additional admission plugins.
    pub(crate) async fn start_with(
        options: Options,
        plugins: Vec<Arc<dyn Plugin>>,
    ) -> Result<Server, StartError> {
        let (listener, address) = listen(options.listen).await?;
        let certificates = |error| StartError(StartProblem::Certificates(error));
        let authority = Arc::new(Authority::new().map_err(certificates)?);
        let tls = authority.server_config(address).map_err(certificates)?;
        let tls = TlsAcceptor::from(Arc::new(tls));
        let tokens = Tokens::default();
        if let Some(path) = &options.token_auth_file {
            tokens.load(path).map_err(|error| StartError(StartProblem::Tokens(path.clone(), error)))?;
        }
        let signing_key = SigningKey::generate();
        let signing_key = signing_key.map_err(|error| StartError(StartProblem::SigningKey(error)))?;
        let (stop, stopped) = watch::channel(false);
        let store: Arc<dyn Storage> = Arc::new(Memory::after(options.first_version.max(1), options.history));
        let registry = Arc::new(Registry::new());
        let converter = converter(&store, &registry, &options);
        let state = Arc::new(State {
            admission: admission(&store, &registry, &converter, &plugins),
            store,
            registry,
            converter,
            tokens: tokens.into(),
            signing_key: signing_key.into(),
            authority: authority.clone(),
            throttle: Arc::default(),
            impersonation_modes: Modes::default(),
            addresses: Addresses::default().into(),
            discovery: Discovery::default().into(),
            openapi: OpenApi::default().into(),
            controllers: if options.controller_manager { controllers::ALL } else { controllers::API_SERVER },
            containers: options.containers.as_ref().map(Containers::restarted),
            names: Mutex::default(),
            finalizations: Finalizations::default(),
            disruptions: Mutex::default(),
            controller_manager: options.controller_manager,
            address: address.to_string(),
            client_timeout: options.client_timeout,
            bookmark_interval: options.bookmark_interval,
            stopped,
        });
        bootstrap::populate(&state, authority.pem()).await;
        let admin_token = state.tokens.issue(User::new("kubernetes-admin", &[SUPERUSERS.to_owned()]));
        let current = Arc::new(Current::new(state.clone()));
        let serving = serve(listener, tls.clone(), state, stop, options.threads).await?;
        let serving = Arc::new(Mutex::new(Some(serving)));
        Ok(Server { options, plugins, authority, tls, address, admin_token, current, serving })
    }

    /// Stops the server: its port is free, its connections are closed and its threads have ended when this returns.
    /// Watches end; other requests in progress have two seconds to finish. A [restart](Self::restart) starts it
    /// again.
    ///
    /// A dropped server stops in the same way, in the background.
    pub async fn stop(&self) {
        if let Some(serving) = self.serving.lock().await.take() {
            serving.stop().await;
        }
    }

    /// Stops the server, if it runs, and starts it again with the same objects, address, certificate authority and
    /// tokens. Connections are closed and watches end, so that a test sees how clients reconnect; a watch resumes from
    /// the version where it was, unless the history is [compacted](Self::compact) meanwhile. An informer whose watch
    /// ends within a second of its start and without an event treats that as a failure, and lists again after its
    /// back-off of some 0.8 to 1.6 seconds.
    ///
    /// # Errors
    ///
    /// If the address is in use by then, or no thread can be started. The server is stopped then.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = klient_apiserver::TestServer::start().await?;
    /// let (url, version) = (server.url(), server.resource_version());
    /// server.restart().await?;
    /// assert_eq!((server.url(), server.resource_version()), (url, version));
    /// # Ok(()) }
    /// ```
    pub async fn restart(&self) -> Result<(), StartError> {
        let mut serving = self.serving.lock().await;
        let (listener, stop, stopped) = self.prepare_restart(&mut serving).await?;
        let state = Arc::new(self.current.state().again(stopped));
        self.serve_again(&mut serving, listener, state, stop).await
    }

    /// Restarts the server as [`restart`](Self::restart) does, with the objects of a new cluster only. Versions
    /// continue, so that lists and watches from before get `Expired`, as after the restore of a cluster from a
    /// backup.
    ///
    /// # Errors
    ///
    /// As [`restart`](Self::restart).
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub async fn restart_empty(&self) -> Result<(), StartError> {
        let mut serving = self.serving.lock().await;
        let (listener, stop, stopped) = self.prepare_restart(&mut serving).await?;
        let old = self.current.state();
        let store: Arc<dyn Storage> = Arc::new(Memory::after(old.store.version(), self.options.history));
        let registry = Arc::new(Registry::new());
        let converter = converter(&store, &registry, &self.options);
        let state = Arc::new(State {
            admission: admission(&store, &registry, &converter, &self.plugins),
            store,
            registry,
            converter,
            addresses: Addresses::default().into(),
            discovery: Discovery::default().into(),
            openapi: OpenApi::default().into(),
            ..old.again(stopped)
        });
        bootstrap::populate(&state, self.authority.pem()).await;
        self.serve_again(&mut serving, listener, state, stop).await
    }

    /// Stops the server, if it runs, and listens again.
    async fn prepare_restart(
        &self,
        serving: &mut Option<Serving>,
    ) -> Result<(Option<TcpListener>, watch::Sender<bool>, watch::Receiver<bool>), StartError> {
        if let Some(serving) = serving.take() {
            serving.stop().await;
        }
        let (listener, _) = listen(self.options.listen.map(|_| self.address)).await?;
        let (stop, stopped) = watch::channel(false);
        Ok((listener, stop, stopped))
    }

    async fn serve_again(
        &self,
        serving: &mut Option<Serving>,
        listener: Option<TcpListener>,
        state: Arc<State>,
        stop: watch::Sender<bool>,
    ) -> Result<(), StartError> {
        self.current.replace(state.clone());
        *serving = Some(serve(listener, self.tls.clone(), state, stop, self.options.threads).await?);
        Ok(())
    }

    /// Opens a connection to the server within the program, without the network: TLS and HTTP run over it as over TCP.
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
    ///
    /// # Errors
    ///
    /// If the server is stopped.
    pub async fn connect(&self) -> io::Result<DuplexStream> {
        self.connector().connect().await
    }

    /// Opens connections as [`connect`](Self::connect) does, for dialers, which have no reference to the server.
    pub fn connector(&self) -> Connector {
        Connector::new(&self.serving)
    }

    /// Returns true if it listens on a port, and false if it has connections within the program only.
    pub fn has_port(&self) -> bool {
        self.options.listen.is_some()
    }

    /// The address on which it listens, or 127.0.0.1:6443 if it opens no port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its URL, `https://HOST:PORT`.
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// The certificate of its certificate authority, as PEM.
    pub fn ca_pem(&self) -> &str {
        self.authority.pem()
    }

    /// The bearer token of a superuser.
    pub fn admin_token(&self) -> &str {
        &self.admin_token
    }

    /// Creates a bearer token for a user in groups; roles and bindings define its permissions.
    pub fn token(&self, user: &str, groups: &[&str]) -> String {
        let groups: Vec<String> = groups.iter().map(|group| (*group).to_owned()).collect();
        self.current.state().tokens.issue(User::new(user, &groups))
    }

    /// Creates a client certificate for a user in groups.
    ///
    /// # Errors
    ///
    /// If the system has no randomness.
    pub fn client_certificate(&self, user: &str, groups: &[&str]) -> Result<ClientCertificate, StartError> {
        let groups: Vec<String> = groups.iter().map(|group| (*group).to_owned()).collect();
        self.authority
            .sign_client(user, &groups)
            .map_err(|error| StartError(StartProblem::Certificates(error)))
    }

    /// A kubeconfig with cluster-admin permissions.
    pub fn kubeconfig(&self) -> String {
        self.kubeconfig_for(&self.admin_token)
    }

    /// A kubeconfig with another token.
    pub fn kubeconfig_for(&self, token: &str) -> String {
        crate::kubeconfig::write(&self.url(), self.ca_pem(), token)
    }

    /// Answers the next requests with 429 Too Many Requests and a `Retry-After` of whole seconds, as a server that has
    /// no capacity for them.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use klient_apimachinery::ResourceInfo;
    /// use klient_client::{Client, Config};
    ///
    /// let server = klient_apiserver::TestServer::start().await?;
    /// let client = Client::new(Config::from_kubeconfig(&server.kubeconfig())?)?;
    /// let namespaces = client.dynamic(ResourceInfo::from_static("", "v1", "Namespace", "namespaces", false));
    /// server.throttle(2, 0);
    /// // The client repeats the request until the server has capacity.
    /// assert_eq!(namespaces.get("default").await?["metadata"]["name"], "default");
    /// # Ok(()) }
    /// ```
    pub fn throttle(&self, requests: u32, retry_after_seconds: u32) {
        self.current.state().throttle.set(requests, retry_after_seconds);
    }

    /// Compacts the history: lists and watches from earlier versions get `Expired`.
    pub fn compact(&self) {
        self.current.state().store.compact();
    }

    /// Direct access to the server's objects for caches in the same program, without HTTP.
    pub fn local(&self) -> Local {
        Local::new(self.current.clone())
    }

    /// The resourceVersion of the last change.
    pub fn resource_version(&self) -> u64 {
        self.current.state().store.version()
    }
}

fn converter(store: &Arc<dyn Storage>, registry: &Arc<Registry>, options: &Options) -> Arc<Converter> {
    let services = Services {
        addresses: options.service_addresses.clone().into(),
        storage: store.clone(),
        registry: registry.clone(),
    };
    Arc::new(Converter::new(Arc::new(WebhookClients::new(services))))
}

/// The built-in plugins, followed by others.
fn admission(
    store: &Arc<dyn Storage>,
    registry: &Arc<Registry>,
    converter: &Arc<Converter>,
    plugins: &[Arc<dyn Plugin>],
) -> Chain {
    let (storage, registry) = (store.clone(), registry.clone());
    let sources =
        Sources { storage: storage.clone(), registry: registry.clone(), converter: converter.clone() };
    let caller = Arc::new(Caller {
        storage: storage.clone(),
        registry: registry.clone(),
        clients: converter.clients().clone(),
        converter: converter.clone(),
    });
    let own: [Arc<dyn Plugin>; 10] = [
        Arc::new(RoleEscalation { storage: storage.clone(), registry: registry.clone() }),
        Arc::new(PolicyParameters { storage: storage.clone(), registry: registry.clone() }),
        Arc::new(NamespaceLifecycle { storage: storage.clone(), registry: registry.clone() }),
        Arc::new(CertificateApproval { storage: storage.clone(), registry: registry.clone() }),
        Arc::new(CertificateSigning { storage, registry }),
        Arc::new(CertificateSubjectRestriction),
        Arc::new(MutatingAdmissionPolicy::new(sources.clone())),
        Arc::new(MutatingAdmissionWebhook::new(caller.clone())),
        Arc::new(ValidatingAdmissionPolicy::new(sources)),
        Arc::new(ValidatingAdmissionWebhook::new(caller)),
    ];
    Chain::new(own.into_iter().chain(plugins.iter().cloned()).collect())
}

/// Listens on an address, if there is one. Without one, certificates and URLs have the address of a cluster on this
/// machine.
async fn listen(address: Option<SocketAddr>) -> Result<(Option<TcpListener>, SocketAddr), StartError> {
    let Some(address) = address else { return Ok((None, SocketAddr::from(([127, 0, 0, 1], 6443)))) };
    let bound = TcpListener::bind(address).await;
    let bound = bound.and_then(|listener| listener.local_addr().map(|address| (Some(listener), address)));
    bound.map_err(|error| StartError(StartProblem::Listen(address, error)))
}

async fn serve(
    listener: Option<TcpListener>,
    tls: TlsAcceptor,
    state: Arc<State>,
    stop: watch::Sender<bool>,
    threads: Option<NonZeroUsize>,
) -> Result<Serving, StartError> {
    let failed = |error| StartError(StartProblem::Thread(error));
    // A listener registered with the caller's runtime would end with it.
    let listener = listener.map(TcpListener::into_std).transpose().map_err(failed)?;
    Serving::start(listener, tls, state, stop, threads).await.map_err(failed)
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("address", &self.address).finish_non_exhaustive()
    }
}
