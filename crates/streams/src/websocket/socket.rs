//! [`WebSocket`], tungstenite's state of a WebSocket with the connection below it.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use tokio::io::{AsyncRead as _, AsyncWrite as _, ReadBuf};
use tungstenite::error::ProtocolError;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::protocol::{CloseFrame, WebSocketConfig, WebSocketContext};
use tungstenite::{Error as WsError, Message};

use crate::connection::BoxConnection;
use crate::error::Error;
use crate::mux::Role;

/// The largest message that is received, in bytes. Go's programs send at most 32 KiB at once.
const MAX_MESSAGE: usize = 4 * 1024 * 1024;

/// The number of bytes that are read at once, at most. tungstenite clears as many before each read.
const READ_BUFFER: usize = 64 * 1024;

/// The number of bytes from which frames are written without waiting for more: those of some data alone, so that
/// tungstenite copies them to the same place each time, and has only short ones before them.
const WRITE_BUFFER: usize = 16 * 1024;

/// The number of bytes that wait in the form of frames, at most: the largest message that is sent has room, and answers to
/// pings of a peer that does not read have no more.
const MAX_WRITE_BUFFER: usize = 256 * 1024;

/// A WebSocket on a connection that is switched to it.
///
/// All rules of the protocol are tungstenite's, pongs and the closing handshake among them. It reads from the connection
/// and writes to it directly, with the waker of whoever polls.
pub(super) struct WebSocket {
    connection: BoxConnection,
    context: WebSocketContext,
    /// Messages that wait for those before them.
    queue: VecDeque<Message>,
    /// The one who waits for room in the connection. Pongs that a reader sends must not take its place.
    writer: Option<Waker>,
    /// The error of the sending direction. What the peer has sent before can still be read.
    error: Option<Error>,
}

/// The meaning of a message for a protocol of bytes.
pub(super) enum Received {
    Data(Bytes),
    Text(Bytes),
    /// A ping or pong.
    SignOfLife,
    /// The orderly end.
    End,
}

impl WebSocket {
    pub(super) fn new(connection: BoxConnection, role: Role) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(WRITE_BUFFER)
            .max_write_buffer_size(MAX_WRITE_BUFFER)
            .max_message_size(Some(MAX_MESSAGE))
            .max_frame_size(Some(MAX_MESSAGE));
        let role = match role {
            Role::Client => tungstenite::protocol::Role::Client,
            Role::Server => tungstenite::protocol::Role::Server,
        };
        let context = WebSocketContext::new(role, Some(config));
        WebSocket { connection, context, queue: VecDeque::new(), writer: None, error: None }
    }

    /// Reads the next message. What is due for it is sent while the next one is read.
    pub(super) fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<Result<Received, Error>> {
        let mut transport = Transport {
            connection: &mut self.connection,
            reader: context.waker(),
            writer: self.writer.as_ref().unwrap_or(context.waker()),
            error: &mut self.error,
        };
        let received = match self.context.read(&mut transport) {
            Err(error) if is_pending(&error) => return Poll::Pending,
            message => received(message),
        };
        if matches!(received, Ok(Received::End)) {
            // The answer of the closing handshake. The peer may be gone already.
            let _ = self.context.flush(&mut transport);
        }
        Poll::Ready(received)
    }

    /// Queues a message. It is to be [sent](Self::poll_send).
    pub(super) fn push(&mut self, message: Message) {
        self.queue.push_back(message);
    }

    /// Queues the closing frame, unless there is one.
    pub(super) fn close(&mut self, code: CloseCode) {
        if !self.is_closing() {
            self.push(Message::Close(Some(CloseFrame { code, reason: "".into() })));
        }
    }

    /// Returns true if one of both ends has closed the WebSocket, so that no message can be sent any more.
    pub(super) fn is_closing(&self) -> bool {
        !self.context.can_write() || matches!(self.queue.back(), Some(Message::Close(_)))
    }

    /// Sends all that is queued.
    pub(super) fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let sent = self.poll_queue(context);
        self.writer = sent.is_pending().then(|| context.waker().clone());
        sent
    }

    fn poll_queue(&mut self, context: &Context<'_>) -> Poll<Result<(), Error>> {
        let waker = context.waker();
        let mut transport = Transport {
            connection: &mut self.connection,
            reader: waker,
            writer: waker,
            error: &mut self.error,
        };
        // tungstenite moves all that it has when a part of it is written, so that it gets no more before that is.
        ready!(sent(self.context.flush(&mut transport)))?;
        while let Some(message) = self.queue.pop_front() {
            let written = match message {
                Message::Close(code) => self.context.close(&mut transport, code),
                message => self.context.write(&mut transport, message),
            };
            match written {
                Err(WsError::WriteBufferFull(message)) => {
                    self.queue.push_front(*message);
                    ready!(sent(self.context.flush(&mut transport)))?;
                }
                // The message is among what waits for room in the connection.
                written => ready!(sent(written))?,
            }
        }
        ready!(sent(self.context.flush(&mut transport)))?;
        Poll::Ready(self.error.clone().map_or(Ok(()), Err))
    }
}

/// The connection, as tungstenite reads and writes it. It has an error in the sending direction only when that is polled:
/// a peer that has closed its end may have sent a result before.
struct Transport<'a> {
    connection: &'a mut BoxConnection,
    reader: &'a Waker,
    writer: &'a Waker,
    error: &'a mut Option<Error>,
}

impl Transport<'_> {
    /// Keeps an error of the sending direction, in which everything is lost from then on.
    fn write_with<T>(
        &mut self,
        poll: impl FnOnce(Pin<&mut BoxConnection>, &mut Context<'_>) -> Poll<io::Result<T>>,
        lost: T,
    ) -> io::Result<T> {
        if self.error.is_some() {
            return Ok(lost);
        }
        match poll(Pin::new(self.connection), &mut Context::from_waker(self.writer)) {
            Poll::Ready(Ok(done)) => Ok(done),
            Poll::Ready(Err(error)) => {
                *self.error = Some(Error::of_io(&error));
                Ok(lost)
            }
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }
}

impl Read for Transport<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut buffer = ReadBuf::new(buffer);
        let connection = Pin::new(&mut *self.connection);
        match connection.poll_read(&mut Context::from_waker(self.reader), &mut buffer) {
            Poll::Ready(read) => read.map(|()| buffer.filled().len()),
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }
}

impl Write for Transport<'_> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.write_with(|connection, context| connection.poll_write(context, data), data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.write_with(|connection, context| connection.poll_flush(context), ())
    }
}

fn is_pending(error: &WsError) -> bool {
    matches!(error, WsError::Io(error) if error.kind() == io::ErrorKind::WouldBlock)
}

/// The outcome of a write.
fn sent(written: Result<(), WsError>) -> Poll<Result<(), Error>> {
    match written {
        // A server has no more to send after the closing handshake.
        Ok(()) | Err(WsError::ConnectionClosed) => Poll::Ready(Ok(())),
        Err(error) if is_pending(&error) => Poll::Pending,
        Err(error) => Poll::Ready(Err(failed(error))),
    }
}

/// Sorts what arrives.
fn received(message: Result<Message, WsError>) -> Result<Received, Error> {
    match message {
        Ok(Message::Binary(data)) => Ok(Received::Data(data)),
        Ok(Message::Text(text)) => Ok(Received::Text(text.into())),
        Ok(Message::Close(Some(close))) if close.code != CloseCode::Normal => {
            let (code, reason) = (u16::from(close.code), close.reason.as_str());
            Err(Error::connection(format!("the peer closed the WebSocket with code {code}: {reason}")))
        }
        Ok(Message::Close(_)) | Err(WsError::ConnectionClosed) => Ok(Received::End),
        Ok(_) => Ok(Received::SignOfLife),
        Err(error) => Err(failed(error)),
    }
}

/// The error of a connection.
fn failed(error: WsError) -> Error {
    match error {
        WsError::Io(error) => Error::of_io(&error),
        WsError::Capacity(error) => Error::protocol(format!("a message is too large: {error}")),
        WsError::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Error::unexpected_end(),
        error @ (WsError::Protocol(_) | WsError::Utf8(_)) => Error::protocol(error.to_string()),
        error => Error::connection(error.to_string()),
    }
}
