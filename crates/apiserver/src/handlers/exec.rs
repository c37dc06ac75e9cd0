//! Commands in containers, and their main processes: exec and attach over WebSocket and SPDY.
//!
//! A request for `v5.channel.k8s.io` to a node that does not declare the feature `ExtendWebSocketsToKubelet` is switched
//! before a kubelet is asked, as by a kube-apiserver that translates it to SPDY (`StreamTranslatorHandler`): what a kubelet
//! refuses is then a `Status` on the error channel, and the end of a command has the words of the translation. All other
//! refusals are HTTP responses.

use std::sync::Arc;

use http::{HeaderMap, Response, StatusCode};
use klient_apimachinery::go::quoted;
use klient_apimachinery::meta::v1::{Status, StatusCause, StatusDetails};
use klient_streams::remote_command::{ExitStatus, Protocol, Stdio, Streams, Subprotocol, Version, serve};
use klient_streams::{BoxError, Error};

use super::Context;
use super::upgrade::{self, Refusal, Wanted, agree_spdy, agree_websocket};
use crate::containers::{ContainerCommand, Run};
use crate::respond::Body;
use crate::status::{Failure, Result};

/// The versions of a kubelet over SPDY.
const OVER_SPDY: &[&str] = &["v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io", "channel.k8s.io"];

/// A request for a process in a container.
pub(super) struct Exec {
    /// The function that runs it.
    pub(super) run: Arc<Run>,
    pub(super) container: String,
    /// True for the main process.
    pub(super) is_attach: bool,
    /// True if the container's node takes `v5.channel.k8s.io` itself.
    pub(super) node_has_v5: bool,
    /// The kubelet's refusal, if the container does not run.
    pub(super) refusal: Option<String>,
}

impl Exec {
    /// Switches the connection of a request to the protocol of remote commands, and runs the command.
    pub(super) fn serve(self, context: &mut Context) -> Result<Response<Body>> {
        upgrade::require(&context.headers)?;
        let streams = streams(context);
        let refusal = if streams.stdin || streams.stdout || streams.stderr {
            self.refusal.as_ref().map(|text| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, text))
        } else {
            let text = "you must specify at least 1 of stdin, stdout, stderr";
            Some(Refusal::new(StatusCode::BAD_REQUEST, text))
        };
        let is_translated = !self.node_has_v5 && offers_v5(&context.headers);
        let refusal = match refusal {
            Some(refusal) if !is_translated => return Ok(refusal.into_response()),
            refusal => refusal,
        };
        let command = ContainerCommand {
            namespace: context.namespace().unwrap_or_default().to_owned(),
            pod: context.name().to_owned(),
            container: self.container.clone(),
            args: context.query.all("command").map(str::to_owned).collect(),
            tty: streams.tty,
        };
        switch(context, streams, move |stdio| async move {
            match refusal {
                Some(refusal) => Err(Error::of_status(refusal.into_status()).into()),
                None if is_translated => translated(self.run(command, stdio).await),
                None => self.run(command, stdio).await,
            }
        })
    }

    async fn run(self, command: ContainerCommand, stdio: Stdio) -> Outcome {
        let ended = (self.run)(command, stdio).await;
        if !self.is_attach {
            return ended;
        }
        ended.map_err(|error| {
            let failure = Failure::internal(format!("error attaching to container: {error}"));
            Error::of_status(failure.status().clone()).into()
        })
    }
}

/// Answers a request whose kubelet cannot be reached, `HOST:PORT`, which a kube-apiserver finds out when it has switched the
/// connection for a translation; none if it is not to be translated.
pub(super) fn unreachable(
    context: &mut Context,
    address: &str,
    path: &str,
    node_has_v5: bool,
    problem: &str,
) -> Option<Result<Response<Body>>> {
    if node_has_v5 || !offers_v5(&context.headers) {
        return None;
    }
    let url = format!("https://{address}/{path}?{}", kubelet_query(context));
    let failure = Failure::internal(format!("error sending request: Post {}: {problem}", quoted(url)));
    let status = failure.status().clone();
    let streams = streams(context);
    Some(switch(context, streams, move |_| async move { Err(Error::of_status(status).into()) }))
}

/// The query of a request to a kubelet: upstream's `streamParams`, in the order of the names.
fn kubelet_query(context: &Context) -> String {
    let commands = context.query.all("command").map(|word| format!("command={}", query_escaped(word)));
    let flags = [("stderr", "error=1"), ("stdin", "input=1"), ("stdout", "output=1"), ("tty", "tty=1")];
    let flags = flags.into_iter().filter(|(name, _)| context.query.is_true(name));
    commands.chain(flags.map(|(_, flag)| flag.to_owned())).collect::<Vec<_>>().join("&")
}

/// Go's `url.QueryEscape`.
fn query_escaped(text: &str) -> String {
    let escaped = text.bytes().map(|byte| match byte {
        b' ' => "+".to_owned(),
        byte if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    });
    escaped.collect()
}

/// The requested streams.
fn streams(context: &Context) -> Streams {
    let [stdin, stdout, stderr, tty] =
        ["stdin", "stdout", "stderr", "tty"].map(|name| context.query.is_true(name));
    // A terminal has no standard error of its own.
    Streams { stdin, stdout, stderr: stderr && !tty, tty }
}

/// Switches the connection of a request to the version on which client and server agree, and runs a command.
fn switch<R, F>(context: &mut Context, streams: Streams, run: R) -> Result<Response<Body>>
where
    R: FnOnce(Stdio) -> F + Send + 'static,
    F: Future<Output = Outcome> + Send + 'static,
{
    let (protocol, headers) = match negotiate(&context.headers) {
        Ok(Some(protocol)) => (protocol, agree(&context.headers, protocol)?),
        Ok(None) => (V1, agree_websocket(&context.headers, None)?),
        Err(refusal) => return Ok(refusal.into_response()),
    };
    upgrade::switch(context, headers, move |connection| async move {
        if let Err(error) = serve(connection, protocol, streams, run).await {
            tracing::debug!(%error, "a command did not end with an exit status");
        }
    })
}

type Outcome = std::result::Result<ExitStatus, BoxError>;

/// The end of a command in the words of a kube-apiserver that translates: an exit code by upstream's
/// `codeExitToStatusError`, and any other failure as an internal error with the kubelet's message.
fn translated(outcome: Outcome) -> Outcome {
    let status = match outcome {
        Ok(status) if status.success() => return Ok(status),
        Ok(status) => {
            let code = status.code();
            let message = format!(
                "command terminated with non-zero exit code: command terminated with exit code {code}"
            );
            let cause = StatusCause {
                reason: Some("ExitCode".into()),
                message: Some(code.to_string().into()),
                ..Default::default()
            };
            Status {
                status: Some("Failure".into()),
                reason: Some("NonZeroExitCode".into()),
                message: Some(message.into()),
                details: Some(Box::new(StatusDetails { causes: vec![cause], ..Default::default() })),
                ..Default::default()
            }
        }
        Err(error) => {
            let status = error.downcast_ref::<Error>().and_then(Error::as_status);
            let message = match status.and_then(|status| status.message.as_deref()) {
                Some(message) => message.to_owned(),
                None => format!("Internal error occurred: error executing command in container: {error}"),
            };
            Failure::internal(message).status().clone()
        }
    };
    Err(Error::of_status(status).into())
}

/// The protocol of a client over WebSocket that names none.
const V1: Protocol = Protocol::WebSocket(Subprotocol { version: Version::V1, base64: false });

fn offers_v5(headers: &HeaderMap) -> bool {
    let offered = upgrade::wanted(headers);
    matches!(offered, Ok(Wanted::WebSocket(offered)) if offered.contains(&Version::V5.as_str()))
}

/// The protocol of a request; none of one over WebSocket that names none.
fn negotiate(headers: &HeaderMap) -> std::result::Result<Option<Protocol>, Refusal> {
    match upgrade::wanted(headers)? {
        Wanted::WebSocket(offered) if offered.is_empty() => Ok(None),
        // It is looked for before all others.
        Wanted::WebSocket(offered) if offered.contains(&Version::V5.as_str()) => {
            Ok(Some(Protocol::WEBSOCKET_V5))
        }
        Wanted::WebSocket(offered) => {
            let chosen = offered.iter().find_map(|name| Subprotocol::parse(name));
            let chosen = chosen.ok_or_else(|| upgrade::unknown_subprotocol(&offered))?;
            Ok(Some(Protocol::WebSocket(chosen)))
        }
        Wanted::Spdy(offered) => {
            let chosen = offered.iter().find(|name| OVER_SPDY.contains(name));
            let chosen = chosen.and_then(|name| Version::parse(name));
            let chosen = chosen.ok_or_else(|| upgrade::unknown_version(&offered, OVER_SPDY))?;
            Ok(Some(Protocol::Spdy(chosen)))
        }
    }
}

/// The headers of the response that agrees to a protocol.
fn agree(headers: &HeaderMap, protocol: Protocol) -> Result<HeaderMap> {
    match protocol {
        Protocol::WebSocket(subprotocol) => agree_websocket(headers, Some(&subprotocol.to_string())),
        Protocol::Spdy(version) => Ok(agree_spdy(version.as_str())),
    }
}
