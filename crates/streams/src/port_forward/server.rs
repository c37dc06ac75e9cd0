//! [`serve`], the server's end.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use serde_json::json;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::{DATA, ERROR, PORT, REQUEST_ID, STREAM_TYPE, Transport, server_session};
use crate::connection::Connection;
use crate::error::{BoxError, Error};
use crate::mux::Stream;
use crate::spdy::{CREATION_TIMEOUT, Incoming};

/// A connection of a client to a port, at the server's end.
pub struct Forwarded {
    /// Always there but while it is dropped.
    data: Option<Stream>,
    /// Gives the stream back, so that it ends after the error stream.
    back: Option<oneshot::Sender<Stream>>,
}

/// The streams of a connection so far.
struct Pair {
    port: u16,
    error: Option<Stream>,
    data: Option<Stream>,
    deadline: Instant,
}

/// Serves connections to ports, on a connection that is switched to the protocol, until the client closes it.
///
/// Each connection is given to `forward` with its port, in a task of its own. Its error is told to the client, whose
/// other connections go on. When the client is gone, the tasks are aborted.
///
/// # Errors
///
/// If the connection to the client breaks.
pub async fn serve<C, F>(connection: impl Connection, transport: Transport, forward: C) -> Result<(), Error>
where
    C: Fn(u16, Forwarded) -> F,
    F: Future<Output = Result<(), BoxError>> + Send + 'static,
{
    let session = server_session(Box::new(connection), transport);
    let mut pairs: BTreeMap<String, Pair> = BTreeMap::new();
    let mut connections = JoinSet::new();
    loop {
        let expires = pairs.values().map(|pair| pair.deadline).min();
        let expired = async {
            match expires {
                Some(deadline) => sleep_until(deadline).await,
                None => std::future::pending().await,
            }
        };
        let incoming = tokio::select! {
            incoming = session.accept() => incoming,
            Some(_) = connections.join_next() => continue,
            () = expired => {
                let now = Instant::now();
                pairs.retain(|_, pair| pair.deadline > now);
                continue;
            }
        };
        let Some(incoming) = incoming else { break };
        let Some((request, port, is_error)) = request_of(&incoming) else { continue };
        let deadline = Instant::now() + CREATION_TIMEOUT;
        let pair = pairs.entry(request.clone());
        let pair = pair.or_insert(Pair { port, error: None, data: None, deadline });
        let place = if is_error { &mut pair.error } else { &mut pair.data };
        if place.is_some() || pair.port != port {
            continue;
        }
        *place = Some(incoming.accept());
        if pair.error.is_some()
            && pair.data.is_some()
            && let Some(Pair { error: Some(error), data: Some(data), .. }) = pairs.remove(&request)
        {
            let (connection, returned) = Forwarded::of(data);
            connections.spawn(run(port, forward(port, connection), error, returned));
        }
    }
    session.ended().await
}

/// Forwards one connection, and tells the client of its error.
async fn run(
    port: u16,
    forwarded: impl Future<Output = Result<(), BoxError>>,
    mut error: Stream,
    returned: oneshot::Receiver<Stream>,
) {
    let outcome = forwarded.await;
    if let Err(cause) = outcome {
        let line = json!({ "message": refusal(port, &cause) }).to_string() + "\n";
        // If it cannot be told, nobody is there to whom.
        let _ = error.write_all(line.as_bytes()).await;
    }
    let _ = error.shutdown().await;
    if let Ok(mut data) = returned.await {
        let _ = data.shutdown().await;
    }
}

/// The message about a connection that has failed.
pub(super) fn refusal(port: u16, cause: &BoxError) -> String {
    format!("error forwarding port {port}: {cause}")
}

/// The request, port and type of a stream, if its headers are valid.
fn request_of(incoming: &Incoming) -> Option<(String, u16, bool)> {
    let headers = incoming.headers();
    let port = headers.get(PORT)?.parse().ok().filter(|port: &u16| *port > 0)?;
    let is_error = match headers.get(STREAM_TYPE)? {
        ERROR => true,
        DATA => false,
        _ => return None,
    };
    let request = match headers.get(REQUEST_ID) {
        Some(request) if !request.is_empty() => request.to_owned(),
        // Old clients open the error stream and then, with the next id, that of the data.
        _ if is_error => incoming.id().to_string(),
        _ => incoming.id().checked_sub(2)?.to_string(),
    };
    Some((request, port, is_error))
}

impl Forwarded {
    /// A connection, and the stream that it gives back when it is dropped.
    pub(super) fn of(data: Stream) -> (Self, oneshot::Receiver<Stream>) {
        let (back, returned) = oneshot::channel();
        (Forwarded { data: Some(data), back: Some(back) }, returned)
    }

    fn stream(&mut self) -> Pin<&mut Stream> {
        Pin::new(self.data.as_mut().expect("it is taken when this is dropped"))
    }
}

impl Drop for Forwarded {
    fn drop(&mut self) {
        if let (Some(data), Some(back)) = (self.data.take(), self.back.take()) {
            // Without a receiver the client is gone.
            let _ = back.send(data);
        }
    }
}

impl AsyncRead for Forwarded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.stream().poll_read(context, buffer)
    }
}

impl AsyncWrite for Forwarded {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.stream().poll_write(context, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_shutdown(context)
    }
}

impl fmt::Debug for Forwarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Forwarded")
    }
}
