//! [`Upgraded`], a connection that a server has switched to another protocol than HTTP.

use std::fmt;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use http::HeaderMap;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::transport::BoxError;

/// A connection that the server has switched to another protocol: a stream of bytes in both directions, which is closed
/// when dropped. See [`Request::upgrade`](crate::Request::upgrade).
pub struct Upgraded {
    headers: HeaderMap,
    stream: TokioIo<hyper::upgrade::Upgraded>,
}

impl Upgraded {
    /// Takes the connection of a response with the code 101 (see [`Client::send`](crate::Client::send)).
    ///
    /// # Errors
    ///
    /// If the response has none, or the connection ended meanwhile.
    pub async fn of<B>(response: http::Response<B>) -> Result<Self, BoxError> {
        let headers = response.headers().clone();
        let stream = hyper::upgrade::on(response).await?;
        Ok(Upgraded { headers, stream: TokioIo::new(stream) })
    }

    /// The headers of the response, such as `Sec-WebSocket-Protocol`.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }
}

impl AsyncRead for Upgraded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Upgraded {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, data)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

impl fmt::Debug for Upgraded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Upgraded")
    }
}
