//! Channels over WebSocket: the first byte of a message names the channel, the rest is its data.
//!
//! Messages on unknown channels are dropped. A text message is an error, but for channels in base64, where Go's servers
//! send text. In `v5.channel.k8s.io` a client ends a channel by a message on the channel 255 whose data is its number;
//! all other channels end with the connection.
//!
//! Channels have no windows, so a channel that nobody reads holds up the others once its buffer is full; pings of the
//! peer are then not answered either. A channel whose handle is dropped drops its data and holds up nobody.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::{Received, WebSocket, failed, received};
use crate::connection::BoxConnection;
use crate::error::Error;
use crate::frame::{Frame, Headers};
use crate::mux::{Ended, Handle, Limits, Mux, Role, Stream};

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

/// The number of bytes that are written before a flush, about.
const WRITE_BUFFER: usize = 64 * 1024;

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
pub(crate) async fn open(
    connection: BoxConnection,
    role: Role,
    codec: Codec,
    channels: &[u8],
) -> (Arc<Handle>, Vec<Stream>) {
    let websocket = super::start(connection, role).await;
    let limits = Limits { received: BUFFER, streams: channels.len() };
    let mux = Arc::new(Mux::of_channels(limits, channels.iter().copied().map(u32::from)));
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
async fn drive(websocket: WebSocket, mux: Arc<Mux>, role: Role, codec: Codec) {
    let (sink, stream) = websocket.split();
    let deadline = if role == Role::Client { CLIENT_DEADLINE } else { SERVER_DEADLINE };
    let mut reading = pin!(read(stream, &mux, role, codec, deadline));
    let mut writing = pin!(write(sink, &mux, role, codec));
    let ended = tokio::select! {
        read = &mut reading => match read {
            Ok(()) => Ended::Complete,
            Err(error) => {
                mux.end(Ended::Failed(error.clone()));
                mux.close_after_violation();
                let _ = timeout(LAST_WORDS, writing).await;
                Ended::Failed(error)
            }
        },
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
    };
    mux.end(ended);
}

/// Reads messages until the peer closes the WebSocket.
async fn read(
    mut stream: SplitStream<WebSocket>,
    mux: &Mux,
    role: Role,
    codec: Codec,
    deadline: Duration,
) -> Result<(), Error> {
    loop {
        let Ok(message) = timeout(deadline, stream.next()).await else {
            let seconds = deadline.as_secs();
            return Err(Error::timeout(format!("the peer has sent nothing for {seconds} s")));
        };
        let data = match received(message)? {
            Received::Data(data) => data,
            Received::Text(text) if codec.base64 => text,
            Received::Text(_) => return Err(Error::protocol("the peer sent a text message")),
            Received::SignOfLife => continue,
            Received::End => {
                // tungstenite answers the closing handshake while it is read on.
                let _ = timeout(LAST_WORDS, stream.next()).await;
                return Ok(());
            }
        };
        if let Some(frame) = decode(data, codec)?
            && mux.receive(frame)?
        {
            mux.room(role).await?;
        }
    }
}

/// Writes messages and pings until the connection is to be closed, and begins the closing handshake.
async fn write(
    mut sink: SplitSink<WebSocket, Message>,
    mux: &Mux,
    role: Role,
    codec: Codec,
) -> Result<(), Error> {
    let mut pings = interval_at(Instant::now() + PING, PING);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let frames = tokio::select! {
            frames = mux.outgoing(WRITE_BUFFER) => frames,
            _ = pings.tick() => {
                sink.send(Message::Ping(Bytes::new())).await.map_err(failed)?;
                continue;
            }
        };
        let Some(frames) = frames else { break };
        for frame in frames {
            let Frame::Data { id, data, fin } = frame else { continue };
            let channel = u8::try_from(id).expect("channels are bytes");
            if !(fin && data.is_empty()) {
                sink.feed(encode(channel, &data, codec)).await.map_err(failed)?;
            }
            if fin && codec.half_close && role == Role::Client {
                let close = Message::Binary(Bytes::copy_from_slice(&[CLOSE, channel]));
                sink.feed(close).await.map_err(failed)?;
            }
        }
        sink.flush().await.map_err(failed)?;
    }
    let code = if mux.has_failed() { CloseCode::Protocol } else { CloseCode::Normal };
    let close = CloseFrame { code, reason: "".into() };
    sink.send(Message::Close(Some(close))).await.map_err(failed)
}

/// The message with some data of a channel.
fn encode(channel: u8, data: &[u8], codec: Codec) -> Message {
    if codec.base64 {
        let mut text = String::from(char::from(b'0' + channel));
        STANDARD.encode_string(data, &mut text);
        return Message::Text(text.into());
    }
    let mut message = BytesMut::with_capacity(data.len() + 1);
    message.put_u8(channel);
    message.put_slice(data);
    Message::Binary(message.freeze())
}

/// The meaning of a message, if it has one.
fn decode(mut message: Bytes, codec: Codec) -> Result<Option<Frame>, Error> {
    let Some((first, data)) = message.split_first() else { return Ok(None) };
    if codec.half_close && *first == CLOSE {
        let [channel] = data else {
            let length = data.len();
            return Err(Error::protocol(format!("the end of a channel has {length} bytes in place of one")));
        };
        return Ok(Some(Frame::Data { id: u32::from(*channel), data: Bytes::new(), fin: true }));
    }
    if !codec.base64 {
        let id = u32::from(*first);
        message.advance(1);
        return Ok(Some(Frame::Data { id, data: message, fin: false }));
    }
    let decoded = STANDARD.decode(data);
    let data = decoded.map_err(|error| Error::protocol(format!("a message is no base64: {error}")))?;
    Ok(Some(Frame::Data { id: u32::from(first.wrapping_sub(b'0')), data: data.into(), fin: false }))
}
