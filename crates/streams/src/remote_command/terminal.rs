//! [`TerminalSize`], and the changes of a terminal's size: [`Terminal`] tells them, [`Resizes`] has them.

use std::convert::Infallible;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::broadcast::{self, error::RecvError};

use super::stdio::{Reader, Writer};
use crate::error::Error;

/// The largest size that is read, in bytes of JSON.
const MAX_SIZE: usize = 4096;

/// The number of sizes that are kept for a command that reads them late.
const KEPT: usize = 16;

/// The size of a terminal, in characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct TerminalSize {
    /// Columns.
    pub width: u16,
    /// Lines.
    pub height: u16,
}

impl TerminalSize {
    /// The size as the protocol sends it.
    pub(super) fn to_json(self) -> Vec<u8> {
        let mut json = json!({ "Width": self.width, "Height": self.height }).to_string().into_bytes();
        json.push(b'\n');
        json
    }

    fn of(value: &Value) -> Option<Self> {
        // Go takes fields in any case, and those that are missing as 0.
        let field = |name: &str| {
            let found = value.as_object()?.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
            match found {
                Some((_, number)) => u16::try_from(number.as_u64()?).ok(),
                None => Some(0),
            }
        };
        Some(TerminalSize { width: field("width")?, height: field("height")? })
    }
}

/// The terminal of a command, at the client's end.
#[derive(Debug)]
pub struct Terminal(Writer);

impl Terminal {
    pub(super) fn new(writer: Writer) -> Self {
        Terminal(writer)
    }

    /// Tells the command the size of its terminal.
    ///
    /// # Errors
    ///
    /// That of the connection if it is broken.
    pub async fn resize(&mut self, size: TerminalSize) -> Result<(), Error> {
        self.0.write_all(&size.to_json()).await.map_err(|error| Error::of_io(&error))
    }
}

/// The changes of a terminal's size, as the client tells them. The first is its size at the beginning.
///
/// They are taken from the connection while the command runs, read or not: the 16 newest are kept for it.
#[derive(Debug)]
pub struct Resizes(broadcast::Receiver<TerminalSize>);

impl Resizes {
    /// The sizes that a stream has, and the future that takes them from it.
    pub(super) fn new(reader: Reader) -> (Self, impl Future<Output = Infallible>) {
        let (sender, receiver) = broadcast::channel(KEPT);
        (Resizes(receiver), receive(reader, sender))
    }

    /// Waits for the next size; none when the client sends no more, or something that is no size. Cancelling it loses
    /// nothing.
    pub async fn next(&mut self) -> Option<TerminalSize> {
        loop {
            match self.0.recv().await {
                Ok(size) => return Some(size),
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            }
        }
    }
}

/// Takes the sizes from a stream, and what comes behind something that is no size, so that it holds up no other stream.
async fn receive(mut reader: Reader, sender: broadcast::Sender<TerminalSize>) -> Infallible {
    let mut bytes = Vec::new();
    while matches!(reader.read_buf(&mut bytes).await, Ok(1..)) {
        let Some(end) = take_sizes(&bytes, &sender) else { break };
        bytes.drain(..end);
        if bytes.len() > MAX_SIZE {
            break;
        }
        // The command runs in the same task.
        tokio::task::consume_budget().await;
    }
    drop(sender);
    // A broken connection shows in the other streams.
    let _ = tokio::io::copy(&mut reader, &mut tokio::io::sink()).await;
    std::future::pending().await
}

/// Sends the complete sizes at the beginning of some bytes, and returns where the last of them ends; none if something is no
/// size.
fn take_sizes(bytes: &[u8], sender: &broadcast::Sender<TerminalSize>) -> Option<usize> {
    let mut values = serde_json::Deserializer::from_slice(bytes).into_iter::<Value>();
    let mut end = 0;
    loop {
        match values.next() {
            Some(Ok(value)) => {
                // A command may read none.
                let _ = sender.send(TerminalSize::of(&value)?);
                end = values.byte_offset();
            }
            Some(Err(error)) if !error.is_eof() => return None,
            _ => return Some(end),
        }
    }
}
