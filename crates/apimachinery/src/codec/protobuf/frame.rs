//! Framing of encoded objects in lists and watches.

use super::decode::text;
use super::wire::{Input, Output, Problem, WireType};
use crate::codec::DecodeError;

/// A field of a list's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListPart<'a> {
    /// The bytes of its `ListMeta`.
    Metadata(&'a [u8]),
    /// The bytes of an item.
    Item(&'a [u8]),
}

/// The length-delimited fields of a struct: strings, structs and the like, with their numbers.
pub fn fields(raw: &[u8]) -> impl Iterator<Item = Result<(u32, &[u8]), DecodeError>> {
    let mut input = Input(raw);
    std::iter::from_fn(move || {
        while !input.is_empty() {
            match next(&mut input) {
                Ok(Some(field)) => return Some(Ok(field)),
                Ok(None) => {}
                Err(problem) => {
                    input = Input(&[]);
                    return Some(Err(DecodeError::of_document(problem)));
                }
            }
        }
        None
    })
}

/// The next field, if it is length-delimited.
fn next<'a>(input: &mut Input<'a>) -> Result<Option<(u32, &'a [u8])>, Problem> {
    let (number, wire) = input.tag()?;
    match wire {
        WireType::Bytes => Ok(Some((number, input.bytes()?))),
        _ => input.skip(wire).map(|()| None),
    }
}

/// The fields of a list's bytes, which are [`Envelope::raw`](super::Envelope::raw).
pub fn list_parts(raw: &[u8]) -> impl Iterator<Item = Result<ListPart<'_>, DecodeError>> {
    fields(raw).filter_map(|field| match field {
        Ok((1, bytes)) => Some(Ok(ListPart::Metadata(bytes))),
        Ok((2, bytes)) => Some(Ok(ListPart::Item(bytes))),
        Ok(_) => None,
        Err(error) => Some(Err(error)),
    })
}

impl ListPart<'_> {
    /// Appends the field to the bytes of a list.
    pub fn push(&self, out: &mut Vec<u8>) {
        let (head, bytes) = self.written();
        out.extend_from_slice(head.written());
        out.extend_from_slice(bytes);
    }

    /// The number of bytes that [`push`](Self::push) appends.
    pub fn length(&self) -> usize {
        let (head, bytes) = self.written();
        head.len() + bytes.len()
    }

    /// The tag and length before the bytes, and the bytes.
    fn written(&self) -> (Output, &[u8]) {
        let (number, bytes) = match self {
            ListPart::Metadata(bytes) => (1, bytes),
            ListPart::Item(bytes) => (2, bytes),
        };
        let mut head = Output::with_capacity(16);
        head.head(number, bytes.len());
        (head, bytes)
    }
}

/// An event of a protobuf watch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Event<'a> {
    /// `ADDED`, `MODIFIED`, `DELETED`, `BOOKMARK` or `ERROR`.
    pub kind: &'a str,
    /// The object, in its envelope.
    pub object: &'a [u8],
}

impl<'a> Event<'a> {
    /// Reads an event, without its length prefix.
    ///
    /// # Errors
    ///
    /// If the bytes are not protobuf.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut event = Event::default();
        for field in fields(bytes) {
            match field? {
                (1, kind) => event.kind = text(kind).map_err(DecodeError::of_document)?,
                (2, extension) => {
                    for field in fields(extension) {
                        if let (1, object) = field? {
                            event.object = object;
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(event)
    }

    /// Appends the event with its length prefix, 4 bytes in big-endian order.
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
