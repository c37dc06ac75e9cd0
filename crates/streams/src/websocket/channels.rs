//! Channels over WebSocket: the first byte of a message names the channel, the rest is its data.
//!
//! Messages on unknown channels are dropped. A text message is an error, but for channels in base64, where Go's servers
//! send text. In `v5.channel.k8s.io` a client ends a channel by a message on the channel 255 whose data is its number;
//! all other channels end with the connection.
//!
//! Channels have no windows, so a channel that nobody reads holds up the others once its buffer is full; pings of the
//! peer are then not answered either. A channel whose handle is dropped drops its data and holds up nobody.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use tungstenite::Message;
use tungstenite::protocol::frame::coding::CloseCode;

use super::socket::{Received, WebSocket};
use crate::connection::BoxConnection;
use crate::error::Error;
use crate::frame::{Frame, Headers};
use crate::mux::{Ended, Handle, Limits, Mux, Role, Sending, Stream};
use crate::read_buffer::ReadBuffer;

/// The channel that ends another one.
const CLOSE: u8 = 255;

/// The interval of pings, as client-go's.
const PING: Duration = Duration::from_secs(5);

/// The time without a message or pong after which a client gives up, as client-go's: twelve pings.
const CLIENT_DEADLINE: Duration = Duration::from_secs(61);

/// The time after which a server gives up. A client that waits for its own reader answers no pings, so it is kubelet's
/// idle time-out.
const SERVER_DEADLINE: Duration = Duration::from_secs(4 * 60 * 60);

/// The number of bytes that a channel holds for its reader.
const BUFFER: usize = 256 * 1024;

/// The time in which the peer has to close a connection after the closing handshake has begun.
const LINGER: Duration = Duration::from_secs(10);

/// The time for telling the peer of the end.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The form of messages.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Codec {
    /// Channels are digits, and data is in base64.
    pub(crate) base64: bool,
    /// A client can end channels.
    pub(crate) half_close: bool,
}

/// Begins one end of a connection that is switched to WebSocket, and opens its channels.
pub(crate) fn open(
    connection: BoxConnection,
    role: Role,
    codec: Codec,
    channels: &[u8],
) -> (Arc<Handle>, Vec<Stream>) {
    let limits = Limits { received: BUFFER, streams: channels.len() };
    let websocket = Shared(Arc::new(Mutex::new(WebSocket::new(connection, role))));
    let sending = Messages { websocket: websocket.clone(), role, codec };
    let ids = channels.iter().map(|id| (u32::from(*id), (!codec.base64).then_some(*id)));
    let mux = Arc::new(Mux::of_channels(limits, ids, Box::new(sending)));
    let task = tokio::spawn(drive(websocket, mux.clone(), role, codec)).abort_handle();
    let handle = Arc::new(Handle { mux, task });
    let open = |id: &u8| Stream::new(handle.clone(), u32::from(*id), Headers::default());
    let streams = channels.iter().map(open).collect();
    (handle, streams)
}

/// Sends an empty message on a channel, which tells old clients that the connection stands.
pub(crate) fn greet(handle: &Handle, channel: u8) {
    handle.mux.send(Frame::Data { id: u32::from(channel), data: Bytes::new(), fin: false });
}

/// Reads and writes the messages of a connection until it ends.
async fn drive(websocket: Shared, mux: Arc<Mux>, role: Role, codec: Codec) {
    let mut reading = pin!(read(websocket, &mux, role, codec));
    let mut writing = pin!(mux.send_all());
    let ended = tokio::select! {
        read = &mut reading => {
            let ended = read.map_or_else(Ended::Failed, |()| Ended::Complete);
            mux.end(ended.clone());
            mux.close_at_once(0);
            // The closing handshake.
            let _ = timeout(LAST_WORDS, writing).await;
            ended
        }
        written = &mut writing => match written {
            Ok(()) => {
                let _ = timeout(LINGER, reading).await;
                Ended::Complete
            }
            // A peer that has closed its end may have sent a result before.
            Err(error) => {
                if role == Role::Server {
                    mux.lose(error.clone());
                }
                match timeout(LINGER, reading).await {
                    Ok(Ok(())) => Ended::Complete,
                    Ok(Err(error)) => Ended::Failed(error),
                    Err(_) => Ended::Failed(error),
                }
            }
        },
        never = pings(&mux) => match never {},
    };
    mux.end(ended);
    mux.hang_up();
}

/// Sends pings.
async fn pings(mux: &Mux) -> Infallible {
    let mut ticks = interval_at(Instant::now() + PING, PING);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        mux.ping();
    }
}

/// Reads messages until the peer closes the WebSocket.
async fn read(websocket: Shared, mux: &Mux, role: Role, codec: Codec) -> Result<(), Error> {
    let deadline = if role == Role::Client { CLIENT_DEADLINE } else { SERVER_DEADLINE };
    let mut copies = ReadBuffer::default();
    loop {
        let message = mux.reading(poll_fn(|context| websocket.lock().poll_read(context)));
        let Ok(message) = timeout(deadline, message).await else {
            let seconds = deadline.as_secs();
            return Err(Error::timeout(format!("the peer has sent nothing for {seconds} s")));
        };
        let frame = match message? {
            Received::Data(data) => decode(&data, codec, &mut copies)?,
            Received::Text(text) if codec.base64 => decode(&text, codec, &mut copies)?,
            Received::Text(_) => return Err(Error::protocol("the peer sent a text message")),
            Received::SignOfLife => continue,
            Received::End => return Ok(()),
        };
        if let Some(frame) = frame
            && mux.receive(frame)?
        {
            mux.wake_readers();
            mux.room(role).await?;
        }
    }
}

/// A WebSocket that the task of a connection reads, and all who write send to.
#[derive(Clone)]
struct Shared(Arc<Mutex<WebSocket>>);

impl Shared {
    fn lock(&self) -> MutexGuard<'_, WebSocket> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The messages of frames, as they are sent.
struct Messages {
    websocket: Shared,
    role: Role,
    codec: Codec,
}

impl Sending for Messages {
    fn push(&mut self, frame: Frame) {
        let mut websocket = self.websocket.lock();
        let (id, data, fin) = match frame {
            Frame::Data { id, data, fin } => (id, data, fin),
            Frame::Ping(_) => return websocket.push(Message::Ping(Bytes::new())),
            // The end of the connection, and that of a handle, are told otherwise.
            _ => return,
        };
        let channel = u8::try_from(id).expect("channels are bytes");
        if !(fin && data.is_empty()) {
            websocket.push(encode(channel, data, self.codec));
        }
        if fin && self.codec.half_close && self.role == Role::Client {
            websocket.push(Message::Binary(Bytes::copy_from_slice(&[CLOSE, channel])));
        }
    }

    fn end(&mut self, has_failed: bool) {
        self.websocket.lock().close(if has_failed { CloseCode::Protocol } else { CloseCode::Normal });
    }

    fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.websocket.lock().poll_send(context)
    }
}

/// The message with some data of a channel.
fn encode(channel: u8, data: Bytes, codec: Codec) -> Message {
    if codec.base64 {
        let mut text = String::from(char::from(b'0' + channel));
        STANDARD.encode_string(data, &mut text);
        return Message::Text(text.into());
    }
    Message::Binary(if data.is_empty() { Bytes::copy_from_slice(&[channel]) } else { data })
}

/// The meaning of a message, if it has one. Its data is copied: while a part of tungstenite's buffer is held, tungstenite
/// moves the rest to a new one for each message.
fn decode(message: &[u8], codec: Codec, copies: &mut ReadBuffer) -> Result<Option<Frame>, Error> {
    let Some((first, data)) = message.split_first() else { return Ok(None) };
    if codec.half_close && *first == CLOSE {
        let [channel] = data else {
            let length = data.len();
            return Err(Error::protocol(format!("the end of a channel has {length} bytes in place of one")));
        };
        return Ok(Some(Frame::Data { id: u32::from(*channel), data: Bytes::new(), fin: true }));
    }
    if !codec.base64 {
        let data = copies.copy(data);
        return Ok(Some(Frame::Data { id: u32::from(*first), data, fin: false }));
    }
    let decoded = STANDARD.decode(data);
    let data = decoded.map_err(|error| Error::protocol(format!("a message is no base64: {error}")))?;
    Ok(Some(Frame::Data { id: u32::from(first.wrapping_sub(b'0')), data: data.into(), fin: false }))
}
