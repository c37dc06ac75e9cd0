//! [`serve_channels`], the server's end of port forwarding over channels: `v4.channel.k8s.io` and
//! `v4.base64.channel.k8s.io` over WebSocket, as kubelet's `portforward/websocket.go`.
//!
//! The ports are those of the request, and each has one connection, which is there from the beginning. The channel 2n
//! carries the data of the nth port, the channel 2n + 1 its error, which is a string. Each begins with the number of the
//! port in two bytes, little endian. Neither end can end a direction: all channels end with the WebSocket, which the server
//! closes when the last connection has ended.

use tokio::io::AsyncWriteExt as _;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::server::{Forwarded, refusal};
use crate::connection::Connection;
use crate::error::{BoxError, Error};
use crate::mux::{Role, Stream};
use crate::websocket::channels::{self, Codec};

/// The number of ports whose channels have numbers of a byte.
const MAX_PORTS: usize = 128;

/// The number of ports whose channels are characters of ASCII, from `0` on.
const MAX_BASE64_PORTS: usize = 40;

/// The ports of a request, and the form of their channels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channels {
    ports: Vec<u16>,
    base64: bool,
}

impl Channels {
    /// Channels to some ports. With `base64` they are those of `v4.base64.channel.k8s.io`.
    ///
    /// # Errors
    ///
    /// [`Refused`](crate::ErrorKind::Refused) for more than 128 ports, in base64 for more than 40: their channels have no
    /// numbers.
    pub fn new(ports: impl Into<Vec<u16>>, base64: bool) -> Result<Self, Error> {
        let (ports, limit) = (ports.into(), if base64 { MAX_BASE64_PORTS } else { MAX_PORTS });
        if ports.len() > limit {
            let count = ports.len();
            return Err(Error::refused(format!(
                "{count} ports are requested, and channels are for {limit} at most"
            )));
        }
        Ok(Channels { ports, base64 })
    }
}

/// Serves one connection to each of some ports, on a connection that is switched to WebSocket, until all have ended or
/// the client closes it.
///
/// Each connection is given to `forward` with its port, in a task of its own. Its error is told to the client, whose
/// other connections go on. When the client is gone, the tasks are aborted.
///
/// # Errors
///
/// If the connection to the client breaks.
pub async fn serve_channels<C, F>(
    connection: impl Connection,
    channels: Channels,
    forward: C,
) -> Result<(), Error>
where
    C: Fn(u16, Forwarded) -> F,
    F: Future<Output = Result<(), BoxError>> + Send + 'static,
{
    let Channels { ports, base64 } = channels;
    let ids: Vec<u8> = (0..=u8::MAX).take(2 * ports.len()).collect();
    let codec = Codec { base64, half_close: false };
    let (handle, streams) = channels::open(Box::new(connection), Role::Server, codec, &ids);
    let mut streams = streams.into_iter();
    let mut connections = JoinSet::new();
    for port in ports {
        let (Some(mut data), Some(mut error)) = (streams.next(), streams.next()) else { break };
        for stream in [&mut data, &mut error] {
            if let Err(broken) = begin(stream, port).await {
                handle.ended().await?;
                return Err(broken);
            }
        }
        let (connection, returned) = Forwarded::of(data);
        connections.spawn(run(port, forward(port, connection), error, returned));
    }
    tokio::select! {
        () = async { while connections.join_next().await.is_some() {} } => handle.close().await,
        ended = handle.ended() => ended,
    }
}

/// Sends the number of the port, in a message of its own.
async fn begin(stream: &mut Stream, port: u16) -> Result<(), Error> {
    let sent = async {
        stream.write_all(&port.to_le_bytes()).await?;
        stream.flush().await
    };
    sent.await.map_err(|error| Error::of_io(&error))
}

/// Forwards one connection, and tells the client of its error.
async fn run(
    port: u16,
    forwarded: impl Future<Output = Result<(), BoxError>>,
    mut error: Stream,
    returned: oneshot::Receiver<Stream>,
) {
    let outcome = forwarded.await;
    // What has come from the port goes before its error. If it cannot be sent, nobody is there.
    if let Ok(mut data) = returned.await {
        let _ = data.flush().await;
    }
    if let Err(cause) = outcome {
        let _ = error.write_all(refusal(port, &cause).as_bytes()).await;
        let _ = error.flush().await;
    }
}
