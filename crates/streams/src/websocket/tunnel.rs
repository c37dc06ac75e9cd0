//! [`Tunnel`], bytes in both directions over WebSocket.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use futures_util::{Sink as _, Stream as _};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::tungstenite::{Error as WsError, Message};

use super::{Received, WebSocket, failed_io, received, start};
use crate::connection::Connection;
use crate::error::Error;
use crate::mux::Role;

/// The number of bytes that are sent in one message.
const MAX_WRITE: usize = 32 * 1024;

/// Bytes in both directions in the binary messages of a WebSocket, as in the subprotocol
/// [`SPDY/3.1+portforward.k8s.io`](crate::port_forward::TUNNEL_PROTOCOL). Messages mean nothing but the bytes in them.
///
/// Reading ends when the peer closes the WebSocket normally. A text message is an error. `shutdown` closes the
/// WebSocket, and with it both directions.
pub struct Tunnel {
    websocket: WebSocket,
    /// The rest of the last message.
    message: Bytes,
    is_closed: bool,
}

impl Tunnel {
    /// Begins the client's end on a connection that is switched to WebSocket.
    pub async fn client(connection: impl Connection) -> Self {
        Self::new(start(Box::new(connection), Role::Client).await)
    }

    /// Begins the server's end.
    pub async fn server(connection: impl Connection) -> Self {
        Self::new(start(Box::new(connection), Role::Server).await)
    }

    fn new(websocket: WebSocket) -> Self {
        Tunnel { websocket, message: Bytes::new(), is_closed: false }
    }
}

impl AsyncRead for Tunnel {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while self.message.is_empty() && !self.is_closed {
            let message = ready!(Pin::new(&mut self.websocket).poll_next(context));
            let broken = |error: Error| error.into_io(io::ErrorKind::ConnectionAborted);
            match received(message).map_err(broken)? {
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
        buffer.put_slice(&self.message[..count]);
        self.message.advance(count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Tunnel {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(Pin::new(&mut self.websocket).poll_ready(context)).map_err(failed_io)?;
        let count = data.len().min(MAX_WRITE);
        let message = Message::Binary(Bytes::copy_from_slice(&data[..count]));
        Pin::new(&mut self.websocket).start_send(message).map_err(failed_io)?;
        Poll::Ready(Ok(count))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.websocket).poll_flush(context).map_err(failed_io)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match ready!(Pin::new(&mut self.websocket).poll_close(context)) {
            // The peer has closed it first.
            Ok(()) | Err(WsError::ConnectionClosed | WsError::AlreadyClosed) => Poll::Ready(Ok(())),
            Err(error) => Poll::Ready(Err(failed_io(error))),
        }
    }
}

impl fmt::Debug for Tunnel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tunnel")
    }
}
