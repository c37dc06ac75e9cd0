//! [`Containers`], the stand-in for the containers of pods.

pub(crate) mod built_in;
mod log;

use std::fmt;
use std::sync::Arc;

use klient_apimachinery::BoxFuture;
use klient_streams::BoxError;
use klient_streams::port_forward::Forwarded;
use klient_streams::remote_command::{ExitStatus, Stdio};

use built_in::Pods;
pub(crate) use log::Line;
pub use log::{ContainerLog, LogStream};

/// The stand-in for the containers of all pods, with or without a node: functions that run commands, answer at ports and
/// have the logs.
///
/// Requests for which it has no function are refused, as by a server whose nodes cannot be reached. Streams run at the same time,
/// each in a task of its own, which is dropped when the client closes its connection or the server stops. A container
/// that the status of its pod shows as waiting or terminated, and a pod that has ended, are refused as by a kubelet: by a
/// text, or by a `Status` behind the connection's switch to `v5.channel.k8s.io`, unless the node of the pod declares the
/// feature `ExtendWebSocketsToKubelet`.
///
/// Functions run no pods: without a kubelet their status is `Pending`, and clients that wait for a pod that runs, such as
/// those of port-forward, wait in vain. Either the test sets the status, or pods run in the
/// [built-in containers](Self::built_in), in which functions replace single parts: `Containers::built_in().exec(…)`.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use klient_apiserver::{ContainerLog, Containers, ExitStatus, Options, TestServer};
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
/// let server = TestServer::start_with(options).await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Default)]
pub struct Containers {
    exec: Option<Arc<Run>>,
    attach: Option<Arc<Run>>,
    port_forward: Option<Arc<Forward>>,
    log: Option<Arc<Log>>,
    /// The pods that run in the built-in containers.
    pods: Option<Arc<Pods>>,
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
    /// True if it has a terminal. Input is as the client's terminal sends it: it has no lines and no echo, and Enter is
    /// `\r`.
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
    ///
    /// Pods stay `Pending`, since they run nowhere; commands run all the same. `Containers::built_in().exec(run)` has the
    /// same function in pods that run.
    pub fn new<R, F>(run: R) -> Self
    where
        R: Fn(ContainerCommand, Stdio) -> F + Send + Sync + 'static,
        F: Future<Output = Result<ExitStatus, BoxError>> + Send + 'static,
    {
        Containers::default().exec(run)
    }

    /// The built-in containers, in which all pods run as soon as they are created: their status is `Running`, with those of
    /// the containers. They need neither images nor nodes.
    ///
    /// - Commands are those of a small shell, `sh`, with `echo`, `cat`, `sleep`, `env`, `ls`, `grep`, `tar` and some more;
    ///   executable files are scripts of it. Each container has files and symbolic links of its own, in memory. Others
    ///   are refused in the words of containerd.
    /// - The shell has quotes, variables, parameters (`$1`, `"$@"`, `$#`), `$(…)`, patterns of paths, pipelines, redirects, `&&`,
    ///   `||`, `!`, `if`, `while`, `until`, `for`, `break`, `continue`, `set -e`, `trap … EXIT` and `exec`. It has no functions,
    ///   `case`, `(…)`, `{…}`, here-documents, `$((…))`, `${name:-…}`, `shift`, other options of `set` or traps of signals: each
    ///   of them is an error.
    /// - `timeout SECONDS COMMAND…` ends a command with the exit code 124.
    /// - Commands in the background (`&`, `wait`, `$!`) have no input, and are killed when the exec or the main process ends
    ///   that began them.
    /// - `ps` shows the main process, the commands of exec and those in the background, which `kill` ends. A signal that ends
    ///   the main process, whatever its program, ends the run of the container with the exit code 128 and the signal's
    ///   number; as by Linux, `kill -9 1` from within has no effect.
    /// - The main process is that of `command` and `args`. If their first word is no such program, it runs for ever.
    ///   With `stdin` it begins when the first client attaches to it. Its input goes on when clients leave, unless the
    ///   container has `stdinOnce` and no terminal. When it ends, the pod's `restartPolicy` counts: it is started
    ///   again at once, and then after pauses of ten seconds to five minutes.
    /// - Declared ports answer over HTTP, with a line of text.
    /// - The log has the lines of the pod's annotation `containers.klient.dev/log`, and what the main process prints.
    /// - Init containers count as those that have succeeded. Probes, volumes and the fields of security have no effect.
    ///
    /// A function that is added replaces the part that it is for.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use klient_apiserver::{Containers, Options, Server};
    ///
    /// let options = Options { containers: Some(Containers::built_in()), ..Default::default() };
    /// let server = Server::start(options).await?;
    /// # Ok(()) }
    /// ```
    pub fn built_in() -> Self {
        Containers { pods: Some(Arc::default()), ..Containers::default() }
    }

    /// The same containers for a server that starts: no pod runs yet.
    pub(crate) fn restarted(&self) -> Self {
        Containers { pods: self.pods.as_ref().map(|_| Arc::default()), ..self.clone() }
    }

    /// The pods that run, of the built-in containers.
    pub(crate) fn pods(&self) -> Option<Arc<Pods>> {
        self.pods.clone()
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
    ///
    /// Clients forward ports only of pods whose phase is `Running`: that of
    /// [`built_in`](Self::built_in)`().port_forward(…)`, or one that the test sets.
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
        let pods = || {
            self.pods.clone().map(|pods| -> Arc<Run> {
                Arc::new(move |command, stdio| Box::pin(pods.clone().exec(command, stdio)))
            })
        };
        self.exec.clone().or_else(pods)
    }

    /// The function that plays main processes.
    pub(crate) fn attaches(&self) -> Option<Arc<Run>> {
        let pods = || {
            self.pods.clone().map(|pods| -> Arc<Run> {
                Arc::new(move |command, stdio| Box::pin(pods.clone().attach(command, stdio)))
            })
        };
        self.attach.clone().or_else(pods)
    }

    /// The function that answers at ports.
    pub(crate) fn forwards(&self) -> Option<Arc<Forward>> {
        let pods = || {
            self.pods.clone().map(|pods| -> Arc<Forward> {
                Arc::new(move |port, connection| Box::pin(pods.clone().forward(port, connection)))
            })
        };
        self.port_forward.clone().or_else(pods)
    }

    /// The function that has the logs.
    pub(crate) fn logs(&self) -> Option<Arc<Log>> {
        let pods =
            || self.pods.clone().map(|pods| -> Arc<Log> { Arc::new(move |request| pods.log(&request)) });
        self.log.clone().or_else(pods)
    }
}

impl fmt::Debug for Containers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Containers")
    }
}
