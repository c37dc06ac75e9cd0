//! [`Gunzip`], a streaming decompressor.

use std::io::{self, Write};

use bytes::{Buf as _, Bytes};
use flate2::write::MultiGzDecoder;

/// The number of decompressed bytes from which a part is complete: a kilobyte can become a megabyte.
const PART: usize = 1 << 20;

/// Decompresses data as it arrives. A stream may have several members: servers compress each event of a watch on its
/// own.
pub(super) struct Gunzip {
    decoder: MultiGzDecoder<Vec<u8>>,
    /// Data that has arrived and is not decompressed yet.
    arrived: Bytes,
}

impl Gunzip {
    pub(super) fn new() -> Self {
        Gunzip { decoder: MultiGzDecoder::new(Vec::new()), arrived: Bytes::new() }
    }

    /// Adds data that has arrived, when all before it is [decompressed](Self::part).
    pub(super) fn push(&mut self, arrived: Bytes) {
        self.arrived = arrived;
    }

    /// The next part of the decompressed data; empty when there is none of what has arrived.
    pub(super) fn part(&mut self) -> io::Result<Bytes> {
        if self.arrived.is_empty() {
            return Ok(Bytes::new());
        }
        while !self.arrived.is_empty() && self.decoder.get_ref().len() < PART {
            let taken = self.decoder.write(&self.arrived)?;
            if taken == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            self.arrived.advance(taken);
        }
        if self.arrived.is_empty() {
            self.decoder.flush()?;
        }
        Ok(std::mem::take(self.decoder.get_mut()).into())
    }

    /// The rest of the data, after the last byte.
    ///
    /// # Errors
    ///
    /// If the end is missing.
    pub(super) fn finish(&mut self) -> io::Result<Bytes> {
        self.decoder.try_finish()?;
        Ok(std::mem::take(self.decoder.get_mut()).into())
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

    fn push(gunzip: &mut Gunzip, compressed: Vec<u8>) -> io::Result<Bytes> {
        gunzip.push(compressed.into());
        gunzip.part()
    }

    #[test]
    fn each_member_is_given_as_soon_as_it_has_arrived() {
        let mut gunzip = Gunzip::new();
        let events = ["{\"type\":\"ADDED\"}\n", "{\"type\":\"DELETED\"}\n", "", "last"];
        for event in events {
            assert_eq!(push(&mut gunzip, gzip(event)).expect("it is gzip"), event);
        }
        assert_eq!(gunzip.finish().expect("it has ended"), "");
    }

    #[test]
    fn what_is_cut_or_no_gzip_is_refused() {
        let whole = gzip(&"a long text that is cut; ".repeat(1000));
        let mut gunzip = Gunzip::new();
        push(&mut gunzip, whole[..whole.len() / 2].to_vec()).expect("it may go on");
        assert!(gunzip.finish().is_err());
        let problem = push(&mut Gunzip::new(), b"{\"kind\":\"Pod\"}".to_vec()).expect_err("it is no gzip");
        assert_eq!(problem.kind(), io::ErrorKind::InvalidInput);
    }
}
