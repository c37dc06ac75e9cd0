//! An embedded Kubernetes API server.
//!
//! It speaks Kubernetes' HTTP API, so kubectl, client-go and every other client use it unmodified, and starts in
//! milliseconds with no cluster at hand. It is for tests, demos and simulation, not for production: objects live in
//! memory and there are no nodes.
//!
//! ```
//! # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = klient_apiserver::TestServer::start().await?;
//! let kubeconfig = server.kubeconfig();
//! assert!(kubeconfig.contains(&server.url()));
//! # Ok(()) }
//! ```

mod admission;
mod auth;
mod bootstrap;
mod certificates;
mod containers;
mod controllers;
mod conversion;
mod discovery;
mod disruption;
mod finalization;
mod foreign_kind;
mod gzip;
mod handlers;
mod kubeconfig;
mod local;
mod managed_fields;
mod negotiate;
mod offload;
mod openapi;
mod openid;
mod owners;
mod protobuf;
mod registry;
mod request;
mod respond;
mod server;
mod service;
mod state;
mod status;
mod storage;
mod stored_object;
mod stream;
mod table;
mod throttle;
mod tls;
mod warnings;
mod webhook;

pub use containers::{ContainerCommand, ContainerLog, Containers, LogRequest, LogStream, PodPort};
pub use klient_streams::remote_command::{ExitStatus, Stdio};
pub use local::Local;
pub use server::{Connector, Options, Server, StartError};
pub use stored_object::StoredObject;
pub use tls::ClientCertificate;
pub use webhook::{InvalidServiceAddress, ServiceAddress};

/// A server for tests: `TestServer::start().await?`. It stops when dropped.
///
/// Tests that do not interfere with each other can share one. It serves all of them, as it does not depend on the
/// runtime of the test that starts it:
///
/// ```
/// use klient_apiserver::TestServer;
/// use tokio::sync::OnceCell;
///
/// static SERVER: OnceCell<TestServer> = OnceCell::const_new();
///
/// async fn server() -> &'static TestServer {
///     SERVER.get_or_init(async || TestServer::start().await.expect("a server starts")).await
/// }
/// # #[tokio::main] async fn main() { server().await; }
/// ```
///
/// Other settings are those of [`Options`], with [`start_with`](Self::start_with). Containers of pods are functions of the
/// test, which [`Containers`] has, or the [built-in ones](Containers::built_in). Only with the latter do pods run, which
/// port-forward and waits for pods require; functions of the test replace single parts of them:
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use klient_apiserver::{Containers, Options, TestServer};
/// use tokio::io::AsyncWriteExt as _;
///
/// let containers = Containers::built_in().exec(|command, mut stdio| async move {
///     if command.args != ["redis-cli", "ping"] {
///         return Err(format!("{}: not found", command.args[0]).into());
///     }
///     stdio.stdout.as_mut().ok_or("no output")?.write_all(b"PONG\n").await?;
///     Ok(0.into())
/// });
/// let options = Options { containers: Some(containers), ..Default::default() };
/// let server = TestServer::start_with(options).await?;
/// # Ok(()) }
/// ```
///
/// To test how a program reconnects, [restart](Server::restart) the server, with its objects or
/// [without](Server::restart_empty), or [stop](Server::stop) it for a while.
#[derive(Debug)]
pub struct TestServer(Server);

impl TestServer {
    /// Starts a server on a free port of this machine.
    ///
    /// # Errors
    ///
    /// If there is no free port or no certificates can be made.
    pub async fn start() -> Result<TestServer, StartError> {
        Self::start_with(Options::default()).await
    }

    /// Starts a server with options: containers for exec and logs, addresses of webhooks, a file of tokens.
    ///
    /// # Errors
    ///
    /// Those of [`Server::start`].
    pub async fn start_with(options: Options) -> Result<TestServer, StartError> {
        Server::start(options).await.map(TestServer)
    }

    /// Starts a server without a port and without threads: it runs on the tokio runtime of the caller, and ends with it.
    /// Nothing of it is outside of that runtime, so that in
    /// [paused](https://docs.rs/tokio/latest/tokio/time/fn.pause.html) time minutes pass at once, for the server as for
    /// its clients. Clients connect with [`Server::connector`].
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = klient_apiserver::TestServer::start_on_this_runtime().await?;
    /// assert!(!server.has_port());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// If no certificates can be made.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub async fn start_on_this_runtime() -> Result<TestServer, StartError> {
        Self::start_with(Options { listen: None, threads: None, ..Options::default() }).await
    }

    /// Starts a server without a port, for tests where there is no network or many servers: clients connect with
    /// [`Server::connector`].
    ///
    /// # Errors
    ///
    /// If no certificates or thread can be made.
    pub async fn start_in_memory() -> Result<TestServer, StartError> {
        Self::start_with(Options { listen: None, ..Options::default() }).await
    }
}

impl std::ops::Deref for TestServer {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.0
    }
}
