//! [`Buffered`], lines on their way to a file that may be full for a while.

use std::io::{ErrorKind, Write};

use klient_apimachinery::go::os_error;

/// Bytes that are collected before they are written. Lines are also written at each flush.
const CAPACITY: usize = 256 * 1024;

/// Bytes that are kept while they cannot be written. Later lines are counted instead.
const BACKLOG: usize = 16 * 1024 * 1024;

/// Lines on their way to a file.
///
/// - a failure is told once, until writing succeeds again;
/// - what was not written is kept, and written by a later flush, so that no line is lost that the backlog holds;
/// - a line that was written in part is continued where it ended, or is whole in the next file.
#[derive(Debug)]
pub(crate) struct Buffered<W> {
    sink: W,
    /// Whole lines, of which the first may be written in part.
    pending: Vec<u8>,
    /// Bytes of the first line that are written.
    begun: usize,
    /// The last attempt to write failed.
    is_failing: bool,
    /// Lines that the backlog did not hold.
    dropped: u64,
}

impl<W: Write> Buffered<W> {
    pub(crate) fn new(sink: W) -> Self {
        Buffered { sink, pending: Vec::with_capacity(CAPACITY), begun: 0, is_failing: false, dropped: 0 }
    }

    /// Adds a line. Returns the failure to be told, if there is one.
    pub(crate) fn push(&mut self, line: &str) -> Option<String> {
        if self.is_failing && self.pending.len() + line.len() > BACKLOG {
            self.dropped += 1;
            return None;
        }
        let is_full = self.pending.len() + line.len() > CAPACITY;
        let failure = if is_full && !self.is_failing { self.flush() } else { None };
        self.pending.extend_from_slice(line.as_bytes());
        failure
    }

    /// Writes what is pending. Returns the failure to be told, or the number of dropped lines after a failure has ended.
    pub(crate) fn flush(&mut self) -> Option<String> {
        let mut written = self.begun;
        let mut failure = None;
        while written < self.pending.len() {
            match self.sink.write(&self.pending[written..]) {
                Ok(0) => {
                    failure = Some("cannot write: no bytes are accepted".to_owned());
                    break;
                }
                Ok(count) => written += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    failure = Some(format!("cannot write: {}", os_error(&error)));
                    break;
                }
            }
        }
        let is_end = |byte: &u8| *byte == b'\n';
        let of_whole_lines = match written == self.pending.len() {
            true => written,
            false => self.pending[..written].iter().rposition(is_end).map_or(0, |end| end + 1),
        };
        self.pending.drain(..of_whole_lines);
        self.begun = written - of_whole_lines;
        let was_failing = std::mem::replace(&mut self.is_failing, failure.is_some());
        match failure {
            Some(failure) => {
                (!was_failing).then(|| format!("{failure}; lines are kept until it can be written again"))
            }
            None => {
                let dropped = std::mem::take(&mut self.dropped);
                (dropped > 0).then(|| format!("{dropped} lines were dropped while it could not be written"))
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    pub(crate) fn sink(&self) -> &W {
        &self.sink
    }

    /// Writes to another file from now on. What is pending goes there.
    pub(crate) fn replace_sink(&mut self, sink: W) {
        self.sink = sink;
        self.begun = 0;
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    /// A disk with so many free bytes.
    #[derive(Debug)]
    struct Disk {
        written: Vec<u8>,
        free: usize,
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.free == 0 {
                return Err(io::Error::from(ErrorKind::StorageFull));
            }
            let count = bytes.len().min(self.free);
            self.free -= count;
            self.written.extend_from_slice(&bytes[..count]);
            Ok(count)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_full_disk_is_told_once_and_loses_nothing_that_fits_later() {
        let mut lines = Buffered::new(Disk { written: Vec::new(), free: 5 });
        assert_eq!(lines.push("one\n"), None);
        assert_eq!(lines.push("two\n"), None);
        let told = lines.flush().expect("three bytes do not fit");
        assert_eq!(told, "cannot write: no storage space; lines are kept until it can be written again");
        assert_eq!(lines.push("three\n"), None);
        assert_eq!(lines.flush(), None);
        assert_eq!(lines.sink().written, b"one\nt");

        lines.sink.free = 6;
        assert_eq!(lines.flush(), None);
        lines.sink.free = 100;
        assert_eq!(lines.flush(), None);
        assert_eq!(lines.sink().written, b"one\ntwo\nthree\n");

        // Another time is told again.
        lines.sink.free = 0;
        assert_eq!(lines.push("four\n"), None);
        assert!(lines.flush().is_some());
    }

    #[test]
    fn a_line_that_is_written_in_part_is_whole_in_the_next_file() {
        let mut lines = Buffered::new(Disk { written: Vec::new(), free: 5 });
        for line in ["one\n", "two\n", "three\n"] {
            assert_eq!(lines.push(line), None);
        }
        assert!(lines.flush().is_some());
        lines.sink.free = 1;
        assert_eq!(lines.flush(), None);
        assert_eq!(lines.sink().written, b"one\ntw");
        lines.replace_sink(Disk { written: Vec::new(), free: 100 });
        assert_eq!(lines.flush(), None);
        assert_eq!(lines.sink().written, b"two\nthree\n");
        assert!(lines.is_empty());
    }

    #[test]
    fn lines_beyond_the_backlog_are_counted() {
        let mut lines = Buffered::new(Disk { written: Vec::new(), free: 0 });
        let long = format!("{}\n", "a".repeat(BACKLOG / 2));
        let _ = lines.push(&long);
        assert!(lines.flush().is_some());
        assert_eq!(lines.push("short\n"), None);
        assert_eq!((lines.push(&long), lines.push(&long)), (None, None));
        lines.sink.free = usize::MAX;
        assert_eq!(lines.flush().as_deref(), Some("2 lines were dropped while it could not be written"));
        assert!(lines.sink().written.ends_with(b"short\n"));
    }
}
