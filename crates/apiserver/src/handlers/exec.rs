//! Commands in containers, and their main processes: exec and attach over WebSocket and SPDY.

use std::sync::Arc;

use http::{HeaderMap, Response};
use klient_streams::remote_command::{Protocol, Streams, Subprotocol, Version, serve};

use super::Context;
use super::upgrade::{self, Wanted, agree_spdy, agree_websocket};
use crate::containers::{ContainerCommand, Run};
use crate::respond::Body;
use crate::status::{Failure, Result};

/// Switches the connection of a request to the protocol of remote commands, and runs the command.
pub(super) fn run(context: &mut Context, run: Arc<Run>, container: String) -> Result<Response<Body>> {
    let query = &context.query;
    let [stdin, stdout, stderr, tty] = ["stdin", "stdout", "stderr", "tty"].map(|name| query.is_true(name));
    // A terminal has no standard error of its own.
    let streams = Streams { stdin, stdout, stderr: stderr && !tty, tty };
    if !(streams.stdin || streams.stdout || streams.stderr) {
        return Err(Failure::bad_request("you must specify at least 1 of stdin, stdout, stderr"));
    }
    let (protocol, headers) = negotiate(&context.headers)?;
    let command = ContainerCommand {
        namespace: context.namespace().unwrap_or_default().to_owned(),
        pod: context.name().to_owned(),
        container,
        args: query.all("command").map(str::to_owned).collect(),
        tty,
    };
    upgrade::switch(context, headers, move |connection| async move {
        if let Err(error) = serve(connection, protocol, streams, |stdio| run(command, stdio)).await {
            tracing::debug!(%error, "a command did not end with an exit status");
        }
    })
}

/// The protocol of a request, and the headers of the response that agrees to it.
fn negotiate(headers: &HeaderMap) -> Result<(Protocol, HeaderMap)> {
    match upgrade::wanted(headers)? {
        Wanted::WebSocket(offered) if offered.is_empty() => {
            let chosen = Subprotocol { version: Version::V1, base64: false };
            Ok((Protocol::WebSocket(chosen), agree_websocket(headers, None)?))
        }
        Wanted::WebSocket(offered) => {
            let chosen = offered.iter().find_map(|name| Subprotocol::parse(name));
            let chosen = chosen.ok_or_else(|| upgrade::unknown_subprotocol(&offered))?;
            Ok((Protocol::WebSocket(chosen), agree_websocket(headers, Some(&chosen.to_string()))?))
        }
        Wanted::Spdy(offered) => {
            let chosen = offered.iter().find_map(|name| Version::parse(name));
            let chosen = chosen
                .ok_or_else(|| upgrade::unknown_version(&offered, &Version::ALL.map(Version::as_str)))?;
            Ok((Protocol::Spdy(chosen), agree_spdy(chosen.as_str())))
        }
    }
}
