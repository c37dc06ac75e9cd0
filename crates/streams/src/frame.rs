//! [`Frame`], a frame of SPDY/3.1, with its [`Encoder`] and [`Decoder`]. They do no I/O.
//!
//! Peers are Go programs with moby/spdystream, so what it does counts more than the draft:
//!
//! - it closes the connection at a control frame of a type that it does not know; only the types below are sent;
//! - it parses `SETTINGS` and `WINDOW_UPDATE` frames, and ignores them;
//! - it reads no frame behind a `GOAWAY`.

mod decoder;
mod dictionary;
mod encoder;
mod headers;
#[cfg(test)]
mod tests;

use bytes::Bytes;

pub(crate) use decoder::Decoder;
pub(crate) use encoder::Encoder;
pub use headers::Headers;
pub(crate) use headers::MAX_BLOCK;

/// The version in control frames.
const VERSION: u16 = 3;

/// The largest control frame, in bytes without its head. It can hold any header block that is accepted: zlib expands
/// what it cannot compress by less than a thousandth.
const MAX_CONTROL: usize = MAX_BLOCK + 1024;

/// The largest part of a stream's data that is sent in one frame, in bytes, so that streams take turns.
pub(crate) const MAX_DATA: usize = 32 * 1024;

/// The id of the setting that announces the window of new streams.
pub(crate) const INITIAL_WINDOW_SIZE: u32 = 7;

/// The largest window of a stream, in bytes.
pub(crate) const MAX_WINDOW: u32 = 0x7fff_ffff;

/// The largest id of a stream.
pub(crate) const MAX_ID: u32 = 0x7fff_ffff;

/// A frame. Ids are those of streams: odd ones are opened by the client, even ones by the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    /// Opens a stream.
    SynStream { id: u32, headers: Headers, fin: bool, unidirectional: bool },
    /// Accepts a stream.
    SynReply { id: u32, headers: Headers, fin: bool },
    /// Ends both directions of a stream.
    RstStream { id: u32, status: u32 },
    /// Settings of the sender, by id.
    Settings(Vec<(u32, u32)>),
    /// A sign of life, which the peer sends back unless the id is one of its own.
    Ping(u32),
    /// The end of the connection: the last stream that the sender has accepted, and 0 if there is no error.
    GoAway { last: u32, status: u32 },
    /// More headers of a stream.
    Headers { id: u32, headers: Headers, fin: bool },
    /// More bytes that the peer may send on a stream.
    WindowUpdate { id: u32, delta: u32 },
    /// Data of a stream. The decoder passes on the parts of a frame as they arrive. If it is sent on a channel in binary and
    /// is not empty, it begins with the byte of the channel.
    Data { id: u32, data: Bytes, fin: bool },
}

/// The reasons of a [`Frame::RstStream`].
pub(crate) mod status {
    pub(crate) const PROTOCOL_ERROR: u32 = 1;
    pub(crate) const REFUSED_STREAM: u32 = 3;
    pub(crate) const CANCEL: u32 = 5;
    pub(crate) const FLOW_CONTROL_ERROR: u32 = 7;

    /// A reason in words.
    pub(crate) fn words(status: u32) -> &'static str {
        match status {
            PROTOCOL_ERROR => "protocol error",
            REFUSED_STREAM => "refused",
            CANCEL => "cancelled",
            FLOW_CONTROL_ERROR => "more data than its window",
            _ => "reset",
        }
    }
}

/// The types of control frames.
mod kind {
    pub(super) const SYN_STREAM: u16 = 1;
    pub(super) const SYN_REPLY: u16 = 2;
    pub(super) const RST_STREAM: u16 = 3;
    pub(super) const SETTINGS: u16 = 4;
    pub(super) const PING: u16 = 6;
    pub(super) const GOAWAY: u16 = 7;
    pub(super) const HEADERS: u16 = 8;
    pub(super) const WINDOW_UPDATE: u16 = 9;
}

/// The flags of frames.
mod flag {
    pub(super) const FIN: u8 = 1;
    pub(super) const UNIDIRECTIONAL: u8 = 2;
}
