//! [`Containers`], the program's stand-in for the containers of pods.

use std::fmt;
use std::sync::Arc;

use klient_apimachinery::BoxFuture;
use klient_streams::BoxError;
use klient_streams::remote_command::{ExitStatus, Stdio};

/// A function that runs the commands of exec requests, in place of the containers of all pods, with or without a node.
///
/// A command that the server's client gives up is dropped; an error of it tells the client that it could not be run.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use klient_apiserver::{Containers, Options, Server};
/// use klient_streams::remote_command::ExitStatus;
/// use tokio::io::AsyncWriteExt as _;
///
/// let containers = Containers::new(|command, mut stdio| async move {
///     if let Some(stdout) = &mut stdio.stdout {
///         stdout.write_all(command.args.join(" ").as_bytes()).await?;
///     }
///     Ok(ExitStatus::SUCCESS)
/// });
/// let options = Options { containers: Some(containers), ..Default::default() };
/// let server = Server::start(options).await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Containers(Arc<Run>);

type Run = dyn Fn(ContainerCommand, Stdio) -> BoxFuture<'static, Outcome> + Send + Sync;

type Outcome = Result<ExitStatus, BoxError>;

/// A command that a client wants to run in a container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContainerCommand {
    /// The namespace of the pod.
    pub namespace: String,
    /// The name of the pod.
    pub pod: String,
    /// The name of the container.
    pub container: String,
    /// The program and its arguments.
    pub args: Vec<String>,
    /// True if it has a terminal.
    pub tty: bool,
}

impl Containers {
    /// Makes containers of a function.
    pub fn new<R, F>(run: R) -> Self
    where
        R: Fn(ContainerCommand, Stdio) -> F + Send + Sync + 'static,
        F: Future<Output = Outcome> + Send + 'static,
    {
        Containers(Arc::new(move |command, stdio| Box::pin(run(command, stdio))))
    }

    pub(crate) fn run(&self, command: ContainerCommand, stdio: Stdio) -> BoxFuture<'static, Outcome> {
        (self.0)(command, stdio)
    }
}

impl fmt::Debug for Containers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Containers")
    }
}
