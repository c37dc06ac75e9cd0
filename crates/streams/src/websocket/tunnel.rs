//! [`Tunnel`], bytes in both directions over WebSocket.

use std::fmt;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tungstenite::Message;
use tungstenite::protocol::frame::coding::CloseCode;

use super::socket::{Received, WebSocket};
use crate::connection::{BoxConnection, Connection};
use crate::copying::{buffer, put};
use crate::error::Error;
use crate::mux::Role;

/// The number of bytes that are sent in one message, at most.
const MAX_WRITE: usize = 64 * 1024;

/// Bytes in both directions in the binary messages of a WebSocket, as in the subprotocol
/// [`SPDY/3.1+portforward.k8s.io`](crate::port_forward::TUNNEL_PROTOCOL). Messages mean nothing but the bytes in them.
///
/// Reading ends when the peer closes the WebSocket normally. A text message is an error. `shutdown` closes the
/// WebSocket, and with it both directions.
pub struct Tunnel {
    websocket: WebSocket,
    /// The rest of the last message.
    message: Bytes,
    /// The peer has closed the WebSocket.
    is_closed: bool,
}

impl Tunnel {
    /// Begins the client's end on a connection that is switched to WebSocket.
    pub fn client(connection: impl Connection) -> Self {
        Self::new(Box::new(connection), Role::Client)
    }

    /// Begins the server's end.
    pub fn server(connection: impl Connection) -> Self {
        Self::new(Box::new(connection), Role::Server)
    }

    fn new(connection: BoxConnection, role: Role) -> Self {
        Tunnel { websocket: WebSocket::new(connection, role), message: Bytes::new(), is_closed: false }
    }

    /// Queues a message, when that before it is sent; the number of its bytes.
    fn poll_message(
        &mut self,
        context: &mut Context<'_>,
        data: impl FnOnce() -> Bytes,
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_send(context))?;
        if self.websocket.is_closing() {
            let error = Error::connection("the WebSocket is closed");
            return Poll::Ready(Err(error.into_io(io::ErrorKind::BrokenPipe)));
        }
        let data = data();
        let count = data.len();
        self.websocket.push(Message::Binary(data));
        Poll::Ready(Ok(count))
    }

    fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.websocket.poll_send(context).map_err(|error| error.into_io(io::ErrorKind::BrokenPipe))
    }
}

impl AsyncRead for Tunnel {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let broken = |error: Error| error.into_io(io::ErrorKind::ConnectionAborted);
        while self.message.is_empty() && !self.is_closed {
            match ready!(self.websocket.poll_read(context)).map_err(broken)? {
                Received::Data(data) => self.message = data,
                Received::SignOfLife => {}
                Received::End => self.is_closed = true,
                Received::Text(_) => {
                    let error = Error::protocol("the peer sent a text message in a tunnel");
                    return Poll::Ready(Err(error.into_io(io::ErrorKind::InvalidData)));
                }
            }
        }
        let count = self.message.len().min(buffer.remaining());
        put(&self.message[..count], buffer);
        self.message.advance(count);
        if self.message.is_empty() {
            // While a part of tungstenite's buffer is held, tungstenite moves the rest to a new one for each message.
            self.message = Bytes::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Tunnel {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(context, &[IoSlice::new(data)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let message = || {
            let length = slices.iter().map(|slice| slice.len()).sum();
            let mut message = buffer(MAX_WRITE.min(length));
            for slice in slices {
                let (part, _) = slice.split_at(slice.len().min(MAX_WRITE - message.len()));
                put(part, &mut message);
            }
            message.freeze()
        };
        self.poll_message(context, message)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_send(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.websocket.close(CloseCode::Normal);
        self.poll_send(context)
    }
}

impl fmt::Debug for Tunnel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tunnel")
    }
}
