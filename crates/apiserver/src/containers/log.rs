//! [`ContainerLog`], the lines that a container has printed.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use klient_apimachinery::MicroTime;
use tokio::sync::Notify;

/// The number of bytes after which the oldest lines are dropped: kubelet's `containerLogMaxSize`.
const MAX_SIZE: usize = 10 * 1024 * 1024;

/// The number of bytes that a line takes besides its text, about.
const LINE: usize = 64;

/// The lines that a container has printed, each with its time. Clones are the same log.
///
/// It keeps the last 10 MiB. Clients that follow it read it line by line at their own pace; one that is so slow that
/// lines are dropped before it gets to them misses those, as with the rotation of a kubelet.
#[derive(Clone, Default)]
pub struct ContainerLog(Arc<Shared>);

#[derive(Default)]
struct Shared {
    lines: Mutex<Lines>,
    changed: Notify,
}

#[derive(Default)]
struct Lines {
    /// The number of lines that were dropped.
    dropped: usize,
    kept: VecDeque<Line>,
    size: usize,
    is_closed: bool,
}

/// A line of a log.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) time: MicroTime,
    pub(crate) stream: LogStream,
    /// The line without the line feed at its end.
    pub(crate) text: Bytes,
}

/// The stream on which a container has printed a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LogStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl ContainerLog {
    /// Adds a line of standard output, which may be any bytes, with the present time.
    pub fn stdout(&self, line: impl AsRef<[u8]>) {
        self.push(LogStream::Stdout, MicroTime::now(), line);
    }

    /// Adds a line of standard error, which may be any bytes, with the present time.
    pub fn stderr(&self, line: impl AsRef<[u8]>) {
        self.push(LogStream::Stderr, MicroTime::now(), line);
    }

    /// Adds a line with its time. Lines are read in the order in which they are added.
    pub fn push(&self, stream: LogStream, time: MicroTime, line: impl AsRef<[u8]>) {
        let mut lines = self.lines();
        let text = Bytes::copy_from_slice(line.as_ref());
        lines.size += text.len() + LINE;
        lines.kept.push_back(Line { time, stream, text });
        while lines.size > MAX_SIZE
            && lines.kept.len() > 1
            && let Some(oldest) = lines.kept.pop_front()
        {
            lines.size -= oldest.text.len() + LINE;
            lines.dropped += 1;
        }
        drop(lines);
        self.0.changed.notify_waiters();
    }

    /// Ends the log: clients that follow it get no more.
    pub fn close(&self) {
        self.lines().is_closed = true;
        self.0.changed.notify_waiters();
    }

    /// The position behind which there are only so many lines, or of the first one.
    pub(crate) fn tail(&self, count: Option<usize>) -> usize {
        let lines = self.lines();
        let end = lines.dropped + lines.kept.len();
        count.map_or(lines.dropped, |count| end.saturating_sub(count).max(lines.dropped))
    }

    /// The lines from a position on, about as many as a number of bytes holds, and the position behind them.
    pub(crate) fn read(&self, position: usize, bytes: usize) -> (Vec<Line>, usize) {
        let lines = self.lines();
        let first = position.max(lines.dropped);
        let mut size = 0;
        let read = lines.kept.iter().skip(first - lines.dropped).take_while(|line| {
            let is_room = size < bytes;
            size += line.text.len() + LINE;
            is_room
        });
        let read: Vec<Line> = read.cloned().collect();
        let end = first + read.len();
        (read, end)
    }

    /// Waits until there are lines behind a position; false if there will be none.
    pub(crate) async fn grows(&self, position: usize) -> bool {
        loop {
            let changed = self.0.changed.notified();
            {
                let lines = self.lines();
                if lines.dropped + lines.kept.len() > position {
                    return true;
                }
                if lines.is_closed {
                    return false;
                }
            }
            changed.await;
        }
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        // Nothing panics while it is held but an allocation, after which the lines are as good as before.
        self.0.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for ContainerLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self.lines();
        f.debug_struct("ContainerLog")
            .field("lines", &(lines.dropped + lines.kept.len()))
            .finish_non_exhaustive()
    }
}
