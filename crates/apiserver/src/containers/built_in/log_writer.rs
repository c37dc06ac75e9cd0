//! [`LogWriter`], an output of a process that is divided into the lines of its container's log.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use klient_apimachinery::MicroTime;
use tokio::io::AsyncWrite;

use crate::containers::{ContainerLog, LogStream};

/// The longest line of a log, in bytes; a longer one is continued in the next.
pub(super) const MAX_LINE: usize = 64 * 1024;

/// A stream whose lines are those of a log.
pub(super) struct LogWriter {
    log: ContainerLog,
    stream: LogStream,
    line: Vec<u8>,
}

impl LogWriter {
    pub(super) fn new(log: ContainerLog, stream: LogStream) -> Self {
        LogWriter { log, stream, line: Vec::new() }
    }

    pub(super) fn add(&mut self, data: &[u8]) {
        let mut rest = data;
        while !rest.is_empty() {
            let room = MAX_LINE - self.line.len();
            // A line feed behind a line of the greatest length ends it.
            let end = rest.iter().take(room + 1).position(|byte| *byte == b'\n');
            let count = end.unwrap_or(room.min(rest.len()));
            self.line.extend_from_slice(&rest[..count]);
            rest = &rest[count + usize::from(end.is_some())..];
            if end.is_some() || !rest.is_empty() {
                self.push();
            }
        }
    }

    fn push(&mut self) {
        let line = std::mem::take(&mut self.line);
        let time = MicroTime::now();
        self.log.push(self.stream, time, line);
    }
}

impl Drop for LogWriter {
    fn drop(&mut self) {
        if !self.line.is_empty() {
            self.push();
        }
    }
}

impl AsyncWrite for LogWriter {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        self.add(data);
        Poll::Ready(Ok(data.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
