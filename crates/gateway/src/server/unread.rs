//! [`Unread`], a connection that fails when its client takes nothing of a response.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_io_timeout::TimeoutWriter;

/// A connection whose writes fail when its client has taken nothing for some time, although something is to be written. Streams
/// have no such limit: they are counted, and whoever pauses a log or a shell finds it again.
pub(crate) struct Unread<S> {
    connection: Pin<Box<TimeoutWriter<S>>>,
    limit: Duration,
    is_stream: Arc<AtomicBool>,
    has_limit: bool,
}

impl<S: AsyncWrite> Unread<S> {
    /// A connection, whose limit is lifted while `is_stream` is true: the response is a stream, or the connection was switched.
    pub(crate) fn new(connection: S, limit: Duration, is_stream: Arc<AtomicBool>) -> Self {
        Unread { connection: Box::pin(TimeoutWriter::new(connection)), limit, is_stream, has_limit: false }
    }

    fn writer(&mut self) -> Pin<&mut TimeoutWriter<S>> {
        let has_limit = !self.is_stream.load(Ordering::Relaxed);
        if self.has_limit != has_limit {
            self.has_limit = has_limit;
            self.connection.as_mut().set_timeout_pinned(has_limit.then_some(self.limit));
        }
        self.connection.as_mut()
    }
}

impl<S: AsyncRead + AsyncWrite> AsyncRead for Unread<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.connection.as_mut().poll_read(context, into)
    }
}

impl<S: AsyncWrite> AsyncWrite for Unread<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.writer().poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.writer().poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.connection.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.writer().poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.writer().poll_shutdown(context)
    }
}
