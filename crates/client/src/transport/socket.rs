//! [`Socket`], the stream of bytes below TLS and HTTP.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::config::Stream;

/// A connection to a server or a proxy.
pub(super) struct Socket {
    stream: Kind,
    /// HTTP requests go to a proxy, and so name the host in their first line.
    takes_proxy_requests: bool,
}

enum Kind {
    Tcp(TcpStream),
    Tls(Box<TlsStream<Socket>>),
    Other(Box<dyn Stream>),
}

impl Socket {
    /// Any other stream than a TCP connection.
    pub(super) fn new(stream: Box<dyn Stream>) -> Self {
        Socket { stream: Kind::Other(stream), takes_proxy_requests: false }
    }

    /// A connection inside TLS.
    pub(super) fn encrypted(stream: TlsStream<Socket>) -> Self {
        Socket { stream: Kind::Tls(Box::new(stream)), takes_proxy_requests: false }
    }

    /// A connection to an HTTP proxy that is to receive the requests themselves.
    pub(super) fn with_proxy_requests(self) -> Self {
        Socket { takes_proxy_requests: true, ..self }
    }

    /// Returns true if HTTP requests go to a proxy, and so name the host in their first line.
    pub(super) fn takes_proxy_requests(&self) -> bool {
        self.takes_proxy_requests
    }

    /// Returns true if TLS has negotiated HTTP/2.
    pub(super) fn is_http2(&self) -> bool {
        matches!(&self.stream, Kind::Tls(stream) if stream.get_ref().1.alpn_protocol() == Some(b"h2"))
    }
}

impl From<TcpStream> for Socket {
    fn from(stream: TcpStream) -> Self {
        Socket { stream: Kind::Tcp(stream), takes_proxy_requests: false }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Kind::Tcp(stream) => Pin::new(stream).poll_read(context, buffer),
            Kind::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
            Kind::Other(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.stream {
            Kind::Tcp(stream) => Pin::new(stream).poll_write(context, data),
            Kind::Tls(stream) => Pin::new(stream).poll_write(context, data),
            Kind::Other(stream) => Pin::new(stream).poll_write(context, data),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Kind::Tcp(stream) => Pin::new(stream).poll_flush(context),
            Kind::Tls(stream) => Pin::new(stream).poll_flush(context),
            Kind::Other(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Kind::Tcp(stream) => Pin::new(stream).poll_shutdown(context),
            Kind::Tls(stream) => Pin::new(stream).poll_shutdown(context),
            Kind::Other(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.stream {
            Kind::Tcp(stream) => Pin::new(stream).poll_write_vectored(context, data),
            Kind::Tls(stream) => Pin::new(stream).poll_write_vectored(context, data),
            Kind::Other(stream) => Pin::new(stream).poll_write_vectored(context, data),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match &self.stream {
            Kind::Tcp(stream) => stream.is_write_vectored(),
            Kind::Tls(stream) => stream.is_write_vectored(),
            Kind::Other(stream) => stream.is_write_vectored(),
        }
    }
}
