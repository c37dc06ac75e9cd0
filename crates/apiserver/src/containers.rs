//! [`Containers`], the stand-in for the containers of pods.

mod log;

use std::fmt;
use std::sync::Arc;

use klient_apimachinery::BoxFuture;
use klient_streams::BoxError;
use klient_streams::port_forward::Forwarded;
use klient_streams::remote_command::{ExitStatus, Stdio};

pub(crate) use log::Line;
pub use log::{ContainerLog, LogStream};

/// The stand-in for the containers of all pods, with or without a node: functions that run commands, answer at ports and
/// have the logs.
///
/// What it has no function for is refused, as by a server whose nodes cannot be reached. Streams run at the same time,
/// each in a task of its own, which is dropped when the client closes its connection or the server stops. A container
/// that the status of its pod shows as waiting or terminated, and a pod that has ended, are refused as by a kubelet.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use klient_apiserver::{ContainerLog, Containers, Options, Server};
/// use klient_streams::remote_command::ExitStatus;
/// use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
///
/// let log = ContainerLog::default();
/// log.stdout("listening");
/// let containers = Containers::new(|command, mut stdio| async move {
///     if let Some(stdout) = &mut stdio.stdout {
///         stdout.write_all(command.args.join(" ").as_bytes()).await?;
///     }
///     Ok(ExitStatus::SUCCESS)
/// })
/// .port_forward(|port, mut connection| async move {
///     if port.port != 5432 {
///         return Err("connection refused".into());
///     }
///     let mut name = String::new();
///     connection.read_to_string(&mut name).await?;
///     connection.write_all(format!("hello, {name}").as_bytes()).await?;
///     Ok(())
/// })
/// .log(move |request| (!request.previous).then(|| log.clone()));
/// let options = Options { containers: Some(containers), ..Default::default() };
/// let server = Server::start(options).await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Default)]
pub struct Containers {
    exec: Option<Arc<Run>>,
    attach: Option<Arc<Run>>,
    port_forward: Option<Arc<Forward>>,
    log: Option<Arc<Log>>,
}

/// A function that runs a command, or plays a main process.
pub(crate) type Run = dyn Fn(ContainerCommand, Stdio) -> BoxFuture<'static, Outcome> + Send + Sync;
/// A function that answers a connection to a port.
pub(crate) type Forward =
    dyn Fn(PodPort, Forwarded) -> BoxFuture<'static, Result<(), BoxError>> + Send + Sync;
/// A function that has the logs.
pub(crate) type Log = dyn Fn(LogRequest) -> Option<ContainerLog> + Send + Sync;

type Outcome = Result<ExitStatus, BoxError>;

/// A command that a client wants to run in a container, or its main process, which a client attaches to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContainerCommand {
    /// The namespace of the pod.
    pub namespace: String,
    /// The name of the pod.
    pub pod: String,
    /// The name of the container.
    pub container: String,
    /// The program and its arguments; empty for the main process.
    pub args: Vec<String>,
    /// True if it has a terminal.
    pub tty: bool,
}

/// A port of a pod that a client connects to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PodPort {
    /// The namespace of the pod.
    pub namespace: String,
    /// The name of the pod.
    pub pod: String,
    /// The number of the port.
    pub port: u16,
}

/// A log that a client reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogRequest {
    /// The namespace of the pod.
    pub namespace: String,
    /// The name of the pod.
    pub pod: String,
    /// The name of the container.
    pub container: String,
    /// True if the log is that of the container's run before its last restart.
    pub previous: bool,
}

impl Containers {
    /// Makes containers in which a function runs the commands of exec requests. Its error tells the client that the
    /// command could not be run.
    pub fn new<R, F>(run: R) -> Self
    where
        R: Fn(ContainerCommand, Stdio) -> F + Send + Sync + 'static,
        F: Future<Output = Result<ExitStatus, BoxError>> + Send + 'static,
    {
        Containers::default().exec(run)
    }

    /// Runs the commands of exec requests by a function.
    pub fn exec<R, F>(mut self, run: R) -> Self
    where
        R: Fn(ContainerCommand, Stdio) -> F + Send + Sync + 'static,
        F: Future<Output = Result<ExitStatus, BoxError>> + Send + 'static,
    {
        self.exec = Some(Arc::new(move |command, stdio| Box::pin(run(command, stdio))));
        self
    }

    /// Plays the main process by a function, for each client that attaches to it.
    pub fn attach<R, F>(mut self, attach: R) -> Self
    where
        R: Fn(ContainerCommand, Stdio) -> F + Send + Sync + 'static,
        F: Future<Output = Result<ExitStatus, BoxError>> + Send + 'static,
    {
        self.attach = Some(Arc::new(move |command, stdio| Box::pin(attach(command, stdio))));
        self
    }

    /// Answers connections to ports of pods by a function. Its error is told to the client, whose other connections go on.
    pub fn port_forward<P, F>(mut self, forward: P) -> Self
    where
        P: Fn(PodPort, Forwarded) -> F + Send + Sync + 'static,
        F: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        self.port_forward = Some(Arc::new(move |port, connection| Box::pin(forward(port, connection))));
        self
    }

    /// Takes the logs from a function; `None` is a container that has no such log, which the client is told.
    pub fn log<L>(mut self, log: L) -> Self
    where
        L: Fn(LogRequest) -> Option<ContainerLog> + Send + Sync + 'static,
    {
        self.log = Some(Arc::new(log));
        self
    }

    /// The function that runs commands.
    pub(crate) fn runs(&self) -> Option<Arc<Run>> {
        self.exec.clone()
    }

    /// The function that plays main processes.
    pub(crate) fn attaches(&self) -> Option<Arc<Run>> {
        self.attach.clone()
    }

    /// The function that answers at ports.
    pub(crate) fn forwards(&self) -> Option<Arc<Forward>> {
        self.port_forward.clone()
    }

    /// The function that has the logs.
    pub(crate) fn logs(&self) -> Option<Arc<Log>> {
        self.log.clone()
    }
}

impl fmt::Debug for Containers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Containers")
    }
}
