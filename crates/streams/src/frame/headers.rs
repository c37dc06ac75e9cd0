//! [`Headers`] of a stream, and the name/value header blocks in which SPDY sends them.
//!
//! All header blocks of one direction of a connection are one zlib stream, so a block that cannot be read ends the
//! connection. The dictionary is that of the draft.

use bytes::{Buf as _, BufMut as _};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use super::dictionary::DICTIONARY;
use crate::error::Error;

/// The largest header block after decompression, in bytes. Headers of Kubernetes' streams have some dozen.
pub(crate) const MAX_BLOCK: usize = 64 * 1024;

/// The largest number of headers in a block. Each name is compared with those before it.
const MAX_HEADERS: usize = 256;

/// Names and values that a stream is opened with. Names are compared without regard to case, and sent in lower case.
///
/// ```
/// let headers: klient_streams::spdy::Headers = [("streamType", "data"), ("port", "80")].into_iter().collect();
/// assert_eq!(headers.get("streamtype"), Some("data"));
/// assert_eq!(headers.iter().count(), 2);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    /// The value of a header, if there is one.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// All headers, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Headers {
    /// Makes headers of names and values; of several with one name, the first is kept.
    fn from_iter<I: IntoIterator<Item = (N, V)>>(headers: I) -> Self {
        let mut all = Headers::default();
        for (name, value) in headers {
            let name = name.into().to_ascii_lowercase();
            if all.get(&name).is_none() {
                all.0.push((name, value.into()));
            }
        }
        all
    }
}

/// The compressor of one direction of a connection.
pub(super) struct HeaderEncoder(Compress);

impl HeaderEncoder {
    pub(super) fn new() -> Self {
        let mut compress = Compress::new(Compression::default(), true);
        compress.set_dictionary(&DICTIONARY).expect("the stream has not begun, so a dictionary can be set");
        HeaderEncoder(compress)
    }

    /// The block of some headers.
    pub(super) fn encode(&mut self, headers: &Headers) -> Vec<u8> {
        let mut plain = Vec::new();
        plain.put_u32(length(headers.0.len()));
        for (name, value) in headers.iter() {
            for text in [name, value] {
                plain.put_u32(length(text.len()));
                plain.put_slice(text.as_bytes());
            }
        }
        let mut block = Vec::with_capacity(plain.len() + 64);
        let mut rest = plain.as_slice();
        loop {
            let before = self.0.total_in();
            let flushed = self.0.compress_vec(rest, &mut block, FlushCompress::Sync);
            flushed.expect("a compressor that has room for its output does not fail");
            let taken = usize::try_from(self.0.total_in() - before).expect("no more is taken than given");
            rest = &rest[taken..];
            // A flush is complete when it leaves room.
            if rest.is_empty() && block.len() < block.capacity() {
                return block;
            }
            block.reserve(256);
        }
    }
}

/// The decompressor of one direction of a connection.
pub(super) struct HeaderDecoder(Decompress);

impl HeaderDecoder {
    pub(super) fn new() -> Self {
        HeaderDecoder(Decompress::new(true))
    }

    /// Reads a block.
    pub(super) fn decode(&mut self, block: &[u8]) -> Result<Headers, Error> {
        parse(&self.inflate(block)?)
    }

    /// Decompresses a block, up to [`MAX_BLOCK`].
    fn inflate(&mut self, block: &[u8]) -> Result<Vec<u8>, Error> {
        let mut plain = Vec::with_capacity(1024);
        let mut rest = block;
        loop {
            let (before, had) = (self.0.total_in(), plain.len());
            let result = self.0.decompress_vec(rest, &mut plain, FlushDecompress::Sync);
            let taken = usize::try_from(self.0.total_in() - before).expect("no more is taken than given");
            rest = &rest[taken..];
            match result {
                Ok(Status::StreamEnd) => return Err(broken("ends the compression")),
                Ok(_) => {}
                Err(error) if error.needs_dictionary().is_some() => {
                    let set = self.0.set_dictionary(&DICTIONARY);
                    set.map_err(|_| broken("has another dictionary than SPDY/3.1"))?;
                    continue;
                }
                Err(_) => return Err(broken("cannot be decompressed")),
            }
            if plain.len() > MAX_BLOCK {
                return Err(Error::protocol(format!("a header block is larger than {MAX_BLOCK} bytes")));
            }
            if plain.len() < plain.capacity() {
                return if rest.is_empty() { Ok(plain) } else { Err(broken("cannot be decompressed")) };
            }
            if taken == 0 && plain.len() == had && rest.is_empty() {
                return Ok(plain);
            }
            plain.reserve(plain.len().max(1024));
        }
    }
}

/// Reads the names and values of a decompressed block.
fn parse(mut block: &[u8]) -> Result<Headers, Error> {
    let count = number(&mut block)?;
    if count > MAX_HEADERS {
        return Err(Error::protocol(format!("a header block has more than {MAX_HEADERS} headers")));
    }
    // Each header has two lengths.
    if count > block.len() / 8 {
        return Err(broken("ends within a header"));
    }
    let mut headers = Headers::default();
    for _ in 0..count {
        let name = text(&mut block)?;
        if name.is_empty() || name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(broken("has a name that is empty or not in lower case"));
        }
        if headers.get(&name).is_some() {
            return Err(broken("has two headers of one name"));
        }
        let value = text(&mut block)?;
        headers.0.push((name, value));
    }
    if block.is_empty() { Ok(headers) } else { Err(broken("goes on after its last header")) }
}

fn number(block: &mut &[u8]) -> Result<usize, Error> {
    let number = block.try_get_u32().map_err(|_| broken("ends within a header"))?;
    usize::try_from(number).map_err(|_| broken("ends within a header"))
}

fn text(block: &mut &[u8]) -> Result<String, Error> {
    let length = number(block)?;
    let (text, rest) = block.split_at_checked(length).ok_or_else(|| broken("ends within a header"))?;
    *block = rest;
    String::from_utf8(text.to_vec()).map_err(|_| broken("has a header that is no UTF-8"))
}

fn broken(fault: &str) -> Error {
    Error::protocol(format!("a header block {fault}"))
}

fn length(length: usize) -> u32 {
    u32::try_from(length).expect("headers that are sent are short")
}
