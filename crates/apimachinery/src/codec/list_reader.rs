//! [`ListReader`], which decodes a list while its bytes arrive.

mod json;
mod protobuf;

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use super::{DecodeError, Format, ManagedFields, Wire};
use crate::List;
use crate::meta::v1::ListMeta;

/// Decodes a list item by item while its bytes arrive, so that it holds no more than one item and the bytes behind it.
///
/// ```
/// use klient_apimachinery::codec::{Format, ListReader, ManagedFields};
/// use klient_apimachinery::meta::v1::PartialObjectMetadata;
///
/// let mut reader = ListReader::<PartialObjectMetadata>::new(Format::Json, ManagedFields::Keep);
/// reader.push(br#"{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/v1","#);
/// reader.push(br#""metadata":{"resourceVersion":"7"},"items":["#);
/// assert!(reader.next_item()?.is_none());
/// reader.push(br#"{"metadata":{"name":"a"}},{"metadata""#);
/// assert_eq!(reader.next_item()?.unwrap().metadata.name.as_deref(), Some("a"));
/// assert!(reader.next_item()?.is_none());
/// reader.push(br#":{"name":"b"}}]}"#);
/// reader.end();
/// assert_eq!(reader.next_item()?.unwrap().metadata.name.as_deref(), Some("b"));
/// assert!(reader.next_item()?.is_none());
/// assert_eq!(reader.finish()?.resource_version.as_deref(), Some("7"));
/// # Ok::<(), klient_apimachinery::codec::DecodeError>(())
/// ```
pub struct ListReader<'a, K> {
    buffer: Buffer<'a>,
    state: State,
    metadata: ListMeta,
    items: usize,
    managed_fields: ManagedFields,
    kind: PhantomData<fn() -> K>,
}

enum State {
    Json(json::State),
    Protobuf(protobuf::State),
}

/// Bytes that have arrived and are not read yet.
#[derive(Default)]
struct Buffer<'a> {
    bytes: Cow<'a, [u8]>,
    start: usize,
}

impl<'a, K: Wire> ListReader<'a, K> {
    /// A reader without bytes.
    pub fn new(format: Format, managed_fields: ManagedFields) -> Self {
        ListReader { managed_fields, ..Self::over(format, Buffer::default()) }
    }

    /// Decodes a list of which all bytes are there.
    pub(crate) fn read(format: Format, bytes: &'a [u8]) -> Result<List<K>, DecodeError> {
        let mut reader = Self::over(format, Buffer { bytes: bytes.into(), start: 0 });
        reader.end();
        let mut items = Vec::new();
        while let Some(item) = reader.next_item()? {
            items.push(item);
        }
        items.shrink_to_fit();
        Ok(List { items, metadata: reader.finish()? })
    }

    fn over(format: Format, buffer: Buffer<'a>) -> Self {
        let state = match format {
            Format::Json => State::Json(json::State::default()),
            Format::Protobuf => State::Protobuf(protobuf::State::default()),
        };
        ListReader {
            buffer,
            state,
            metadata: ListMeta::default(),
            items: 0,
            managed_fields: ManagedFields::Keep,
            kind: PhantomData,
        }
    }

    /// Appends bytes that have arrived.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.push(bytes);
    }

    /// Marks the end of the bytes.
    pub fn end(&mut self) {
        if let State::Json(state) = &mut self.state {
            state.end();
        }
    }

    /// The next item, if all of its bytes have arrived.
    ///
    /// # Errors
    ///
    /// If the bytes are no list of `K`; the error names the item. If only an item cannot be decoded, which
    /// [`DecodeError::object`] names, the next call continues behind it.
    pub fn next_item(&mut self) -> Result<Option<K>, DecodeError> {
        let found = match &mut self.state {
            State::Json(state) => state.next_item(&mut self.buffer, &mut self.metadata, self.managed_fields),
            State::Protobuf(state) => {
                state.next_item(&mut self.buffer, &mut self.metadata, self.managed_fields)
            }
        };
        let found = found.map_err(|error| match error {
            ReadError::Item(error) => error.within(format_args!("items[{}]", self.items)),
            ReadError::List(error) => error,
        });
        let has_passed = match &found {
            Ok(item) => item.is_some(),
            Err(error) => error.object().is_some(),
        };
        self.items += usize::from(has_passed);
        found
    }

    /// The metadata of the list, once there is no next item after the [`end`](Self::end).
    ///
    /// # Errors
    ///
    /// If the bytes end within the list.
    pub fn finish(self) -> Result<ListMeta, DecodeError> {
        let ended = match &self.state {
            State::Json(state) => state.has_ended(),
            State::Protobuf(state) => state.has_ended(),
        };
        if !ended {
            let items = self.items;
            return Err(DecodeError::of_document(format_args!("the list is cut off behind {items} items")));
        }
        Ok(self.metadata)
    }
}

impl<K> fmt::Debug for ListReader<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ListReader({} items, {} bytes waiting)", self.items, self.buffer.unread().len())
    }
}

/// A decoding error, of the list or of an item.
enum ReadError {
    List(DecodeError),
    Item(DecodeError),
}

impl From<DecodeError> for ReadError {
    fn from(error: DecodeError) -> Self {
        ReadError::List(error)
    }
}

impl Buffer<'_> {
    fn push(&mut self, bytes: &[u8]) {
        let start = std::mem::take(&mut self.start);
        let held = self.bytes.to_mut();
        // Makes room before more is allocated.
        held.drain(..start);
        held.extend_from_slice(bytes);
    }

    fn unread(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    fn consume(&mut self, length: usize) {
        self.start += length;
    }
}
