//! [`Buffered`], lines on their way to a file that may be full for a while.

use std::collections::VecDeque;
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
/// - a line that was written in part is continued where it ended, or is whole in the next file;
/// - at the end, lines that cannot be written are counted.
#[derive(Debug)]
pub(crate) struct Buffered<W> {
    sink: W,
    /// Whole lines, of which the first may be written in part.
    pending: Vec<u8>,
    /// The ends of the lines in it. A line may have line breaks in it.
    ends: VecDeque<usize>,
    /// Bytes of the first line that are written.
    begun: usize,
    /// The file ends with a part of a line that is lost.
    is_torn: bool,
    /// The last attempt to write failed.
    is_failing: bool,
    /// Lines that the backlog did not hold.
    dropped: usize,
}

impl<W: Write> Buffered<W> {
    pub(crate) fn new(sink: W) -> Self {
        Buffered {
            sink,
            pending: Vec::with_capacity(CAPACITY),
            ends: VecDeque::new(),
            begun: 0,
            is_torn: false,
            is_failing: false,
            dropped: 0,
        }
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
        self.ends.push_back(self.pending.len());
        let is_huge = self.pending.len() > CAPACITY;
        if is_huge && !self.is_failing { self.flush().or(failure) } else { failure }
    }

    /// Adds the head of a file, which is not a line of its own.
    pub(crate) fn push_head(&mut self, head: &str) {
        self.pending.extend_from_slice(head.as_bytes());
    }

    /// Writes what is pending. Returns the failure to be told, or the number of dropped lines after a failure has ended.
    pub(crate) fn flush(&mut self) -> Option<String> {
        let was_failing = self.is_failing;
        match self.write() {
            Some(failure) => {
                (!was_failing).then(|| format!("{failure}; lines are kept until it can be written again"))
            }
            None => {
                let dropped = std::mem::take(&mut self.dropped);
                (dropped > 0).then(|| format!("{} dropped while it could not be written", number(dropped)))
            }
        }
    }

    /// Writes what is pending for the last time: lines that cannot be written are lost. Returns their number, to be told.
    pub(crate) fn finish(&mut self) -> Option<String> {
        let failure = self.write();
        let lost = self.ends.len() + std::mem::take(&mut self.dropped);
        match failure {
            Some(failure) => {
                self.pending.clear();
                self.ends.clear();
                self.is_torn |= self.begun > 0;
                self.begun = 0;
                if self.is_torn {
                    // A line that comes yet, and fits, has a line of its own.
                    self.pending.push(b'\n');
                }
                (lost > 0).then(|| format!("{failure}; {} lost at the end of the log", number(lost)))
            }
            None => (lost > 0).then(|| format!("{} dropped while it could not be written", number(lost))),
        }
    }

    /// Writes what is pending. Returns the failure, if there is one.
    fn write(&mut self) -> Option<String> {
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
        let mut of_whole_lines = if written == self.pending.len() { written } else { 0 };
        while let Some(end) = self.ends.front().copied().filter(|end| *end <= written) {
            self.ends.pop_front();
            of_whole_lines = of_whole_lines.max(end);
        }
        self.pending.drain(..of_whole_lines);
        // The memory of a huge line, or of a backlog, is not kept.
        self.pending.shrink_to(CAPACITY);
        self.ends.shrink_to(CAPACITY / size_of::<usize>());
        self.ends.iter_mut().for_each(|end| *end -= of_whole_lines);
        self.begun = written - of_whole_lines;
        self.is_torn &= written == 0;
        self.is_failing = failure.is_some();
        failure
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

/// `1 line was`, `2 lines were`.
fn number(lines: usize) -> String {
    if lines == 1 { "1 line was".to_owned() } else { format!("{lines} lines were") }
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
    fn a_line_of_several_is_whole_in_the_next_file() {
        let mut lines = Buffered::new(Disk { written: Vec::new(), free: 8 });
        lines.push_head("head\n");
        assert_eq!((lines.push("one\n"), lines.push("a=<\n\tb\n >\n")), (None, None));
        assert!(lines.flush().is_some());
        lines.sink.free = 6;
        assert_eq!(lines.flush(), None);
        assert_eq!(lines.sink().written, b"head\none\na=<\n\t");
        lines.replace_sink(Disk { written: Vec::new(), free: 100 });
        assert_eq!(lines.flush(), None);
        assert_eq!(lines.sink().written, b"a=<\n\tb\n >\n");
    }

    #[test]
    fn lines_that_do_not_fit_at_the_end_are_counted() {
        let mut lines = Buffered::new(Disk { written: Vec::new(), free: 12 });
        lines.push_head("head\n");
        for line in ["one\n", "two\n", "a=<\n\tb\n >\n"] {
            assert_eq!(lines.push(line), None);
        }
        let told = lines.finish().expect("two lines do not fit");
        assert_eq!(told, "cannot write: no storage space; 2 lines were lost at the end of the log");
        assert_eq!(lines.sink().written, b"head\none\ntwo");
        assert_eq!(lines.finish(), None);
        assert_eq!(lines.push("three\n"), None);
        assert!(lines.finish().is_some_and(|told| told.contains("; 1 line was lost")));
        lines.sink.free = 100;
        assert_eq!(lines.push("four\n"), None);
        assert_eq!(lines.finish(), None);
        assert_eq!(lines.sink().written, b"head\none\ntwo\nfour\n");
    }

    #[test]
    fn the_memory_of_a_huge_line_is_not_kept() {
        let mut lines = Buffered::new(Disk { written: Vec::new(), free: usize::MAX });
        assert_eq!(lines.push("one\n"), None);
        assert_eq!(lines.push(&format!("{}\n", "a".repeat(10 * CAPACITY))), None);
        assert!(lines.is_empty() && lines.pending.capacity() <= CAPACITY, "{}", lines.pending.capacity());
        assert_eq!(lines.sink().written.len(), "one\n\n".len() + 10 * CAPACITY);
    }

    #[test]
    fn lines_beyond_the_backlog_are_counted() {
        let mut lines = Buffered::new(Disk { written: Vec::new(), free: 0 });
        let long = format!("{}\n", "a".repeat(BACKLOG / 2));
        assert!(lines.push(&long).is_some_and(|told| told.starts_with("cannot write: ")));
        assert_eq!(lines.flush(), None);
        assert_eq!(lines.push("short\n"), None);
        assert_eq!((lines.push(&long), lines.push(&long)), (None, None));
        lines.sink.free = usize::MAX;
        assert_eq!(lines.flush().as_deref(), Some("2 lines were dropped while it could not be written"));
        assert!(lines.sink().written.ends_with(b"short\n"));
    }
}
