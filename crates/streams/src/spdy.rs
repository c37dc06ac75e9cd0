//! SPDY/3.1: streams in both directions over one connection, which either end may open.
//!
//! Kubernetes uses it for exec, attach and port-forward, behind `Upgrade: SPDY/3.1` or within a
//! [tunnel](crate::websocket::Tunnel) over WebSocket.

mod driver;
mod queue;
mod sending;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use crate::connection::Connection;
use crate::error::Error;
use crate::frame::{Frame, INITIAL_WINDOW_SIZE, MAX_BLOCK};
use crate::mux::{Handle, Limits, Mux, Role};
use sending::Frames;

pub use crate::frame::Headers;
pub use crate::mux::Stream;

/// The time that the peer has to accept a stream, or to open those that a protocol needs.
pub(crate) const CREATION_TIMEOUT: Duration = Duration::from_secs(30);

/// Settings of a [`Session`].
#[derive(Clone, Debug)]
pub struct Options {
    /// The number of bytes that a stream holds for its reader, and its window.
    pub stream_buffer: u32,
    /// The number of streams that are open at a time. Streams that the peer opens beyond it are refused.
    pub max_streams: usize,
    /// Lets the peer open streams, which [`Session::accept`] returns. Without it they are refused at once, and nothing of
    /// them is held: a client of Kubernetes' protocols opens all streams itself.
    pub accept_streams: bool,
    /// The interval of pings, which keep proxies from closing an idle connection.
    pub ping_interval: Option<Duration>,
    /// The time after which the connection is closed without any frame in either direction. Own pings and the answers to
    /// them do not count; those of the peer do.
    pub idle_timeout: Option<Duration>,
    /// The time that the peer has to accept a stream.
    pub creation_timeout: Duration,
}

impl Default for Options {
    /// A buffer of 256 KiB, 512 streams, which either end opens, pings every 10 s, no idle time-out, 30 s for the creation
    /// of a stream.
    fn default() -> Self {
        Options {
            stream_buffer: 256 * 1024,
            max_streams: 512,
            accept_streams: true,
            ping_interval: Some(Duration::from_secs(10)),
            idle_timeout: None,
            creation_timeout: CREATION_TIMEOUT,
        }
    }
}

/// One end of a connection of SPDY/3.1.
///
/// # Back-pressure
///
/// Memory is bounded against every peer: a stream holds [`Options::stream_buffer`] bytes for its reader (a peer that
/// does not heed windows can go beyond them by one frame) and 256 KiB of its writer, which waits when they are full.
///
/// - **Between two klients**, each stream has a window: a stream that nobody reads stops only its own writer, and other
///   streams go on. Both ends announce their windows in a `SETTINGS` frame before anything else, and heed those of a
///   peer that has done so.
/// - **Go's peers** (moby/spdystream in kubelet, container runtimes and kubectl) neither announce, send nor heed windows.
///   klient sends to them without waiting for windows, and a slow peer stops it through the connection itself. When a
///   stream that such a peer sends on is full, klient stops reading the connection until somebody reads that stream or
///   drops it: an unread stream holds up the others, after `stream_buffer` bytes. Such a peer does the same
///   after 50 frames.
///
/// # Lifetime
///
/// The session has one task, which ends with the last handle: the session and its streams. Then the connection is
/// dropped without a goodbye, which peers take as the end. [`close`](Self::close) sends what waits first.
///
/// Streams that the peer opens wait for [`accept`](Self::accept), [`Options::max_streams`] at most. When the session is
/// dropped and streams of it remain, those that wait are refused, and so are all that the peer opens later.
pub struct Session {
    handle: Arc<Handle>,
    creation_timeout: Duration,
}

/// A stream that the peer wants to open. Dropping it refuses the stream.
pub struct Incoming {
    stream: Stream,
    handle: Arc<Handle>,
}

impl Session {
    /// Begins the client's end on a connection that is switched to SPDY.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn client(connection: impl Connection, options: &Options) -> Self {
        Self::start(Box::new(connection), Role::Client, options)
    }

    /// Begins the server's end.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn server(connection: impl Connection, options: &Options) -> Self {
        Self::start(Box::new(connection), Role::Server, options)
    }

    fn start(connection: crate::connection::BoxConnection, role: Role, options: &Options) -> Self {
        let received = usize::try_from(options.stream_buffer).unwrap_or(usize::MAX);
        let limits = Limits { received, streams: options.max_streams };
        let (read_half, write_half) = tokio::io::split(connection);
        let activity = driver::Activity::begin();
        let sending = Frames::new(write_half, role, activity.clone());
        let mux = Arc::new(Mux::new(role, limits, Box::new(sending)));
        if !options.accept_streams {
            mux.refuse_streams();
        }
        mux.send(Frame::Settings(vec![(INITIAL_WINDOW_SIZE, options.stream_buffer)]));
        let times = driver::Times { ping: options.ping_interval, idle: options.idle_timeout };
        let task = tokio::spawn(driver::drive(read_half, mux.clone(), role, times, activity)).abort_handle();
        Session { handle: Arc::new(Handle { mux, task }), creation_timeout: options.creation_timeout }
    }

    /// Opens a stream, and waits until the peer accepts it.
    ///
    /// # Errors
    ///
    /// [`Refused`](crate::ErrorKind::Refused) if the peer does not accept it or the connection has too many streams,
    /// [`Timeout`](crate::ErrorKind::Timeout), or the error of the connection.
    pub async fn open(&self, headers: Headers) -> Result<Stream, Error> {
        let stream = self.begin_open(headers)?;
        self.opened(stream).await
    }

    /// Opens a stream that the peer has still to accept: see [`opened`](Self::opened).
    pub(crate) fn begin_open(&self, headers: Headers) -> Result<Stream, Error> {
        let size: usize = headers.iter().map(|(name, value)| name.len() + value.len() + 8).sum();
        if size + 4 > MAX_BLOCK {
            return Err(Error::protocol(format!(
                "the headers of a stream are larger than {MAX_BLOCK} bytes"
            )));
        }
        let id = self.handle.mux.open(&headers)?;
        Ok(Stream::new(self.handle.clone(), id, headers))
    }

    /// Waits until the peer accepts a stream. Data that is sent before is lost at Go's peers.
    pub(crate) async fn opened(&self, stream: Stream) -> Result<Stream, Error> {
        match timeout(self.creation_timeout, self.handle.mux.accepted(stream.id())).await {
            Ok(accepted) => accepted.map(|()| stream),
            Err(_) => {
                let seconds = self.creation_timeout.as_secs_f32();
                Err(Error::timeout(format!("the peer did not accept a stream within {seconds} s")))
            }
        }
    }

    /// Waits for a stream that the peer opens; none when the peer opens no more or the connection has ended, whose reason
    /// is that of [`ended`](Self::ended). It never returns one without [`Options::accept_streams`].
    pub async fn accept(&self) -> Option<Incoming> {
        let (id, headers) = self.handle.mux.incoming().await?;
        let stream = Stream::new(self.handle.clone(), id, headers);
        Some(Incoming { stream, handle: self.handle.clone() })
    }

    /// Waits until everything that was written to the streams is sent, says goodbye and closes the connection. It waits
    /// for the peer to close it too, at most 10 s, so that the peer loses nothing that is on its way.
    ///
    /// # Errors
    ///
    /// If the connection breaks before all is sent.
    pub async fn close(self) -> Result<(), Error> {
        self.handle.close().await
    }

    /// Returns true if the connection has ended, or the peer has said goodbye.
    pub fn is_ended(&self) -> bool {
        self.handle.mux.is_ended()
    }

    /// Waits for the end of the connection.
    ///
    /// # Errors
    ///
    /// If it did not end by a goodbye, or by the peer's closing it between two frames.
    pub async fn ended(&self) -> Result<(), Error> {
        self.handle.ended().await
    }

    pub(crate) fn handle(&self) -> &Arc<Handle> {
        &self.handle
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.handle.mux.refuse_streams();
    }
}

impl Incoming {
    /// The headers that the peer opens the stream with.
    pub fn headers(&self) -> &Headers {
        self.stream.headers()
    }

    /// The number of the stream in its connection.
    pub fn id(&self) -> u32 {
        self.stream.id()
    }

    /// Accepts the stream.
    pub fn accept(self) -> Stream {
        self.handle.mux.accept(self.stream.id());
        self.stream
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Session")
    }
}

impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming").field("headers", self.headers()).finish_non_exhaustive()
    }
}
