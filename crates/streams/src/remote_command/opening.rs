//! [`Opened`], the streams of a remote command, opened by its client and accepted by its server.

use std::sync::Arc;

use tokio::time::timeout;

use super::Streams;
use super::protocol::{Protocol, Version};
use crate::connection::BoxConnection;
use crate::error::Error;
use crate::mux::{Handle, Role, Stream};
use crate::spdy::{self, CREATION_TIMEOUT, Headers, Session};
use crate::websocket::channels::{self, Codec};

/// The header that names a stream of SPDY.
const STREAM_TYPE: &str = "streamType";

/// The time without any frame of its client after which a server closes a connection of SPDY, as kubelet's.
const IDLE_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(4 * 60 * 60);

/// A stream of a remote command; the number is that of its channel over WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Stdin = 0,
    Stdout = 1,
    Stderr = 2,
    Error = 3,
    Resize = 4,
}

/// The streams of a remote command.
pub(super) struct Opened {
    pub(super) handle: Arc<Handle>,
    pub(super) stdin: Option<Stream>,
    pub(super) stdout: Option<Stream>,
    pub(super) stderr: Option<Stream>,
    pub(super) error: Stream,
    pub(super) resize: Option<Stream>,
}

/// Opens the streams at the client's end.
pub(super) async fn open(
    connection: BoxConnection,
    protocol: Protocol,
    streams: Streams,
) -> Result<Opened, Error> {
    let kinds = Kind::of(streams, protocol.version());
    match protocol {
        Protocol::Spdy(_) => {
            let options = spdy::Options { accept_streams: false, ..Default::default() };
            let session = Session::client(connection, &options);
            let mut opening = Vec::new();
            for kind in kinds {
                let headers = Headers::from_iter([(STREAM_TYPE, kind.name())]);
                opening.push((kind, session.begin_open(headers)?));
            }
            let mut opened = Vec::new();
            for (kind, stream) in opening {
                opened.push((kind, session.opened(stream).await?));
            }
            Opened::of(session.handle().clone(), opened)
        }
        Protocol::WebSocket(_) => {
            let ids: Vec<u8> = kinds.iter().map(|kind| *kind as u8).collect();
            let (handle, opened) = channels::open(connection, Role::Client, codec(protocol), &ids);
            Opened::of(handle, kinds.into_iter().zip(opened))
        }
    }
}

/// Accepts the streams at the server's end.
pub(super) async fn accept(
    connection: BoxConnection,
    protocol: Protocol,
    streams: Streams,
) -> Result<Opened, Error> {
    let kinds = Kind::of(streams, protocol.version());
    match protocol {
        Protocol::Spdy(_) => {
            let options = spdy::Options { idle_timeout: Some(IDLE_TIMEOUT), ..Default::default() };
            let session = Session::server(connection, &options);
            let accepted = timeout(CREATION_TIMEOUT, accept_all(&session, &kinds)).await;
            let seconds = CREATION_TIMEOUT.as_secs();
            let late = |_| Error::timeout(format!("the client did not open its streams within {seconds} s"));
            Opened::of(session.handle().clone(), accepted.map_err(late)??)
        }
        Protocol::WebSocket(_) => {
            let ids: Vec<u8> = kinds.iter().map(|kind| *kind as u8).collect();
            let (handle, opened) = channels::open(connection, Role::Server, codec(protocol), &ids);
            let greeted = kinds.iter().find(|kind| matches!(kind, Kind::Stdout | Kind::Stderr));
            channels::greet(&handle, *greeted.unwrap_or(&Kind::Error) as u8);
            Opened::of(handle, kinds.into_iter().zip(opened))
        }
    }
}

/// Accepts one stream of each kind, and refuses others.
async fn accept_all(session: &Session, kinds: &[Kind]) -> Result<Vec<(Kind, Stream)>, Error> {
    let mut accepted: Vec<(Kind, Stream)> = Vec::new();
    while accepted.len() < kinds.len() {
        let Some(incoming) = session.accept().await else {
            session.ended().await?;
            return Err(Error::connection("the client closed the connection before it opened its streams"));
        };
        let named = incoming.headers().get(STREAM_TYPE);
        let kind = kinds.iter().find(|kind| Some(kind.name()) == named);
        if let Some(kind) = kind.filter(|kind| accepted.iter().all(|(other, _)| other != *kind)) {
            accepted.push((*kind, incoming.accept()));
        }
    }
    Ok(accepted)
}

fn codec(protocol: Protocol) -> Codec {
    let base64 = matches!(protocol, Protocol::WebSocket(subprotocol) if subprotocol.base64);
    Codec { base64, half_close: protocol.version() >= Version::V5 }
}

impl Kind {
    /// The value of the header.
    fn name(self) -> &'static str {
        match self {
            Kind::Stdin => "stdin",
            Kind::Stdout => "stdout",
            Kind::Stderr => "stderr",
            Kind::Error => "error",
            Kind::Resize => "resize",
        }
    }

    /// The streams of a command, in the order in which client-go opens them.
    fn of(streams: Streams, version: Version) -> Vec<Self> {
        let wanted = [
            (Kind::Error, true),
            (Kind::Stdin, streams.stdin),
            (Kind::Stdout, streams.stdout),
            (Kind::Stderr, streams.stderr && !streams.tty),
            (Kind::Resize, streams.tty && version.has_resize()),
        ];
        wanted.into_iter().filter(|(_, is_wanted)| *is_wanted).map(|(kind, _)| kind).collect()
    }
}

impl Opened {
    fn of(handle: Arc<Handle>, streams: impl IntoIterator<Item = (Kind, Stream)>) -> Result<Self, Error> {
        let (mut stdin, mut stdout, mut stderr, mut error, mut resize) = (None, None, None, None, None);
        for (kind, stream) in streams {
            let place = match kind {
                Kind::Stdin => &mut stdin,
                Kind::Stdout => &mut stdout,
                Kind::Stderr => &mut stderr,
                Kind::Error => &mut error,
                Kind::Resize => &mut resize,
            };
            *place = Some(stream);
        }
        let error = error.ok_or_else(|| Error::protocol("a remote command has no error stream"))?;
        Ok(Opened { handle, stdin, stdout, stderr, error, resize })
    }
}
