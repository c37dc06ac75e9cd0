//! [`Api::exec`], a command in a container of a pod.

use http::Method;
use http::header::{
    HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION,
};
use klient_apimachinery::codec::Wire;
use klient_apimachinery::{Addressable, BoxFuture, Object, Place, verbs};
use klient_streams::remote_command::{Process, Protocol, Streams, Version};
use klient_streams::websocket;

use super::Api;
use crate::error::{Error, ErrorKind, Problem};
use crate::rest::Request;
use crate::upgraded::Upgraded;

/// The header in which client and server agree on a version over SPDY.
const STREAM_PROTOCOL: HeaderName = HeaderName::from_static("x-stream-protocol-version");

/// A command in a container, as `PodExecOptions` of core/v1.
#[doc(alias = "PodExecOptions")]
#[doc(alias = "AttachParams")]
#[derive(Clone, Debug, PartialEq)]
pub struct ExecOptions {
    /// The container. A pod with one container needs no name.
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
    /// It goes over WebSocket, and over SPDY if the server does not take that, as servers before Kubernetes 1.30.
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
    /// [`is_not_found`](Error::is_not_found) if the pod does not exist, [`is_bad_request`](Error::is_bad_request) if it
    /// runs on no node yet, or has no such container, or several and none is named.
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
        let command: Vec<String> = command.into_iter().map(Into::into).collect();
        let request = |method| -> Result<Request, Error> {
            let request = self.below(method, name, "exec")?;
            let request = command.iter().fold(request, |request, word| request.query("command", word));
            Ok(options.put_into(request))
        };
        let (over_websocket, over_spdy) = (request(Method::GET), request(Method::POST));
        let what = format!("exec in pod {name}");
        let streams = options.streams();
        Box::pin(async move {
            let (connection, protocol) = match by_websocket(over_websocket?, &what).await {
                // Servers that do not have version 5 refuse the handshake, by a variety of codes.
                Err(error) if is_refusal(&error) => by_spdy(over_spdy?, &what).await?,
                connection => connection?,
            };
            let started = Process::start(connection, protocol, streams).await;
            started.map_err(|error| {
                let kind = match error.kind() {
                    klient_streams::ErrorKind::Timeout => ErrorKind::Timeout,
                    _ => ErrorKind::Connection,
                };
                Error::new(kind, what, error)
            })
        })
    }
}

/// Returns true if the server refused a handshake, for a reason that another protocol may not have.
fn is_refusal(error: &Error) -> bool {
    error.kind() == ErrorKind::Status && !error.is_not_found() && !error.is_unauthorized()
}

/// Switches a connection to version 5 over WebSocket.
async fn by_websocket(request: Request, what: &str) -> Result<(Upgraded, Protocol), Error> {
    let key = websocket::new_key();
    let request = request
        .header(SEC_WEBSOCKET_KEY, &key)
        .header(SEC_WEBSOCKET_VERSION, "13")
        .header(SEC_WEBSOCKET_PROTOCOL, Version::V5.as_str());
    let connection = request.upgrade("websocket").await?;
    let header = |name| connection.headers().get(name).map(HeaderValue::as_bytes);
    if header(SEC_WEBSOCKET_ACCEPT) != Some(websocket::accept_key(&key).as_bytes()) {
        return Err(not_switched(what, "the server did not answer the key of the WebSocket"));
    }
    if header(SEC_WEBSOCKET_PROTOCOL) != Some(Version::V5.as_str().as_bytes()) {
        return Err(not_switched(what, "the server chose a protocol that was not offered"));
    }
    Ok((connection, Protocol::WEBSOCKET_V5))
}

/// Switches a connection to SPDY, with the best version that the server has.
async fn by_spdy(request: Request, what: &str) -> Result<(Upgraded, Protocol), Error> {
    let versions = Version::ALL.map(Version::as_str).join(", ");
    let connection = request.header(STREAM_PROTOCOL, &versions).upgrade("SPDY/3.1").await?;
    let chosen = connection.headers().get(STREAM_PROTOCOL).map_or(Some(""), |chosen| chosen.to_str().ok());
    let version = chosen.and_then(Version::parse);
    let version =
        version.ok_or_else(|| not_switched(what, "the server chose a version that was not offered"))?;
    Ok((connection, Protocol::Spdy(version)))
}

fn not_switched(what: &str, fault: &str) -> Error {
    Error::new(ErrorKind::Connection, what, Problem(format!("unable to upgrade connection: {fault}")))
}

impl ExecOptions {
    fn streams(&self) -> Streams {
        let ExecOptions { stdin, stdout, stderr, tty, .. } = *self;
        Streams { stdin, stdout, stderr: stderr && !tty, tty }
    }

    /// The parameters, under the names of `PodExecOptions`.
    fn put_into(&self, request: Request) -> Request {
        let Streams { stdin, stdout, stderr, tty } = self.streams();
        let flags = [("stdin", stdin), ("stdout", stdout), ("stderr", stderr), ("tty", tty)];
        let container = self.container.iter().map(|container| ("container", container.as_str()));
        let flags = flags.into_iter().filter(|(_, is_set)| *is_set).map(|(name, _)| (name, "true"));
        container.chain(flags).fold(request, |request, (key, value)| request.query(key, value))
    }
}
