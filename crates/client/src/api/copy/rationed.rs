//! [`Rationed`], the reader of an archive that gives no more bytes than it is allowed at a time.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

use super::pipe::Reader;

/// A reader that fails when its ration is used up.
pub(super) struct Rationed {
    reader: Reader,
    left: Ration,
    is_at_end: End,
}

/// The number of bytes that are still allowed; it is set anew at each entry.
pub(super) type Ration = Rc<Cell<u64>>;

/// True once the reader has found the end.
pub(super) type End = Rc<Cell<bool>>;

impl Rationed {
    /// A reader with its first ration.
    pub(super) fn new(reader: Reader, bytes: u64) -> (Self, Ration, End) {
        let (left, is_at_end) = (Rc::new(Cell::new(bytes)), End::default());
        (Rationed { reader, left: left.clone(), is_at_end: is_at_end.clone() }, left, is_at_end)
    }
}

impl Read for Rationed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.left.get();
        if left == 0 {
            let problem = "the archive has more bytes between two entries than names need";
            return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
        }
        let length = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let count = self.reader.read(&mut buffer[..length])?;
        self.left.set(left - count as u64);
        self.is_at_end.set(count == 0 && length > 0);
        Ok(count)
    }
}
