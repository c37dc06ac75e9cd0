//! A pipe between a task and a thread for blocking work: `tar` reads and writes there. Each end can be used from either
//! side. It holds a few chunks, so that a slow reader stops the writer.

use std::io;

use bytes::{Buf as _, Bytes};
use tokio::sync::mpsc;

/// The number of chunks in a pipe.
const CHUNKS: usize = 8;

/// The writing end. Dropping it ends the pipe.
pub(super) struct Writer(mpsc::Sender<Bytes>);

/// The reading end. When it is dropped, writing fails.
pub(super) struct Reader {
    chunks: mpsc::Receiver<Bytes>,
    /// The rest of the last chunk.
    rest: Bytes,
}

pub(super) fn pipe() -> (Writer, Reader) {
    let (sender, chunks) = mpsc::channel(CHUNKS);
    (Writer(sender), Reader { chunks, rest: Bytes::new() })
}

impl Writer {
    /// Writes a chunk from a task.
    pub(super) async fn send(&self, chunk: Bytes) -> io::Result<()> {
        self.0.send(chunk).await.map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    /// Waits until the reader is dropped.
    pub(super) async fn abandoned(&self) {
        self.0.closed().await;
    }
}

impl io::Write for Writer {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let sent = self.0.blocking_send(Bytes::copy_from_slice(data));
        sent.map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Reader {
    /// Reads the next chunk in a task; none at the end.
    pub(super) async fn next(&mut self) -> Option<Bytes> {
        self.chunks.recv().await
    }
}

impl io::Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.rest.is_empty() {
            match self.chunks.blocking_recv() {
                Some(chunk) => self.rest = chunk,
                None => return Ok(0),
            }
        }
        let count = self.rest.len().min(buffer.len());
        self.rest.copy_to_slice(&mut buffer[..count]);
        Ok(count)
    }
}
