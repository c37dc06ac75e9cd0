//! Two upgraded connections, of which each gets the bytes of the other.

use std::io;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use klient_client::Upgraded;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};

/// The time for the rest of one direction after the other has ended, which bounds a peer that never closes.
const LINGER: Duration = Duration::from_secs(10);

/// Copies bytes between two connections until both directions have ended, or one is lost.
pub(crate) async fn bridge(client: hyper::upgrade::Upgraded, server: Upgraded) -> io::Result<()> {
    let (from_client, to_client) = tokio::io::split(TokioIo::new(client));
    let (from_server, to_server) = tokio::io::split(server);
    let mut up = std::pin::pin!(copy(from_client, to_server));
    let mut down = std::pin::pin!(copy(from_server, to_client));
    let rest = tokio::select! {
        ended = up.as_mut() => {
            ended?;
            tokio::time::timeout(LINGER, down).await
        }
        ended = down.as_mut() => {
            ended?;
            tokio::time::timeout(LINGER, up).await
        }
    };
    rest.unwrap_or_else(|_| Err(io::Error::new(io::ErrorKind::TimedOut, "one direction did not end")))
}

/// Copies bytes to their end, which it passes on.
async fn copy(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin) -> io::Result<()> {
    tokio::io::copy(&mut from, &mut to).await?;
    to.shutdown().await
}
