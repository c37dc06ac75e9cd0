//! [`TerminalSize`], and the changes of a terminal's size: [`Terminal`] tells them, [`Resizes`] has them.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::stdio::{Reader, Writer};
use crate::error::Error;

/// The largest size that is read, in bytes of JSON.
const MAX_SIZE: usize = 4096;

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
#[derive(Debug)]
pub struct Resizes {
    reader: Reader,
    /// Bytes that have arrived and are not read yet.
    bytes: Vec<u8>,
}

impl Resizes {
    pub(super) fn new(reader: Reader) -> Self {
        Resizes { reader, bytes: Vec::new() }
    }

    /// Waits for the next size; none when the client sends no more, or something that is no size. Cancelling it loses
    /// nothing.
    pub async fn next(&mut self) -> Option<TerminalSize> {
        loop {
            let mut values = serde_json::Deserializer::from_slice(&self.bytes).into_iter::<Value>();
            match values.next() {
                Some(Ok(value)) => {
                    let end = values.byte_offset();
                    self.bytes.drain(..end);
                    return TerminalSize::of(&value);
                }
                Some(Err(error)) if !error.is_eof() => return None,
                _ => {}
            }
            let read = self.reader.read_buf(&mut self.bytes).await;
            if !matches!(read, Ok(1..)) || self.bytes.len() > MAX_SIZE {
                return None;
            }
        }
    }
}
