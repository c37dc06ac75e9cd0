//! [`Reader`] and [`Writer`], the ends of standard streams.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::mux::Stream;

/// The reading end of a standard stream.
///
/// Dropping it discards what arrives. Over SPDY, the peer's writes fail from then on, as those to a closed pipe.
#[derive(Debug)]
pub struct Reader(Stream);

/// The writing end of a standard stream.
///
/// `shutdown`, and dropping it, end the stream after all that was written is sent. It has 256 KiB of room; then it waits
/// until the peer reads.
#[derive(Debug)]
pub struct Writer(Stream);

impl Reader {
    pub(super) fn new(stream: Stream) -> Self {
        Reader(stream)
    }
}

impl Writer {
    pub(super) fn new(mut stream: Stream) -> Self {
        stream.ignore_input();
        Writer(stream)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.0.finish_write_only();
    }
}

impl AsyncRead for Reader {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match ready!(Pin::new(&mut self.0).poll_read(context, buffer)) {
            // Go's ends reset the streams that they do not need any more, in place of ending them.
            Err(_) if self.0.is_cancelled() => Poll::Ready(Ok(())),
            read => Poll::Ready(read),
        }
    }
}

impl AsyncWrite for Writer {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
