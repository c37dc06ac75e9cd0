//! Lists in JSON: an object whose `items` are decoded one by one.
//!
//! Decoding an item is tried as soon as all of it may have arrived. If its end was missing, the next try waits until
//! there are half as many bytes again.

use super::{Buffer, ReadError};
use crate::codec::json::{self, value_at};
use crate::codec::{DecodeError, Format, Identity, ManagedFields, Wire};
use crate::meta::v1::ListMeta;

/// The progress of reading.
#[derive(Default)]
pub(super) struct State {
    place: Place,
    comma: Comma,
    /// The number of bytes that must have arrived before the next try.
    wanted: usize,
    /// True if no more bytes will arrive.
    all_is_there: bool,
    api_version: String,
    kind: String,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Place {
    /// Before `{`.
    #[default]
    Begin,
    /// Before a key or `}`.
    Key,
    /// Before an item or `]`.
    Item,
    /// Behind `}`.
    End,
}

/// The expectation of a comma between keys or items.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Comma {
    /// Before the first, without a comma.
    #[default]
    None,
    /// A comma must come, or the end.
    Due,
    /// A comma has come, so that another must follow.
    Passed,
}

impl State {
    pub(super) fn has_ended(&self) -> bool {
        self.place == Place::End
    }

    pub(super) fn end(&mut self) {
        self.all_is_there = true;
    }

    pub(super) fn next_item<K: Wire>(
        &mut self,
        buffer: &mut Buffer<'_>,
        metadata: &mut ListMeta,
        managed_fields: ManagedFields,
    ) -> Result<Option<K>, ReadError> {
        loop {
            if self.place == Place::End || (buffer.unread().len() < self.wanted && !self.all_is_there) {
                return Ok(None);
            }
            skip(buffer);
            let Some(first) = buffer.unread().first().copied() else { return Ok(None) };
            match (self.place, first, self.comma) {
                (Place::Begin, b'{', _) => {
                    self.place = Place::Key;
                    buffer.consume(1);
                }
                (Place::Key | Place::Item, b',', Comma::Due) => {
                    self.comma = Comma::Passed;
                    buffer.consume(1);
                }
                (Place::Key, b'}', Comma::None | Comma::Due) => {
                    self.place = Place::End;
                    K::check_list(&self.api_version, &self.kind)?;
                }
                (Place::Key, b'"', Comma::None | Comma::Passed) => {
                    if !self.member(buffer, metadata)? {
                        return Ok(self.wait(buffer));
                    }
                }
                (Place::Item, b']', Comma::None | Comma::Due) => {
                    (self.place, self.comma) = (Place::Key, Comma::Due);
                    buffer.consume(1);
                }
                (Place::Item, b'{', Comma::None | Comma::Passed) => {
                    match K::item_from_json(buffer.unread(), managed_fields) {
                        Ok(Some((mut item, length))) => {
                            item.set_list_type(&self.api_version, &self.kind);
                            (self.wanted, self.comma) = (0, Comma::Due);
                            buffer.consume(length);
                            return Ok(Some(item));
                        }
                        Ok(None) => return Ok(self.wait(buffer)),
                        Err(error) => return self.pass_over(error, buffer),
                    }
                }
                (Place::Item, _, Comma::None | Comma::Passed) => {
                    return Err(ReadError::Item(DecodeError::of_document("expected an object")));
                }
                _ => return Err(DecodeError::of_document("it is no list in JSON").into()),
            }
        }
    }

    /// Skips an item that cannot be decoded, once its end has arrived. Invalid JSON has no end.
    fn pass_over<K>(&mut self, error: DecodeError, buffer: &mut Buffer<'_>) -> Result<Option<K>, ReadError> {
        let item = match value_at(buffer.unread()) {
            Ok(Some(item)) => item,
            Ok(None) if !self.all_is_there => return Ok(self.wait(buffer)),
            _ => return Err(ReadError::Item(error)),
        };
        let error = error.of_object(Identity::read(Format::Json, item));
        let length = item.len();
        (self.wanted, self.comma) = (0, Comma::Due);
        buffer.consume(length);
        Err(ReadError::Item(error))
    }

    fn wait<K>(&mut self, buffer: &Buffer<'_>) -> Option<K> {
        let there = buffer.unread().len();
        self.wanted = there + there / 2 + 1;
        None
    }

    /// Reads a key and, unless it is `items`, its value; false if not all of its bytes have arrived.
    fn member(&mut self, buffer: &mut Buffer<'_>, metadata: &mut ListMeta) -> Result<bool, DecodeError> {
        let bytes = buffer.unread();
        let Some(key) = value_at(bytes)? else { return Ok(false) };
        let rest = &bytes[key.len()..];
        let Some(colon) = rest.iter().position(|byte| !is_space(*byte)) else { return Ok(false) };
        if rest[colon] != b':' {
            return Err(DecodeError::of_document("a key of the list has no value"));
        }
        let rest = &rest[colon + 1..];
        let Some(space) = rest.iter().position(|byte| !is_space(*byte)) else { return Ok(false) };
        let begin = key.len() + colon + 1 + space;
        if key == br#""items""# && bytes[begin] == b'[' {
            (self.place, self.comma) = (Place::Item, Comma::None);
            self.wanted = 0;
            buffer.consume(begin + 1);
            return Ok(true);
        }
        // A number ends at the byte behind it.
        if bytes[begin..].iter().all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')) {
            return Ok(false);
        }
        let Some(value) = value_at(&bytes[begin..])? else { return Ok(false) };
        let end = begin + value.len();
        let text = || serde_json::from_slice::<Option<String>>(value).ok().flatten().unwrap_or_default();
        match key {
            br#""metadata""# => {
                json::decode(value, metadata).map_err(|error| error.within("metadata"))?;
            }
            br#""apiVersion""# => self.api_version = text(),
            br#""kind""# => self.kind = text(),
            br#""items""# if value != b"null" => {
                return Err(DecodeError::of_document("items: expected a list"));
            }
            _ => {}
        }
        (self.wanted, self.comma) = (0, Comma::Due);
        buffer.consume(end);
        Ok(true)
    }
}

fn skip(buffer: &mut Buffer<'_>) {
    let length = buffer.unread().iter().take_while(|byte| is_space(**byte)).count();
    buffer.consume(length);
}

/// White space in JSON, which has fewer characters than that of ASCII.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}
