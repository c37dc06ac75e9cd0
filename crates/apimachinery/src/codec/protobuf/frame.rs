//! What stands around objects in lists and watches, for those who have the objects' bytes already.

use super::decode::text;
use super::envelope::next;
use super::wire::{Input, Output, Problem};
use crate::codec::DecodeError;

/// A part of a list's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListPart<'a> {
    /// The bytes of its `ListMeta`.
    Metadata(&'a [u8]),
    /// The bytes of an item.
    Item(&'a [u8]),
}

/// The parts of the bytes of a list, as [`Envelope::raw`](super::Envelope::raw) has them.
pub fn list_parts(raw: &[u8]) -> impl Iterator<Item = Result<ListPart<'_>, DecodeError>> {
    let mut input = Input(raw);
    std::iter::from_fn(move || {
        while !input.is_empty() {
            match next(&mut input) {
                Ok(Some((1, bytes))) => return Some(Ok(ListPart::Metadata(bytes))),
                Ok(Some((2, bytes))) => return Some(Ok(ListPart::Item(bytes))),
                Ok(_) => {}
                Err(problem) => {
                    input = Input(&[]);
                    return Some(Err(DecodeError::of_document(problem)));
                }
            }
        }
        None
    })
}

impl ListPart<'_> {
    /// Appends the part to the bytes of a list.
    pub fn push(&self, out: &mut Vec<u8>) {
        let (number, bytes) = match self {
            ListPart::Metadata(bytes) => (1, bytes),
            ListPart::Item(bytes) => (2, bytes),
        };
        let mut head = Output::default();
        head.head(number, bytes.len());
        out.extend_from_slice(head.written());
        out.extend_from_slice(bytes);
    }
}

/// An event of a watch, as protobuf frames it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Event<'a> {
    /// `ADDED`, `MODIFIED`, `DELETED`, `BOOKMARK` or `ERROR`.
    pub kind: &'a str,
    /// The object, in its envelope.
    pub object: &'a [u8],
}

impl<'a> Event<'a> {
    /// Reads an event, without the length before it.
    ///
    /// # Errors
    ///
    /// If the bytes are not protobuf.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let read = || {
            let mut event = Event::default();
            let mut input = Input(bytes);
            while !input.is_empty() {
                match next(&mut input)? {
                    Some((1, kind)) => event.kind = text(kind)?,
                    Some((2, extension)) => {
                        let mut extension = Input(extension);
                        while !extension.is_empty() {
                            if let Some((1, object)) = next(&mut extension)? {
                                event.object = object;
                            }
                        }
                    }
                    _ => {}
                }
            }
            Ok::<_, Problem>(event)
        };
        read().map_err(DecodeError::of_document)
    }

    /// Appends the event with its length before it, 4 bytes with the highest first.
    pub fn write(&self, out: &mut Vec<u8>) {
        let mut event = Output::with_capacity(self.object.len() + 64);
        event.bytes(1, self.object);
        event.close(2, 0);
        event.bytes(1, self.kind.as_bytes());
        let length = u32::try_from(event.len()).expect("an object has fewer than 4 GiB");
        event.prepend(&length.to_be_bytes());
        out.extend_from_slice(event.written());
    }
}
