//! Lists in protobuf: the beginning of the envelope, then the fields of the list one by one.

use super::{Buffer, ReadError};
use crate::codec::protobuf::wire::{CUT, Input, Problem, WireType};
use crate::codec::protobuf::{MAGIC, decode, read_type_meta};
use crate::codec::{DecodeError, Format, Identity, ManagedFields, Wire};
use crate::meta::v1::ListMeta;

/// The progress of reading.
#[derive(Default)]
pub(super) enum State {
    /// Before the magic.
    #[default]
    Begin,
    /// Among the fields of the envelope.
    Envelope,
    /// Within the list, of which so many bytes are left.
    List { left: usize },
    /// Behind the list. The rest of the envelope is ignored.
    End,
}

/// The position of a field: its number, the range of its content, and whether all of it has arrived.
struct Field {
    number: u32,
    begin: usize,
    end: usize,
    whole: bool,
}

impl State {
    pub(super) fn has_ended(&self) -> bool {
        matches!(self, State::End) || matches!(self, State::List { left: 0 })
    }

    pub(super) fn next_item<K: Wire>(
        &mut self,
        buffer: &mut Buffer<'_>,
        metadata: &mut ListMeta,
        managed_fields: ManagedFields,
    ) -> Result<Option<K>, ReadError> {
        loop {
            let bytes = buffer.unread();
            match self {
                State::Begin => {
                    let Some(magic) = bytes.get(..MAGIC.len()) else { return Ok(None) };
                    if magic != MAGIC {
                        let problem = "it is no list in protobuf: it does not begin with `k8s\\0`";
                        return Err(of_document(problem).into());
                    }
                    buffer.consume(MAGIC.len());
                    *self = State::Envelope;
                }
                State::Envelope => {
                    let Some(field) = head(bytes)? else { return Ok(None) };
                    match field.number {
                        // The list is read as it arrives.
                        2 => {
                            *self = State::List { left: field.end - field.begin };
                            buffer.consume(field.begin);
                        }
                        _ if !field.whole => return Ok(None),
                        number => {
                            if number == 1 {
                                let type_meta = &bytes[field.begin..field.end];
                                let (api_version, kind) = read_type_meta(type_meta)?;
                                K::check_list(api_version, kind)?;
                            }
                            buffer.consume(field.end);
                        }
                    }
                }
                State::List { left: 0 } => *self = State::End,
                State::List { left } => {
                    let Some(field) = head(bytes)? else { return Ok(None) };
                    if field.end > *left {
                        return Err(of_document(CUT).into());
                    }
                    if !field.whole {
                        return Ok(None);
                    }
                    let content = &bytes[field.begin..field.end];
                    let item = match field.number {
                        1 => decode(content, metadata, managed_fields).map(|()| None)?,
                        2 => Some(K::item_from_protobuf(content, managed_fields).map_err(|error| {
                            ReadError::Item(error.of_object(Identity::read(Format::Protobuf, content)))
                        })),
                        _ => None,
                    };
                    *left -= field.end;
                    buffer.consume(field.end);
                    if let Some(item) = item {
                        return item.map(Some);
                    }
                }
                State::End => return Ok(None),
            }
        }
    }
}

/// The next field, once its tag and length have arrived.
fn head(bytes: &[u8]) -> Result<Option<Field>, DecodeError> {
    /// A tag and a length have at most ten bytes each.
    const LONGEST: usize = 20;
    let is_cut = bytes.len() < LONGEST;
    let mut input = Input(bytes);
    let read = |input: &mut Input<'_>| {
        let (number, wire) = input.tag()?;
        if wire != WireType::Bytes {
            return Err("a field of a list is no struct");
        }
        Ok((number, input.varint()?))
    };
    match read(&mut input) {
        Ok((number, length)) => {
            let begin = bytes.len() - input.0.len();
            let length = usize::try_from(length).map_err(|_| of_document(CUT))?;
            let end = begin.checked_add(length).ok_or_else(|| of_document(CUT))?;
            Ok(Some(Field { number, begin, end, whole: end <= bytes.len() }))
        }
        Err(CUT) if is_cut => Ok(None),
        Err(problem) => Err(of_document(problem)),
    }
}

fn of_document(problem: Problem) -> DecodeError {
    DecodeError::of_document(problem)
}
