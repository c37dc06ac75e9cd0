//! [`Stream`], the handle of one stream.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{Ended, Handle, Mux};
use crate::copying::put;
use crate::error::Error;
use crate::frame::{Frame, Headers, status};

/// A stream of bytes in both directions, which share a connection with other streams.
///
/// - `shutdown` ends the writing direction, and returns when all that was written is on its way; reading goes on. `flush`
///   and `shutdown` after the peer has closed the stream are no errors if nothing that was written is lost; writing is one.
/// - Reading returns what arrived before the stream or the connection broke, and then the error. Its inner error is an
///   [`Error`].
/// - Dropping a stream whose writing direction is not shut down discards what is not sent, and resets the stream, so
///   that the peer's reads and writes fail.
///
/// A stream keeps its connection alive.
pub struct Stream {
    handle: Arc<Handle>,
    id: u32,
    headers: Headers,
    /// Bytes that are read without the lock of the connection.
    part: Bytes,
}

impl Stream {
    pub(crate) fn new(handle: Arc<Handle>, id: u32, headers: Headers) -> Self {
        Stream { handle, id, headers, part: Bytes::new() }
    }

    /// The number of the stream in its connection: odd if the client opened it, and growing.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// The headers that the stream was opened with.
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// Ends the writing direction when all that was written is sent, and does not wait for that. Dropping the stream
    /// then discards nothing that was written.
    pub(crate) fn finish(&mut self) {
        self.handle.mux.finish(self.id);
    }

    /// Ends the writing direction of a stream that is never read: dropping it then sends nothing more.
    pub(crate) fn finish_write_only(&mut self) {
        self.handle.mux.set_write_only(self.id);
        self.finish();
    }

    /// Discards what arrives on a stream that is only written, so that it holds up no other one.
    pub(crate) fn ignore_input(&mut self) {
        self.handle.mux.ignore_input(self.id);
    }

    /// Holds all that arrives, read or not, so that the stream holds up no other one. More bytes end the connection.
    pub(crate) fn hold_whole(&mut self, bytes: usize) {
        self.handle.mux.hold_whole(self.id, bytes);
    }

    /// Returns true if the peer has reset the stream because it needs it no more, as Go's servers do at their end.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.handle.mux.reset_reason(self.id) == Some(status::CANCEL)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.handle.mux.release(self.id);
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.part.is_empty() && buffer.remaining() > 0 {
            self.part = ready!(self.handle.mux.poll_part(self.id, context))?;
        }
        let count = self.part.len().min(buffer.remaining());
        put(&self.part[..count], buffer);
        self.part.advance(count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        self.handle.mux.poll_write(self.id, context, data)
    }

    /// Waits until all that was written is handed to the connection.
    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.handle.mux.poll_sent(self.id, context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.handle.mux.finish(self.id);
        self.handle.mux.poll_sent(self.id, context)
    }
}

impl Mux {
    /// Takes bytes that have arrived; none at the end.
    fn poll_part(&self, id: u32, context: &mut Context<'_>) -> Poll<io::Result<Bytes>> {
        let mut locked = self.lock();
        let state = &mut *locked;
        let Some(stream) = state.streams.get_mut(&id) else { return Poll::Ready(Err(gone())) };
        let limit = state.limits.received;
        let was_full = stream.is_full(limit);
        let part = stream.take_received();
        if !part.is_empty() {
            if let Some(delta) = stream.take_consumed(limit) {
                state.commands.push_back(Frame::WindowUpdate { id, delta });
                state.wake_driver();
            }
            if was_full {
                self.tell();
            }
            return Poll::Ready(Ok(part));
        }
        if stream.is_read_to_end() {
            return Poll::Ready(Ok(Bytes::new()));
        }
        if let Some(reason) = stream.reset {
            return Poll::Ready(Err(reset(reason, io::ErrorKind::ConnectionReset)));
        }
        match &state.ended {
            None => stream.wait_to_read(context.waker()),
            // Channels end with their connection.
            Some(Ended::Complete) if !state.resets => return Poll::Ready(Ok(Bytes::new())),
            Some(Ended::Complete) => {
                let error = Error::connection("the connection was closed before the stream ended");
                return Poll::Ready(Err(error.into_io(io::ErrorKind::UnexpectedEof)));
            }
            Some(ended) => return Poll::Ready(Err(ended.error().into_io(io::ErrorKind::ConnectionAborted))),
        }
        Poll::Pending
    }

    fn poll_write(&self, id: u32, context: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        let mut state = self.lock();
        let (ended, is_closing) = (state.ended.clone(), state.is_closing);
        let Some(stream) = state.streams.get_mut(&id) else { return Poll::Ready(Err(gone())) };
        if let Some(reason) = stream.reset {
            return Poll::Ready(Err(reset(reason, io::ErrorKind::BrokenPipe)));
        }
        if stream.is_finishing {
            let error = Error::connection("the stream is shut down for writing");
            return Poll::Ready(Err(error.into_io(io::ErrorKind::BrokenPipe)));
        }
        if let Some(ended) = ended {
            return Poll::Ready(Err(ended.error().into_io(io::ErrorKind::BrokenPipe)));
        }
        if is_closing {
            let error = Error::connection("the connection is closing and takes nothing more");
            return Poll::Ready(Err(error.into_io(io::ErrorKind::BrokenPipe)));
        }
        let count = data.len().min(stream.room());
        if count == 0 && !data.is_empty() {
            stream.wait_to_write(context.waker());
            return Poll::Pending;
        }
        stream.write(&data[..count]);
        let is_scheduled = state.schedule(id);
        drop(state);
        if is_scheduled {
            self.send_now();
        }
        Poll::Ready(Ok(count))
    }

    /// Waits until nothing of a stream waits to be sent.
    fn poll_sent(&self, id: u32, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.lock();
        let ended = state.ended.clone();
        let Some(stream) = state.streams.get_mut(&id) else { return Poll::Ready(Err(gone())) };
        if stream.needs_no_end(matches!(ended, Some(Ended::Complete))) {
            return Poll::Ready(Ok(()));
        }
        if let Some(reason) = stream.reset {
            return Poll::Ready(Err(reset(reason, io::ErrorKind::BrokenPipe)));
        }
        if stream.is_sent() {
            return Poll::Ready(Ok(()));
        }
        if let Some(ended) = ended {
            return Poll::Ready(Err(ended.error().into_io(io::ErrorKind::BrokenPipe)));
        }
        stream.wait_to_write(context.waker());
        Poll::Pending
    }

    /// Ends the writing direction of a stream.
    fn finish(&self, id: u32) {
        let mut state = self.lock();
        if let Some(stream) = state.streams.get_mut(&id) {
            stream.is_finishing = true;
            if state.schedule(id) {
                state.wake_driver();
            }
        }
    }

    fn set_write_only(&self, id: u32) {
        if let Some(stream) = self.lock().streams.get_mut(&id) {
            stream.is_write_only = true;
        }
    }

    fn ignore_input(&self, id: u32) {
        if let Some(stream) = self.lock().streams.get_mut(&id) {
            stream.ignore_input();
        }
        self.tell();
    }

    fn hold_whole(&self, id: u32, bytes: usize) {
        if let Some(stream) = self.lock().streams.get_mut(&id) {
            stream.whole = Some(bytes);
        }
        self.tell();
    }

    fn reset_reason(&self, id: u32) -> Option<u32> {
        self.lock().streams.get(&id).and_then(|stream| stream.reset)
    }

    fn release(&self, id: u32) {
        let mut state = self.lock();
        state.release(id);
        state.wake_driver();
        drop(state);
        self.tell();
    }
}

/// The error of a stream that was reset.
fn reset(reason: u32, kind: io::ErrorKind) -> io::Error {
    let error = Error::refused(format!("the stream was reset: {}", status::words(reason)));
    error.into_io(kind)
}

/// The error of a stream whose connection does not have it.
fn gone() -> io::Error {
    Error::connection("the stream is not open").into_io(io::ErrorKind::NotConnected)
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").field("id", &self.id).field("headers", &self.headers).finish_non_exhaustive()
    }
}
