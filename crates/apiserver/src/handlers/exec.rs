//! Commands in containers, and their main processes: exec and attach over WebSocket and SPDY.
//!
//! A request for `v5.channel.k8s.io` to a node that does not declare the feature `ExtendWebSocketsToKubelet` is switched
//! before a kubelet is asked, as by a kube-apiserver that translates it to SPDY: what a kubelet refuses is then a `Status`
//! on the error channel. All other refusals are HTTP responses.

use std::sync::Arc;

use http::{HeaderMap, Response, StatusCode};
use klient_streams::BoxError;
use klient_streams::remote_command::{ExitStatus, Protocol, Stdio, Streams, Subprotocol, Version, serve};

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
        let query = &context.query;
        let [stdin, stdout, stderr, tty] =
            ["stdin", "stdout", "stderr", "tty"].map(|name| query.is_true(name));
        // A terminal has no standard error of its own.
        let streams = Streams { stdin, stdout, stderr: stderr && !tty, tty };
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
        let (protocol, headers) = match negotiate(&context.headers) {
            Ok(Some(protocol)) => (protocol, agree(&context.headers, protocol)?),
            Ok(None) => (V1, agree_websocket(&context.headers, None)?),
            Err(refusal) => return Ok(refusal.into_response()),
        };
        let command = ContainerCommand {
            namespace: context.namespace().unwrap_or_default().to_owned(),
            pod: context.name().to_owned(),
            container: self.container.clone(),
            args: query.all("command").map(str::to_owned).collect(),
            tty,
        };
        upgrade::switch(context, headers, move |connection| async move {
            let run = move |stdio| async move {
                match refusal {
                    Some(refusal) => Err(klient_streams::Error::of_status(refusal.into_status()).into()),
                    None => self.run(command, stdio).await,
                }
            };
            if let Err(error) = serve(connection, protocol, streams, run).await {
                tracing::debug!(%error, "a command did not end with an exit status");
            }
        })
    }

    async fn run(self, command: ContainerCommand, stdio: Stdio) -> std::result::Result<ExitStatus, BoxError> {
        let ended = (self.run)(command, stdio).await;
        if !self.is_attach {
            return ended;
        }
        ended.map_err(|error| {
            let failure = Failure::internal(format!("error attaching to container: {error}"));
            klient_streams::Error::of_status(failure.status().clone()).into()
        })
    }
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
