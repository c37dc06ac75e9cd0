//! [`Envelope`], what stands around an object: which kind it is.

use super::decode::{decode, text};
use super::encode;
use super::wire::{Input, Output, Problem, WireType};
use crate::List;
use crate::codec::{DecodeError, Kind, ManagedFields, check_kind};
use crate::message::Message;

/// What every object in protobuf begins with.
pub const MAGIC: [u8; 4] = *b"k8s\0";

/// An object's kind and its bytes (`runtime.Unknown`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// Such as `apps/v1`.
    pub api_version: &'a str,
    /// Such as `Deployment`.
    pub kind: &'a str,
    /// The bytes of the struct.
    pub raw: &'a [u8],
}

impl<'a> Envelope<'a> {
    /// Reads an envelope.
    ///
    /// # Errors
    ///
    /// If the bytes do not begin with [`MAGIC`], or are no envelope.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let body = bytes.strip_prefix(&MAGIC).ok_or_else(|| {
            DecodeError::of_document("it is no object in protobuf: it does not begin with `k8s\\0`")
        })?;
        let mut envelope = Envelope::default();
        let read = |envelope: &mut Envelope<'a>| -> Result<(), Problem> {
            let mut input = Input(body);
            while !input.is_empty() {
                match next(&mut input)? {
                    Some((1, type_meta)) => {
                        (envelope.api_version, envelope.kind) = read_type_meta(type_meta)?;
                    }
                    Some((2, raw)) => envelope.raw = raw,
                    Some((3, encoding)) if !encoding.is_empty() => {
                        return Err("its content is encoded once more, in a way that is not known");
                    }
                    _ => {}
                }
            }
            Ok(())
        };
        read(&mut envelope).map_err(DecodeError::of_document)?;
        Ok(envelope)
    }

    /// Appends the envelope.
    pub fn write(&self, out: &mut Vec<u8>) {
        let write_raw = |output: &mut Output| output.prepend(self.raw);
        write(self.api_version, self.kind, self.raw.len(), write_raw, out);
    }
}

/// Appends an envelope around what `write_raw` writes, of which about so much is expected.
fn write(
    api_version: &str,
    kind: &str,
    expected: usize,
    write_raw: impl FnOnce(&mut Output),
    out: &mut Vec<u8>,
) {
    let mut output = Output::with_capacity(expected + 128);
    // How and as what the content is encoded once more: it is not.
    output.bytes(4, b"");
    output.bytes(3, b"");
    let before = output.len();
    write_raw(&mut output);
    output.close(2, before);
    let before = output.len();
    output.bytes(2, kind.as_bytes());
    output.bytes(1, api_version.as_bytes());
    output.close(1, before);
    output.prepend(&MAGIC);
    out.extend_from_slice(output.written());
}

/// The apiVersion and kind.
pub(crate) fn read_type_meta(bytes: &[u8]) -> Result<(&str, &str), Problem> {
    let mut input = Input(bytes);
    let (mut api_version, mut kind) = ("", "");
    while !input.is_empty() {
        match next(&mut input)? {
            Some((1, text_of)) => api_version = text(text_of)?,
            Some((2, text_of)) => kind = text(text_of)?,
            _ => {}
        }
    }
    Ok((api_version, kind))
}

/// Reads an object of a known kind.
///
/// # Errors
///
/// If the bytes are not an object in protobuf, name another kind, or hold something else where a field is known.
pub fn from_slice<T: Message + Default + Kind>(bytes: &[u8]) -> Result<T, DecodeError> {
    let envelope = Envelope::parse(bytes)?;
    // Protobuf does not say its types: another kind would be read as something else.
    check_kind::<T>(envelope.api_version, envelope.kind)?;
    let mut object = T::default();
    decode(envelope.raw, &mut object, ManagedFields::Keep)?;
    Ok(object)
}

/// Appends an object of a known kind.
pub fn to_vec<T: Message + Kind>(object: &T, out: &mut Vec<u8>) {
    write(T::API_VERSION, T::KIND, 1024, |output| encode::write(output, object), out);
}

/// Appends a list of objects of a known kind.
pub fn list_to_vec<T: Message + Kind>(list: &List<T>, out: &mut Vec<u8>) {
    let write_list = |output: &mut Output| {
        for item in list.items.iter().rev() {
            let before = output.len();
            encode::write(output, item);
            output.close(2, before);
        }
        let before = output.len();
        encode::write(output, &list.metadata);
        output.close(1, before);
    };
    write(T::API_VERSION, &format!("{}List", T::KIND), 1024 * list.items.len(), write_list, out);
}

/// The next field, if it holds bytes.
pub(super) fn next<'a>(input: &mut Input<'a>) -> Result<Option<(u32, &'a [u8])>, Problem> {
    let (number, wire) = input.tag()?;
    match wire {
        WireType::Bytes => Ok(Some((number, input.bytes()?))),
        _ => input.skip(wire).map(|()| None),
    }
}
