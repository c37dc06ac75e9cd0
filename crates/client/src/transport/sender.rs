//! [`Sender`], the sending half of a connection.

use http::header::HOST;
use http::{HeaderValue, Request, Response, Uri, Version};
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};

use super::failure::is_unprocessed;
use super::socket::Socket;
use super::{BoxError, RequestBody};
use crate::config::Timeouts;
use crate::error::not_sent::NotSent;

/// Unread data of one HTTP/2 response: it bounds the memory that an unread response holds, and how much is under way on
/// a connection with a long round trip.
pub(super) const STREAM_WINDOW: u32 = 1 << 20;

/// Unread data of all responses of one connection. Responses that are not read never use it up, since all of them
/// together hold less; the rest is for those that were dropped while their data was under way.
pub(super) const CONNECTION_WINDOW: u32 = 128 << 20;

/// The sending half of a connection, which is closed when all of its halves are dropped and its responses have ended.
pub(super) enum Sender {
    /// Sends one request after another.
    Http1(Http1Sender),
    /// Sends many requests at a time.
    Http2(http2::SendRequest<RequestBody>),
}

/// The sending half of an HTTP/1.1 connection.
pub(super) struct Http1Sender {
    sender: http1::SendRequest<RequestBody>,
    /// Requests go to a proxy, and so name the server in their first line.
    names_server: bool,
}

impl Sender {
    /// Starts HTTP on a connection. Its task runs on the present runtime.
    pub(super) async fn start(socket: Socket, timeouts: &Timeouts) -> Result<Sender, hyper::Error> {
        let (is_http2, names_server) = (socket.is_http2(), socket.takes_proxy_requests());
        let io = TokioIo::new(socket);
        if is_http2 {
            let mut builder = http2::Builder::new(TokioExecutor::new());
            builder
                .timer(TokioTimer::new())
                .keep_alive_interval(timeouts.http2_read_idle)
                .keep_alive_timeout(timeouts.http2_ping)
                .keep_alive_while_idle(true)
                .initial_stream_window_size(STREAM_WINDOW)
                .initial_connection_window_size(CONNECTION_WINDOW);
            let (sender, connection) = builder.handshake(io).await?;
            tokio::spawn(ended(connection));
            return Ok(Sender::Http2(sender));
        }
        let (sender, connection) = http1::Builder::new().handshake(io).await?;
        tokio::spawn(ended(connection.with_upgrades()));
        Ok(Sender::Http1(Http1Sender { sender, names_server }))
    }
}

/// Runs a connection. Its requests report its errors.
async fn ended(connection: impl Future<Output = Result<(), hyper::Error>>) {
    if let Err(error) = connection.await {
        tracing::trace!(%error, "the connection has ended");
    }
}

impl Http1Sender {
    /// Sends a request, and waits for the head of its response.
    pub(super) async fn send(
        &mut self,
        mut request: Request<RequestBody>,
        host: &HeaderValue,
    ) -> Result<Response<Incoming>, Failed> {
        // A layer may have set another.
        *request.version_mut() = Version::HTTP_11;
        request.headers_mut().entry(HOST).or_insert_with(|| host.clone());
        let url = request.uri().clone();
        if !self.names_server {
            *request.uri_mut() = url.path_and_query().cloned().map_or_else(Uri::default, Uri::from);
        }
        self.sender.try_send_request(request).await.map_err(|error| {
            let mut failed = Failed::from(error);
            if let Some(request) = &mut failed.unprocessed {
                *request.uri_mut() = url;
            }
            failed
        })
    }

    /// Returns true if the connection waits for a request.
    pub(super) fn is_ready(&self) -> bool {
        self.sender.is_ready()
    }

    /// Returns true if the connection takes no more requests.
    pub(super) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// Waits until the response has ended; false if the connection takes no more requests.
    pub(super) async fn ready(&mut self) -> bool {
        self.sender.ready().await.is_ok()
    }
}

/// Sends a request over HTTP/2, and waits for the head of its response.
pub(super) async fn send_http2(
    mut sender: http2::SendRequest<RequestBody>,
    request: Request<RequestBody>,
) -> Result<Response<Incoming>, Failed> {
    let copy = request.clone();
    sender.try_send_request(request).await.map_err(|error| {
        let mut failed = Failed::from(error);
        if failed.unprocessed.is_none() && is_unprocessed(&*failed.error) {
            failed.unprocessed = Some(Box::new(copy));
        }
        failed
    })
}

/// The failure of a request.
pub(super) struct Failed {
    pub(super) error: BoxError,
    /// The request, if the server did not process it, so that it can be sent again.
    pub(super) unprocessed: Option<Box<Request<RequestBody>>>,
}

impl From<TrySendError<Request<RequestBody>>> for Failed {
    fn from(mut error: TrySendError<Request<RequestBody>>) -> Self {
        match error.take_message() {
            Some(request) => Failed {
                error: NotSent::Closed(error.into_error()).into(),
                unprocessed: Some(Box::new(request)),
            },
            None => Failed { error: error.into_error().into(), unprocessed: None },
        }
    }
}

impl From<BoxError> for Failed {
    fn from(error: BoxError) -> Self {
        Failed { error, unprocessed: None }
    }
}
