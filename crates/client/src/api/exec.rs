//! [`Api::exec`] and [`Api::attach`], processes in containers of pods.

use http::Method;
use klient_apimachinery::codec::Wire;
use klient_apimachinery::{Addressable, BoxFuture, Object, Place, Unstructured, verbs};
use klient_streams::remote_command::{Process, Protocol, Streams, Subprotocol, Version};

use super::default_container::default_container;
use super::switching::{Carrier, Offer, requires_container, switch};
use super::{Api, DynamicPlace};
use crate::error::{Broken, Error, ErrorKind};
use crate::rest::Request;
use crate::stream_protocols::Purpose;

/// Version 5, which can end standard input.
const V5: Offer = Offer { carrier: Carrier::WebSocket, protocols: &["v5.channel.k8s.io"] };

/// The offer for commands without standard input, which version 4 cannot end.
const V5_OR_V4: Offer =
    Offer { carrier: Carrier::WebSocket, protocols: &["v5.channel.k8s.io", "v4.channel.k8s.io"] };

/// For servers and proxies that have neither version 5 nor SPDY: standard input goes on until the command ends.
const V4: Offer = Offer { carrier: Carrier::WebSocket, protocols: &["v4.channel.k8s.io"] };

const SPDY: Offer = Offer {
    carrier: Carrier::Spdy,
    protocols: &[
        "v5.channel.k8s.io",
        "v4.channel.k8s.io",
        "v3.channel.k8s.io",
        "v2.channel.k8s.io",
        "channel.k8s.io",
    ],
};

/// The streams of a command in a container, or of a container that is attached to, as `PodExecOptions` and
/// `PodAttachOptions` of core/v1.
#[doc(alias = "PodExecOptions")]
#[doc(alias = "PodAttachOptions")]
#[doc(alias = "AttachParams")]
#[derive(Clone, Debug, PartialEq)]
pub struct ExecOptions {
    /// The container. The default is the only one, or that of the annotation `kubectl.kubernetes.io/default-container`,
    /// or the first.
    pub container: Option<String>,
    /// Opens standard input.
    pub stdin: bool,
    /// Opens standard output.
    pub stdout: bool,
    /// Opens standard error, unless the command has a terminal.
    pub stderr: bool,
    /// Gives the command a terminal, whose output is standard output.
    pub tty: bool,
}

impl Default for ExecOptions {
    /// Standard output and standard error.
    fn default() -> Self {
        ExecOptions { container: None, stdin: false, stdout: true, stderr: true, tty: false }
    }
}

impl<K: Wire + Object, P: Place> Api<K, P> {
    /// Runs a command in a container of a pod. The command has begun, or is about to, when this returns.
    ///
    /// It goes over WebSocket, and over SPDY if the server or a proxy does not take that, as servers before Kubernetes
    /// 1.30; the client remembers it for its server. Dropping the future, or the process with its streams, closes the
    /// connection; most clusters let the command go on, so that one that must end needs a limit of its own, such as
    /// `timeout 10 …`.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use klient_api::core::v1::Pod;
    /// use klient_apiserver::{Containers, Options, Server};
    /// use klient_client::{Client, Config, ExecOptions};
    /// # use tokio::io::AsyncWriteExt as _;
    ///
    /// // A server whose containers print their arguments.
    /// let containers = Containers::new(|command, mut stdio| async move {
    ///     stdio.stdout.as_mut().expect("it is requested").write_all(command.args.join(" ").as_bytes()).await?;
    ///     Ok(3.into())
    /// });
    /// let server = Server::start(Options { containers: Some(containers), ..Default::default() }).await?;
    /// let client = Client::new(Config::from_kubeconfig(&server.kubeconfig())?)?;
    /// let pods = client.api::<Pod>().namespace("default");
    /// # pods.create(&serde_json::from_value(serde_json::json!({
    /// #     "metadata": {"name": "web-0"}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}
    /// # }))?).await?;
    ///
    /// let process = pods.exec("web-0", ["ls", "-l"], &ExecOptions::default()).await?;
    /// let output = process.wait_with_output().await?;
    /// assert_eq!(output.stdout, b"ls -l");
    /// assert_eq!(output.status.code(), 3);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// The `Status` of a refusal: [`is_not_found`](Error::is_not_found) if the pod does not exist,
    /// [`is_forbidden`](Error::is_forbidden), [`is_bad_request`](Error::is_bad_request) if it runs on no node yet or has
    /// no such container, [`InternalError`](klient_apimachinery::meta::Reason::InternalError) if the container does not
    /// run. Later errors are of the type of `klient_streams`: a command that cannot be run and a broken connection are errors
    /// of [`Process::wait`], and of reads and writes as [`Error::of`](klient_streams::Error::of) finds; an exit code is none.
    pub fn exec<A: Into<String>>(
        &self,
        name: &str,
        command: impl IntoIterator<Item = A>,
        options: &ExecOptions,
    ) -> BoxFuture<'static, Result<Process, Error>>
    where
        K: verbs::Exec,
        P: Addressable,
    {
        let command = command.into_iter().map(Into::into).collect();
        let pods = self.untyped();
        let (name, options) = (name.to_owned(), options.clone());
        let running = Running { name, subresource: "exec", command, options, must_end_stdin: false };
        Box::pin(async move { running.start(&pods).await })
    }

    /// Attaches to the main process of a container of a pod. Its output is what it writes from now on.
    ///
    /// Standard input and a terminal are there if the container has `stdin` and `tty`. The protocols are those of
    /// [`exec`](Self::exec). The exit status is that of the container's process, unless it goes on when the streams end:
    /// then it is 0.
    ///
    /// # Errors
    ///
    /// Those of [`exec`](Self::exec).
    pub fn attach(&self, name: &str, options: &ExecOptions) -> BoxFuture<'static, Result<Process, Error>>
    where
        K: verbs::Exec,
        P: Addressable,
    {
        let pods = self.untyped();
        let (name, options) = (name.to_owned(), options.clone());
        let running =
            Running { name, subresource: "attach", command: Vec::new(), options, must_end_stdin: false };
        Box::pin(async move { running.start(&pods).await })
    }
}

/// A request for a process.
pub(super) struct Running {
    /// The name of the pod.
    pub(super) name: String,
    /// `exec` or `attach`.
    pub(super) subresource: &'static str,
    pub(super) command: Vec<String>,
    pub(super) options: ExecOptions,
    /// Takes no protocol that cannot end standard input while the command runs.
    pub(super) must_end_stdin: bool,
}

impl Running {
    pub(super) async fn start(&self, pods: &Api<Unstructured, DynamicPlace>) -> Result<Process, Error> {
        let container = self.options.container.as_deref();
        match self.start_in(pods, container).await {
            // The request is one less if the server knows the container by itself.
            Err(refusal) if container.is_none() && requires_container(&refusal) => {
                let pod = pods.get(&self.name).await?;
                match default_container(&pod) {
                    Some(container) => self.start_in(pods, Some(container)).await,
                    None => Err(refusal),
                }
            }
            started => started,
        }
    }

    async fn start_in(
        &self,
        pods: &Api<Unstructured, DynamicPlace>,
        container: Option<&str>,
    ) -> Result<Process, Error> {
        let streams = self.options.streams();
        let request = |method| self.request(pods, method, container);
        let offers: &[Offer] = match streams.stdin {
            true if self.must_end_stdin => &[V5, SPDY],
            true => &[V5, SPDY, V4],
            false => &[V5_OR_V4, SPDY],
        };
        let what = self.what(container);
        let switched = switch(&pods.endpoint.connection, Purpose::Command, offers, request).await;
        let switched = switched.map_err(|error| of_refusal(error, &what))?;
        let version = switched.protocol.map_or(Some(Version::V1), Version::parse);
        let version = version.expect("those offered are versions");
        let protocol = match switched.carrier {
            Carrier::WebSocket => Protocol::WebSocket(Subprotocol { version, base64: false }),
            Carrier::Spdy => Protocol::Spdy(version),
        };
        if self.must_end_stdin && !protocol.has_half_close() {
            let problem = format!("the server has {protocol} only, which cannot end standard input");
            return Err(Error::new(ErrorKind::Connection, what, Broken(problem)));
        }
        match Process::start(switched.connection, protocol, streams).await {
            Ok(process) => Ok(process.named(what)),
            Err(error) => Err(Error::new(kind_of(&error), what, error)),
        }
    }

    /// The subject of errors: `exec in container web of pod web-0`.
    fn what(&self, container: Option<&str>) -> String {
        match container {
            Some(container) => format!("{} in container {container} of pod {}", self.subresource, self.name),
            None => format!("{} in pod {}", self.subresource, self.name),
        }
    }

    fn request(
        &self,
        pods: &Api<Unstructured, DynamicPlace>,
        method: Method,
        container: Option<&str>,
    ) -> Result<Request, Error> {
        let request = pods.below(method, &self.name, self.subresource)?;
        let request = self.command.iter().fold(request, |request, word| request.query("command", word));
        let Streams { stdin, stdout, stderr, tty } = self.options.streams();
        let flags = [("stdin", stdin), ("stdout", stdout), ("stderr", stderr), ("tty", tty)];
        let flags = flags.into_iter().filter(|(_, is_set)| *is_set).map(|(name, _)| (name, "true"));
        let container = container.map(|container| ("container", container));
        Ok(container
            .into_iter()
            .chain(flags)
            .fold(request, |request, (key, value)| request.query(key, value)))
    }
}

/// The kind of the client's error of an error of streams.
pub(super) fn kind_of(error: &klient_streams::Error) -> ErrorKind {
    match error.kind() {
        klient_streams::ErrorKind::Timeout => ErrorKind::Timeout,
        klient_streams::ErrorKind::Refused => ErrorKind::Refused,
        klient_streams::ErrorKind::Limit => ErrorKind::Limit,
        _ => ErrorKind::Connection,
    }
}

/// The refusal of a request that switches, which may have been sent over several protocols: its subject is not the last
/// of them.
pub(super) fn of_refusal(error: Error, what: &str) -> Error {
    match error.kind() {
        ErrorKind::Status => error.about(what),
        _ => error,
    }
}

impl ExecOptions {
    fn streams(&self) -> Streams {
        let ExecOptions { stdin, stdout, stderr, tty, .. } = *self;
        Streams { stdin, stdout, stderr: stderr && !tty, tty }
    }
}
