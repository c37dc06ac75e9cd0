//! The terminal of a command: lines that can be edited and are shown as they are typed, `^C`, `^D` and the size.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use klient_streams::remote_command::{Resizes, TerminalSize};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream};
use tokio::sync::Notify;

use super::shell::{Io, Output, input, no_input, output};

/// The number of bytes that are typed ahead of a command that does not read them.
const TYPED_AHEAD: usize = 4096;

/// The longest line, in bytes.
const MAX_LINE: usize = 4096;

/// A terminal, as the programs see it that have it. Clones are the same.
#[derive(Clone, Default)]
pub(super) struct Terminal {
    /// Told of each `^C`.
    pub(super) interrupt: Arc<Notify>,
    size: Size,
}

/// The present size of a terminal. Clones are the same.
#[derive(Clone, Default)]
pub(super) struct Size(Arc<Mutex<TerminalSize>>);

impl Terminal {
    pub(super) fn of_size(size: Size) -> Self {
        Terminal { interrupt: Arc::default(), size }
    }

    pub(super) fn size(&self) -> TerminalSize {
        *self.size.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Size {
    /// Takes the sizes that a client tells.
    pub(super) async fn follow(&self, resizes: Option<Resizes>) -> Infallible {
        if let Some(mut resizes) = resizes {
            while let Some(size) = resizes.next().await {
                *self.0.lock().unwrap_or_else(PoisonError::into_inner) = size;
            }
        }
        std::future::pending().await
    }
}

/// Runs a command with a terminal. `interrupt` is told of each `^C`.
pub(super) async fn run<R, W, C, F>(stdin: Option<R>, stdout: W, interrupt: Arc<Notify>, command: C) -> u8
where
    R: AsyncRead + Send + Unpin,
    W: AsyncWrite + Send + Unpin + 'static,
    C: FnOnce(Io) -> F,
    F: Future<Output = u8>,
{
    let screen = output(Screen { inner: stdout, carriage_return: false });
    let (keyboard, lines) = tokio::io::duplex(TYPED_AHEAD);
    let lines = if stdin.is_some() { input(lines) } else { no_input() };
    let io = Io::new(lines, screen.clone(), screen.clone());
    let typing = async {
        if let Some(stdin) = stdin {
            // A broken keyboard is the end of input, as one that is pulled out.
            let _ = edit(stdin, keyboard, &screen, &interrupt).await;
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        code = command(io) => code,
        () = typing => 0,
    }
}

/// Passes lines on to a command as they are completed.
async fn edit(
    mut keys: impl AsyncRead + Unpin,
    mut lines: DuplexStream,
    screen: &Output,
    interrupt: &Notify,
) -> io::Result<()> {
    let mut line: Vec<u8> = Vec::new();
    // The lines that the command has not read. They do not hold up the keys, of which one is `^C`.
    let mut ahead: Vec<u8> = Vec::new();
    loop {
        let key = tokio::select! {
            key = keys.read_u8() => key,
            written = lines.write(&ahead), if !ahead.is_empty() => {
                match written {
                    Ok(count) => drop(ahead.drain(..count)),
                    // The command reads no more, and can still be interrupted.
                    Err(_) => ahead.clear(),
                }
                continue;
            }
        };
        let Ok(key) = key else { return lines.write_all(&ahead).await };
        let shown: Vec<u8> = match key {
            b'\r' | b'\n' => {
                line.push(b'\n');
                type_ahead(&mut ahead, &mut line);
                b"\n".to_vec()
            }
            // ^C
            3 => {
                line.clear();
                ahead.clear();
                interrupt.notify_waiters();
                b"^C\n".to_vec()
            }
            // ^D
            4 if line.is_empty() => return lines.write_all(&ahead).await,
            4 => {
                type_ahead(&mut ahead, &mut line);
                continue;
            }
            // Backspace.
            8 | 127 => {
                // The bytes of a character go together.
                while line.last().is_some_and(|byte| byte & 0xc0 == 0x80) {
                    line.pop();
                }
                if line.pop().is_none() {
                    continue;
                }
                b"\x08 \x08".to_vec()
            }
            key if line.len() < MAX_LINE => {
                line.push(key);
                vec![key]
            }
            _ => continue,
        };
        show(screen, &shown).await?;
    }
}

/// Adds a line to those that a command is to read. One for which there is no room is discarded.
fn type_ahead(ahead: &mut Vec<u8>, line: &mut Vec<u8>) {
    if ahead.len() + line.len() <= TYPED_AHEAD {
        ahead.extend_from_slice(line);
    }
    line.clear();
}

async fn show(screen: &Output, bytes: &[u8]) -> io::Result<()> {
    let mut screen = screen.lock().await;
    screen.write_all(bytes).await?;
    screen.flush().await
}

/// An output with a carriage return in front of each line feed.
struct Screen<W> {
    inner: W,
    /// The carriage return in front of the next line feed is written.
    carriage_return: bool,
}

impl<W: AsyncWrite + Unpin> AsyncWrite for Screen<W> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if data.first() == Some(&b'\n') {
            if !this.carriage_return {
                if ready!(Pin::new(&mut this.inner).poll_write(context, b"\r"))? == 0 {
                    return Poll::Ready(Ok(0));
                }
                this.carriage_return = true;
            }
            let count = ready!(Pin::new(&mut this.inner).poll_write(context, b"\n"))?;
            this.carriage_return = count == 0;
            return Poll::Ready(Ok(count));
        }
        let length = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
        Pin::new(&mut this.inner).poll_write(context, &data[..length])
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}
