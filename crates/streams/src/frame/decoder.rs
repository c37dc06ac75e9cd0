//! [`Decoder`], frames from bytes as they arrive.

use bytes::{Buf as _, Bytes, BytesMut};

use super::headers::HeaderDecoder;
use super::{Frame, MAX_CONTROL, VERSION, flag, kind};
use crate::error::Error;

/// The length of the head of any frame, in bytes.
const HEAD: usize = 8;

/// Decodes the frames of one direction of a connection. After an error it must not be used any more: the header blocks
/// that follow cannot be read.
pub(crate) struct Decoder {
    headers: HeaderDecoder,
    /// The data frame whose end has not arrived yet.
    data: Option<DataFrame>,
    /// The bytes of a control frame of an unknown type that are still to come.
    skipped: usize,
}

struct DataFrame {
    id: u32,
    left: usize,
    fin: bool,
}

impl Decoder {
    pub(crate) fn new() -> Self {
        Decoder { headers: HeaderDecoder::new(), data: None, skipped: 0 }
    }

    /// Takes the next frame, or the next part of a data frame, from the bytes; without an end of a frame, the decoder
    /// needs more bytes.
    pub(crate) fn decode(&mut self, bytes: &mut BytesMut) -> Result<Option<Frame>, Error> {
        loop {
            if self.skipped > 0 {
                let skipped = self.skipped.min(bytes.len());
                bytes.advance(skipped);
                self.skipped -= skipped;
            }
            if self.data.is_some() {
                return Ok(self.next_part(bytes));
            }
            if bytes.len() < HEAD {
                return Ok(None);
            }
            let mut head = &bytes[..HEAD];
            let (first, second) = (head.get_u32(), head.get_u32());
            let flags = second.to_be_bytes()[0];
            let length = usize::try_from(second & 0x00ff_ffff).expect("24 bits fit");
            if first & 0x8000_0000 == 0 {
                if first == 0 {
                    return Err(Error::protocol("a data frame has no stream"));
                }
                bytes.advance(HEAD);
                self.data = Some(DataFrame { id: first, left: length, fin: flags & flag::FIN != 0 });
                continue;
            }
            let (version, kind) = (first >> 16 & 0x7fff, first & 0xffff);
            if version != u32::from(VERSION) {
                return Err(Error::protocol(format!("a frame has version {version} of SPDY, not {VERSION}")));
            }
            if length > MAX_CONTROL {
                return Err(Error::protocol(format!("a control frame is larger than {MAX_CONTROL} bytes")));
            }
            let kind = u16::try_from(kind).expect("16 bits fit");
            if !is_known(kind) {
                bytes.advance(HEAD);
                self.skipped = length;
                continue;
            }
            if bytes.len() < HEAD + length {
                return Ok(None);
            }
            bytes.advance(HEAD);
            let payload = bytes.split_to(length);
            return self.control(kind, flags, &payload).map(Some);
        }
    }

    /// Returns true if the bytes so far end between two frames.
    pub(crate) fn is_between_frames(&self, rest: &BytesMut) -> bool {
        rest.is_empty() && self.data.is_none() && self.skipped == 0
    }

    /// The part of a data frame that has arrived.
    fn next_part(&mut self, bytes: &mut BytesMut) -> Option<Frame> {
        let frame = self.data.as_mut()?;
        let part = frame.left.min(bytes.len());
        if part == 0 && frame.left > 0 {
            return None;
        }
        frame.left -= part;
        let (id, is_last) = (frame.id, frame.left == 0);
        let fin = is_last && frame.fin;
        let data: Bytes = bytes.split_to(part).freeze();
        if is_last {
            self.data = None;
        }
        Some(Frame::Data { id, data, fin })
    }

    fn control(&mut self, kind: u16, flags: u8, payload: &[u8]) -> Result<Frame, Error> {
        let fin = flags & flag::FIN != 0;
        let mut rest = payload;
        let frame = match kind {
            kind::SYN_STREAM => {
                let id = stream(&mut rest)?;
                let (_associated_stream, _priority_and_slot) = (number(&mut rest)?, short(&mut rest)?);
                let unidirectional = flags & flag::UNIDIRECTIONAL != 0;
                let headers = self.headers.decode(std::mem::take(&mut rest))?;
                Frame::SynStream { id, headers, fin, unidirectional }
            }
            kind::SYN_REPLY => {
                let id = stream(&mut rest)?;
                Frame::SynReply { id, headers: self.headers.decode(std::mem::take(&mut rest))?, fin }
            }
            kind::HEADERS => {
                let id = stream(&mut rest)?;
                Frame::Headers { id, headers: self.headers.decode(std::mem::take(&mut rest))?, fin }
            }
            kind::RST_STREAM => Frame::RstStream { id: stream(&mut rest)?, status: number(&mut rest)? },
            kind::PING => Frame::Ping(number(&mut rest)?),
            kind::GOAWAY => Frame::GoAway { last: number(&mut rest)?, status: number(&mut rest)? },
            kind::WINDOW_UPDATE => {
                // Id 0 stands for all streams together, whose window nobody heeds.
                Frame::WindowUpdate { id: number(&mut rest)?, delta: number(&mut rest)? & 0x7fff_ffff }
            }
            _ => {
                let count = number(&mut rest)?;
                let settings = std::iter::from_fn(|| {
                    // The first byte of an id is flags.
                    (rest.len() >= 8).then(|| (rest.get_u32() & 0x00ff_ffff, rest.get_u32()))
                });
                let settings: Vec<_> = settings.collect();
                if u32::try_from(settings.len()) != Ok(count) {
                    return Err(Error::protocol("a SETTINGS frame has another length than its settings"));
                }
                Frame::Settings(settings)
            }
        };
        if rest.is_empty() { Ok(frame) } else { Err(Error::protocol("a control frame is too long")) }
    }
}

fn is_known(kind: u16) -> bool {
    matches!(
        kind,
        kind::SYN_STREAM
            | kind::SYN_REPLY
            | kind::RST_STREAM
            | kind::SETTINGS
            | kind::PING
            | kind::GOAWAY
            | kind::HEADERS
            | kind::WINDOW_UPDATE
    )
}

fn number(rest: &mut &[u8]) -> Result<u32, Error> {
    rest.try_get_u32().map_err(|_| Error::protocol("a control frame is too short"))
}

fn short(rest: &mut &[u8]) -> Result<u16, Error> {
    rest.try_get_u16().map_err(|_| Error::protocol("a control frame is too short"))
}

fn stream(rest: &mut &[u8]) -> Result<u32, Error> {
    match number(rest)? & 0x7fff_ffff {
        0 => Err(Error::protocol("a control frame has no stream")),
        id => Ok(id),
    }
}
