//! [`Io`], the standard streams of a command.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::Mutex;

/// The longest line that is read from a standard input, in bytes.
pub(super) const MAX_LINE: usize = 64 * 1024;

/// A standard input; the commands of a shell read it one after the other.
pub(in super::super) type Input = Arc<Mutex<Box<dyn AsyncRead + Send + Unpin>>>;

/// A standard output or error.
pub(in super::super) type Output = Arc<Mutex<Box<dyn AsyncWrite + Send + Unpin>>>;

/// The standard streams of a command.
#[derive(Clone)]
pub(in super::super) struct Io {
    pub(in super::super) stdin: Input,
    pub(in super::super) stdout: Output,
    pub(in super::super) stderr: Output,
    /// Set once nobody reads the standard output any more, which ends the commands that write to it.
    pub(in super::super) broken: Arc<AtomicBool>,
}

/// An input that is at its end.
pub(in super::super) fn no_input() -> Input {
    input(tokio::io::empty())
}

pub(in super::super) fn input(reader: impl AsyncRead + Send + Unpin + 'static) -> Input {
    Arc::new(Mutex::new(Box::new(reader)))
}

pub(in super::super) fn output(writer: impl AsyncWrite + Send + Unpin + 'static) -> Output {
    Arc::new(Mutex::new(Box::new(writer)))
}

impl Io {
    pub(in super::super) fn new(stdin: Input, stdout: Output, stderr: Output) -> Self {
        Io { stdin, stdout, stderr, broken: Arc::default() }
    }

    /// Writes to standard output. False if nobody reads it any more, or if its file is full, which is told.
    pub(in super::super) async fn print(&self, text: impl AsRef<[u8]>) -> bool {
        let mut stdout = self.stdout.lock().await;
        let written = match stdout.write_all(text.as_ref()).await {
            Ok(()) => stdout.flush().await,
            error => error,
        };
        drop(stdout);
        match written {
            Ok(()) => return true,
            Err(error) if error.kind() == io::ErrorKind::StorageFull => {
                self.complain("sh: write error: No space left on device").await;
            }
            Err(_) => self.broken.store(true, Ordering::Relaxed),
        }
        false
    }

    /// Writes a line to standard error.
    pub(in super::super) async fn complain(&self, line: impl AsRef<str>) {
        let line = format!("{}\n", line.as_ref());
        let mut stderr = self.stderr.lock().await;
        // A command goes on without anybody who reads its complaints.
        let _ = stderr.write_all(line.as_bytes()).await;
        let _ = stderr.flush().await;
    }

    /// The next line of standard input without its end; none behind the last.
    pub(super) async fn line(&self) -> Option<String> {
        let mut stdin = self.stdin.lock().await;
        let mut line = Vec::new();
        let mut read = 0_usize;
        loop {
            // A file that is read byte by byte waits for nothing.
            read += 1;
            if read.is_multiple_of(MAX_LINE) {
                tokio::task::yield_now().await;
            }
            match stdin.read_u8().await {
                Ok(b'\n') => break,
                Ok(byte) if line.len() < MAX_LINE => line.push(byte),
                Ok(_) => {}
                Err(_) if line.is_empty() => return None,
                Err(_) => break,
            }
        }
        Some(String::from_utf8_lossy(&line).into_owned())
    }
}
