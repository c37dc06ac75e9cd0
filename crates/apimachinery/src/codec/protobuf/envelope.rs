//! [`Envelope`], the kind and the bytes of an object.

use super::decode::{decode, text};
use super::encode;
use super::frame::fields;
use super::wire::Output;
use crate::List;
use crate::codec::{DecodeError, ManagedFields, SchemaKind, check_kind};
use crate::message::Message;

/// The first bytes of every object in protobuf.
pub const MAGIC: [u8; 4] = *b"k8s\0";

/// An object's kind and its bytes (`runtime.Unknown`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// The `apiVersion`, such as `apps/v1`.
    pub api_version: &'a str,
    /// The kind, such as `Deployment`.
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
        for field in fields(body) {
            match field? {
                (1, type_meta) => (envelope.api_version, envelope.kind) = read_type_meta(type_meta)?,
                (2, raw) => envelope.raw = raw,
                (3, encoding) if !encoding.is_empty() => {
                    let problem = "its content is encoded once more, in a way that is not known";
                    return Err(DecodeError::of_document(problem));
                }
                _ => {}
            }
        }
        Ok(envelope)
    }

    /// Appends the envelope.
    pub fn write(&self, out: &mut Vec<u8>) {
        let (head, tail) = Self::head_and_tail(self.api_version, self.kind, self.raw.len());
        out.reserve(head.len() + self.raw.len() + tail.len());
        out.extend_from_slice(&head);
        out.extend_from_slice(self.raw);
        out.extend_from_slice(tail);
    }

    /// The bytes of the envelope before and behind a struct of `length` bytes.
    pub fn head_and_tail(api_version: &str, kind: &str, length: usize) -> (Vec<u8>, &'static [u8]) {
        let mut head = Output::with_capacity(api_version.len() + kind.len() + 32);
        head.head(2, length);
        write_type_meta(api_version, kind, &mut head);
        (head.written().to_vec(), &TAIL)
    }
}

/// The empty `contentEncoding` and `contentType`.
const TAIL: [u8; 4] = [3 << 3 | 2, 0, 4 << 3 | 2, 0];

/// Writes the beginning of the envelope.
fn write_type_meta(api_version: &str, kind: &str, out: &mut Output) {
    let before = out.len();
    out.bytes(2, kind.as_bytes());
    out.bytes(1, api_version.as_bytes());
    out.close(1, before);
    out.prepend(&MAGIC);
}

/// Appends an envelope around the output of `write_raw`, of which about so many bytes are expected.
fn write(
    api_version: &str,
    kind: &str,
    expected: usize,
    write_raw: impl FnOnce(&mut Output),
    out: &mut Vec<u8>,
) {
    let mut output = Output::with_capacity(expected + 128);
    output.prepend(&TAIL);
    let before = output.len();
    write_raw(&mut output);
    output.close(2, before);
    write_type_meta(api_version, kind, &mut output);
    out.extend_from_slice(output.written());
}

/// The apiVersion and kind.
pub(crate) fn read_type_meta(bytes: &[u8]) -> Result<(&str, &str), DecodeError> {
    let (mut api_version, mut kind) = ("", "");
    for field in fields(bytes) {
        match field? {
            (1, bytes) => api_version = text(bytes).map_err(DecodeError::of_document)?,
            (2, bytes) => kind = text(bytes).map_err(DecodeError::of_document)?,
            _ => {}
        }
    }
    Ok((api_version, kind))
}

/// Decodes an object of a known kind.
///
/// # Errors
///
/// If the bytes are not an object in protobuf, name another kind, or a known field has another type.
pub fn from_slice<T: Message + Default + SchemaKind>(bytes: &[u8]) -> Result<T, DecodeError> {
    let envelope = Envelope::parse(bytes)?;
    // Protobuf does not name its types: another kind would be decoded as this one.
    check_kind::<T>(envelope.api_version, envelope.kind)?;
    let mut object = T::default();
    decode(envelope.raw, &mut object, ManagedFields::Keep)?;
    Ok(object)
}

/// Appends an object of a known kind.
pub fn to_vec<T: Message + SchemaKind>(object: &T, out: &mut Vec<u8>) {
    write(T::API_VERSION, T::KIND, 1024, |output| encode::write(output, object), out);
}

/// Appends a list of objects of a known kind.
pub fn list_to_vec<T: Message + SchemaKind>(list: &List<T>, out: &mut Vec<u8>) {
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
