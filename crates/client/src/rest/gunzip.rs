//! [`Gunzip`], a streaming decompressor.

use std::io::{self, Write};

use bytes::Bytes;
use flate2::write::MultiGzDecoder;

/// Decompresses data as it arrives. A stream may have several members: servers compress each event of a watch on its
/// own.
pub(super) struct Gunzip(MultiGzDecoder<Vec<u8>>);

impl Gunzip {
    pub(super) fn new() -> Self {
        Gunzip(MultiGzDecoder::new(Vec::new()))
    }

    /// Decompressed data of bytes that arrived; may be empty.
    pub(super) fn push(&mut self, compressed: &[u8]) -> io::Result<Bytes> {
        self.0.write_all(compressed)?;
        self.0.flush()?;
        Ok(std::mem::take(self.0.get_mut()).into())
    }

    /// The rest of the data, after the last byte.
    ///
    /// # Errors
    ///
    /// If the end is missing.
    pub(super) fn finish(&mut self) -> io::Result<Bytes> {
        self.0.try_finish()?;
        Ok(std::mem::take(self.0.get_mut()).into())
    }
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(text: &str) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text.as_bytes()).expect("a Vec takes all bytes");
        encoder.finish().expect("a Vec takes all bytes")
    }

    #[test]
    fn each_member_is_given_as_soon_as_it_has_arrived() {
        let mut gunzip = Gunzip::new();
        let events = ["{\"type\":\"ADDED\"}\n", "{\"type\":\"DELETED\"}\n", "", "last"];
        for event in events {
            assert_eq!(gunzip.push(&gzip(event)).expect("it is gzip"), event);
        }
        assert_eq!(gunzip.finish().expect("it has ended"), "");
    }

    #[test]
    fn what_is_cut_or_no_gzip_is_refused() {
        let whole = gzip(&"a long text that is cut; ".repeat(1000));
        let mut gunzip = Gunzip::new();
        gunzip.push(&whole[..whole.len() / 2]).expect("it may go on");
        assert!(gunzip.finish().is_err());
        assert!(Gunzip::new().push(b"{\"kind\":\"Pod\"}").is_err());
    }
}
