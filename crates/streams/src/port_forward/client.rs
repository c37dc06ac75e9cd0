//! [`PortForward`], the client's end.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::{DATA, ERROR, PORT, REQUEST_ID, STREAM_TYPE, Transport, client_session};
use crate::connection::Connection;
use crate::error::Error;
use crate::mux::Stream;
use crate::spdy::{Headers, Session};

/// The number of bytes of an error that are kept.
const MAX_MESSAGE: usize = 64 * 1024;

/// The time that the server's message may take after the data has broken off.
const MESSAGE_TIMEOUT: Duration = Duration::from_secs(10);

/// Connections to ports of a pod, over one connection to the API server.
///
/// Dropping it and all its connections closes the connection to the server; no task remains.
pub struct PortForward {
    session: Session,
    /// The number of the next connection.
    next: AtomicU32,
}

/// A connection to a port of a pod: a stream of bytes in both directions.
///
/// Reading ends when the pod ends it, and fails with the server's message if the server could not connect to the port or
/// lost the connection, which may be ten seconds later than the loss; other connections are not concerned. The back-pressure is that of
/// [`Session`](crate::spdy::Session#back-pressure).
pub struct PortConnection {
    data: Stream,
    error: Stream,
    /// The bytes of the error stream so far.
    message: Vec<u8>,
    /// The end of the wait for the rest of them, once the data has broken off.
    patience: Option<Pin<Box<Sleep>>>,
}

impl PortForward {
    /// Begins on a connection that the server has switched to [`PROTOCOL`](super::PROTOCOL) or
    /// [`TUNNEL_PROTOCOL`](super::TUNNEL_PROTOCOL).
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn start(connection: impl Connection, transport: Transport) -> Self {
        let session = client_session(Box::new(connection), transport);
        PortForward { session, next: AtomicU32::new(0) }
    }

    /// Opens a connection to a port. A port on which nothing listens is an error of reading.
    ///
    /// # Errors
    ///
    /// If the server refuses the port, does not answer within 30 s, or the connection to it is broken.
    pub async fn connect(&self, port: u16) -> Result<PortConnection, Error> {
        let request = self.next.fetch_add(1, Ordering::Relaxed).to_string();
        let headers = |stream: &str| {
            let (port, request) = (port.to_string(), request.clone());
            let headers = [(STREAM_TYPE, stream.to_owned()), (PORT, port), (REQUEST_ID, request)];
            headers.into_iter().collect::<Headers>()
        };
        let mut error = self.session.begin_open(headers(ERROR))?;
        // Nothing is ever sent on it.
        error.finish();
        let data = self.session.begin_open(headers(DATA))?;
        let error = self.session.opened(error).await?;
        let data = self.session.opened(data).await?;
        Ok(PortConnection { data, error, message: Vec::new(), patience: None })
    }

    /// Returns true if the connection to the server has ended, so that it opens no more connections.
    pub fn is_ended(&self) -> bool {
        self.session.is_ended()
    }

    /// Waits for the end of the connection to the server.
    ///
    /// # Errors
    ///
    /// If it did not end orderly.
    pub async fn ended(&self) -> Result<(), Error> {
        self.session.ended().await
    }

    /// Sends what was written to the connections, and closes the connection to the server.
    ///
    /// # Errors
    ///
    /// If the connection breaks before all is sent.
    pub async fn close(self) -> Result<(), Error> {
        self.session.close().await
    }
}

impl PortConnection {
    /// Reads what is there of the error stream; the server's message if it is complete.
    fn poll_message(&mut self, context: &mut Context<'_>) -> Poll<Option<Error>> {
        loop {
            let mut bytes = [0; 1024];
            let mut buffer = ReadBuf::new(&mut bytes);
            let read = ready!(Pin::new(&mut self.error).poll_read(context, &mut buffer));
            let is_over = read.is_err() || buffer.filled().is_empty();
            if self.message.len() < MAX_MESSAGE {
                self.message.extend_from_slice(buffer.filled());
            }
            if is_over {
                return Poll::Ready(message_of(&self.message).map(Error::refused));
            }
        }
    }
}

/// The message on an error stream: a string, or JSON with one, from newer servers.
fn message_of(bytes: &[u8]) -> Option<String> {
    if bytes.is_empty() {
        return None;
    }
    let json: Option<Value> = serde_json::from_slice(bytes).ok();
    match json.as_ref().and_then(|json| json.get("message")).and_then(Value::as_str) {
        Some(message) => Some(message.to_owned()),
        None => Some(String::from_utf8_lossy(bytes).trim_end().to_owned()),
    }
}

impl AsyncRead for PortConnection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = ready!(Pin::new(&mut self.data).poll_read(context, buffer));
        if read.is_ok() && (buffer.filled().len() > before || buffer.remaining() == 0) {
            return Poll::Ready(Ok(()));
        }
        // Servers end the error stream before the data, but reset it after the data.
        let message = match self.poll_message(context) {
            Poll::Ready(message) => message,
            Poll::Pending if read.is_ok() => None,
            Poll::Pending => {
                let patience = self.patience.get_or_insert_with(|| Box::pin(sleep(MESSAGE_TIMEOUT)));
                ready!(patience.as_mut().poll(context));
                None
            }
        };
        match message {
            Some(error) => Poll::Ready(Err(error.into_io(io::ErrorKind::ConnectionReset))),
            None => Poll::Ready(read),
        }
    }
}

impl AsyncWrite for PortConnection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.data).poll_write(context, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.data).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.data).poll_shutdown(context)
    }
}

impl fmt::Debug for PortForward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PortForward")
    }
}

impl fmt::Debug for PortConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PortConnection")
    }
}
