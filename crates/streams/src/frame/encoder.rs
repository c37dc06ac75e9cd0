//! [`Encoder`], the bytes of frames.

use bytes::{BufMut as _, BytesMut};

use super::headers::HeaderEncoder;
use super::{Frame, Headers, VERSION, flag, kind};

/// Encodes the frames of one direction of a connection.
pub(crate) struct Encoder(HeaderEncoder);

impl Encoder {
    pub(crate) fn new() -> Self {
        Encoder(HeaderEncoder::new())
    }

    /// Appends a frame; of data the head, behind which the data is to follow.
    pub(crate) fn encode(&mut self, frame: &Frame, out: &mut BytesMut) {
        match frame {
            Frame::SynStream { id, headers, fin, unidirectional } => {
                let flags = fin_flag(*fin) | if *unidirectional { flag::UNIDIRECTIONAL } else { 0 };
                let mut payload = id.to_be_bytes().to_vec();
                // No associated stream, the highest priority, no credential.
                payload.extend_from_slice(&[0; 6]);
                self.put_block(payload, headers, kind::SYN_STREAM, flags, out);
            }
            Frame::SynReply { id, headers, fin } => {
                self.put_block(id.to_be_bytes().to_vec(), headers, kind::SYN_REPLY, fin_flag(*fin), out);
            }
            Frame::Headers { id, headers, fin } => {
                self.put_block(id.to_be_bytes().to_vec(), headers, kind::HEADERS, fin_flag(*fin), out);
            }
            Frame::RstStream { id, status } => put_numbers(kind::RST_STREAM, &[*id, *status], out),
            Frame::Ping(id) => put_numbers(kind::PING, &[*id], out),
            Frame::GoAway { last, status } => put_numbers(kind::GOAWAY, &[*last, *status], out),
            Frame::WindowUpdate { id, delta } => put_numbers(kind::WINDOW_UPDATE, &[*id, *delta], out),
            Frame::Settings(settings) => {
                let count = u32::try_from(settings.len()).expect("there are few settings");
                let numbers = settings.iter().flat_map(|(id, value)| [*id, *value]);
                put_numbers(kind::SETTINGS, &[count].into_iter().chain(numbers).collect::<Vec<_>>(), out);
            }
            Frame::Data { id, data, fin } => {
                out.put_u32(*id);
                put_length(fin_flag(*fin), data.len(), out);
            }
        }
    }

    /// Appends a control frame that ends with a header block.
    fn put_block(&mut self, payload: Vec<u8>, headers: &Headers, kind: u16, flags: u8, out: &mut BytesMut) {
        let block = self.0.encode(headers);
        put_head(kind, flags, payload.len() + block.len(), out);
        out.put_slice(&payload);
        out.put_slice(&block);
    }
}

fn fin_flag(fin: bool) -> u8 {
    if fin { flag::FIN } else { 0 }
}

/// Appends a control frame of numbers.
fn put_numbers(kind: u16, numbers: &[u32], out: &mut BytesMut) {
    put_head(kind, 0, numbers.len() * 4, out);
    for number in numbers {
        out.put_u32(*number);
    }
}

fn put_head(kind: u16, flags: u8, length: usize, out: &mut BytesMut) {
    out.put_u16(0x8000 | VERSION);
    out.put_u16(kind);
    put_length(flags, length, out);
}

fn put_length(flags: u8, length: usize, out: &mut BytesMut) {
    let length = u32::try_from(length).ok().filter(|length| *length < 1 << 24);
    out.put_u32(u32::from(flags) << 24 | length.expect("frames that are sent are short"));
}
