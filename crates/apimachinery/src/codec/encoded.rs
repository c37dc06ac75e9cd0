//! [`Encoded`], an object as it came.
//!
//! - *checked*: whether it would decode is known without decoding it, with the same verdict, whatever the bytes;
//! - *borrowed*: what it says of itself is read from its bytes, and one field of it as well;
//! - *cut*: its managed fields are left away as it arrives, where nobody wants them.

mod identity;
mod meta;

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

pub use identity::Identity;
pub use meta::{EncodedMeta, EncodedOwner};

use super::{DecodeError, FieldPath, Format, KindTable, ManagedFields, SchemaKind, Wire, json, protobuf};
use crate::ResourceInfo;
use crate::meta::v1::schema::OBJECT_META;
use crate::schema::{Schema, Type};

/// An object of kind `K` as it came: its bytes, and their format.
///
/// In protobuf these are the bytes of the struct, without Kubernetes' envelope; in JSON those of the object, which
/// in built-in lists says nothing of its kind.
///
/// ```
/// use klient_apimachinery::codec::{Encoded, Format};
/// use klient_apimachinery::meta::v1::PartialObjectMetadata;
///
/// let json = &br#"{"metadata":{"name":"web-0","labels":{"app":"web"}}}"#[..];
/// let encoded = Encoded::<PartialObjectMetadata>::new(Format::Json, json);
/// let meta = encoded.check()?;
/// assert_eq!(meta.name, "web-0");
/// assert_eq!(meta.labels, [("app".into(), "web".into())]);
///
/// let wrong = &br#"{"metadata":{"name":7}}"#[..];
/// let error = Encoded::<PartialObjectMetadata>::new(Format::Json, wrong).check().unwrap_err();
/// assert_eq!(error.path(), "metadata.name");
/// # Ok::<(), klient_apimachinery::codec::DecodeError>(())
/// ```
pub struct Encoded<K> {
    format: Format,
    bytes: Box<[u8]>,
    kind: PhantomData<fn() -> K>,
}

impl<K> Encoded<K> {
    /// Of an object's bytes, which are believed to be what they should.
    pub fn new(format: Format, bytes: impl Into<Box<[u8]>>) -> Self {
        Encoded { format, bytes: bytes.into(), kind: PhantomData }
    }

    /// The format of the bytes.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes, to keep.
    pub fn into_bytes(self) -> Box<[u8]> {
        self.bytes
    }
}

impl<K: Wire> Encoded<K> {
    /// An object's bytes: in protobuf where its kind has that, else in JSON. Fields that came in JSON and are not
    /// [known](crate::Unknown) have no place in protobuf.
    pub fn of(object: &K) -> Self {
        let mut bytes = Vec::new();
        if !K::has_protobuf() {
            object.to_json(&mut bytes);
            return Self::new(Format::Json, bytes);
        }
        object.to_protobuf(&mut bytes);
        let raw = protobuf::Envelope::parse(&bytes).expect("it was written above").raw;
        Self::new(Format::Protobuf, raw)
    }

    /// Reads the object.
    ///
    /// # Errors
    ///
    /// If the bytes are no object of this kind.
    pub fn decode(&self) -> Result<K, DecodeError> {
        decode(self.format, &self.bytes)
    }

    /// Reads an object of a resource from bytes, and tells it its kind if it does not say so itself: the items of
    /// built-in lists do not, and [`Unstructured`](crate::Unstructured) has no other way to know.
    ///
    /// # Errors
    ///
    /// If the bytes are no object of this kind.
    pub fn decode_bytes(format: Format, bytes: &[u8], resource: &ResourceInfo) -> Result<K, DecodeError> {
        let mut object: K = decode(format, bytes)?;
        if K::table().is_none() {
            object.set_list_type(&resource.api_version(), &format!("{}List", resource.kind));
        }
        Ok(object)
    }

    /// Reads the object of a resource: see [`decode_bytes`](Self::decode_bytes).
    ///
    /// # Errors
    ///
    /// As [`decode`](Self::decode).
    pub fn decode_as(&self, resource: &ResourceInfo) -> Result<K, DecodeError> {
        Self::decode_bytes(self.format, &self.bytes, resource)
    }

    /// Whether the bytes are an object of this kind, so that [`decode`](Self::decode) would read it, and what it says
    /// of itself. Nothing of a kind whose fields are known, or of [`Unstructured`](crate::Unstructured), is built, so
    /// that this takes a fraction of the time; what is not empty and not escaped in JSON is a part of
    /// [`bytes`](Self::bytes).
    ///
    /// # Errors
    ///
    /// As [`decode`](Self::decode).
    pub fn check(&self) -> Result<EncodedMeta<'_>, DecodeError> {
        K::check_item(self.format, &self.bytes)
    }

    /// Which object the bytes are, as far as that can be read. It need not be decodable.
    pub fn identity(&self) -> Identity {
        Identity::read(self.format, &self.bytes)
    }

    /// The text of a field, without reading the rest: nothing where it is not there, or the bytes are no object of
    /// this kind. Strings are borrowed; numbers, booleans and times are as JSON has them. Of names that stand twice in a
    /// JSON object, which servers do not send, the first counts.
    pub fn text_at(&self, path: &FieldPath<K>) -> Option<Cow<'_, str>> {
        path.text_in_bytes(self.format, &self.bytes)
    }
}

/// Reads an object that has no envelope.
fn decode<K: Wire>(format: Format, bytes: &[u8]) -> Result<K, DecodeError> {
    match format {
        Format::Protobuf => K::item_from_protobuf(bytes, ManagedFields::Keep),
        Format::Json => match K::item_from_json(bytes, ManagedFields::Keep)? {
            Some((object, length)) if length == bytes.len() => Ok(object),
            _ => Err(DecodeError::of_document("the object is cut off")),
        },
    }
}

/// Checks an object of a kind whose fields are known.
pub fn check_item<K: SchemaKind + Wire>(
    format: Format,
    bytes: &[u8],
) -> Result<EncodedMeta<'_>, DecodeError> {
    let table = KindTable::of::<K>();
    let meta = match format {
        Format::Protobuf => protobuf::check(table.schema, bytes),
        Format::Json => json::check(&table, bytes),
    };
    meta.ok_or_else(|| why_not::<K>(format, bytes))
}

/// Checks an object by decoding it.
pub(crate) fn check_by_decoding<K: Wire>(
    format: Format,
    bytes: &[u8],
) -> Result<EncodedMeta<'_>, DecodeError> {
    decode::<K>(format, bytes)?;
    let meta = match format {
        Format::Protobuf => protobuf::check(&crate::meta::v1::schema::PARTIAL_OBJECT_METADATA, bytes),
        Format::Json => json::meta_of_any(bytes),
    };
    meta.ok_or_else(|| DecodeError::of_document("it has no metadata that can be read"))
}

/// Why an object cannot be decoded.
#[cold]
fn why_not<K: Wire>(format: Format, bytes: &[u8]) -> DecodeError {
    match decode::<K>(format, bytes) {
        Err(error) => error,
        Ok(_) => DecodeError::of_document("it is not what its kind says"),
    }
}

/// The number of an object's metadata in protobuf.
pub(super) fn metadata_number(schema: &Schema) -> Option<u32> {
    let is_metadata = |ty: &Type| matches!(ty, Type::Message(schema) if *schema == &OBJECT_META);
    let field = schema.fields.iter().find(|field| field.json == "metadata" && is_metadata(&field.ty))?;
    (field.number > 0 && field.within.is_empty()).then_some(field.number)
}

/// It goes over the wire as the object does, and is not looked at.
impl<K: Wire> Wire for Encoded<K> {
    /// What stands around the object, such as the line's end that servers write behind it, is left away.
    fn from_json(bytes: &[u8]) -> Result<Self, DecodeError> {
        let bytes = bytes.trim_ascii_start();
        match json::value_at(bytes)? {
            Some(value) if bytes[value.len()..].trim_ascii_start().is_empty() => {
                Ok(Self::new(Format::Json, value))
            }
            Some(_) => Err(DecodeError::of_document("something stands behind the object")),
            None => Err(DecodeError::of_document("the object is cut off")),
        }
    }

    fn to_json(&self, out: &mut Vec<u8>) {
        match self.format {
            Format::Json => out.extend_from_slice(&self.bytes),
            Format::Protobuf => {
                if let Ok(object) = self.decode() {
                    object.to_json(out);
                }
            }
        }
    }

    fn has_protobuf() -> bool {
        K::has_protobuf()
    }

    fn from_protobuf(bytes: &[u8]) -> Result<Self, DecodeError> {
        let envelope = protobuf::Envelope::parse(bytes)?;
        K::check_kind(envelope.api_version, envelope.kind)?;
        Ok(Self::new(Format::Protobuf, envelope.raw))
    }

    fn to_protobuf(&self, out: &mut Vec<u8>) {
        if let Ok(object) = self.decode() {
            object.to_protobuf(out);
        }
    }

    fn item_from_json(
        bytes: &[u8],
        managed_fields: ManagedFields,
    ) -> Result<Option<(Self, usize)>, DecodeError> {
        if managed_fields == ManagedFields::Keep {
            return Ok(json::value_at(bytes)?.map(|value| (Self::new(Format::Json, value), value.len())));
        }
        let item = json::item_without_managed_fields(bytes)?;
        Ok(item.map(|(object, length)| (Self::new(Format::Json, object), length)))
    }

    fn item_from_protobuf(bytes: &[u8], managed_fields: ManagedFields) -> Result<Self, DecodeError> {
        let metadata = K::table().and_then(|table| metadata_number(table.schema));
        Ok(match (managed_fields, metadata) {
            (ManagedFields::Skip, Some(metadata)) => {
                Self::new(Format::Protobuf, protobuf::without_managed_fields(bytes, metadata))
            }
            _ => Self::new(Format::Protobuf, bytes),
        })
    }

    fn check_kind(api_version: &str, kind: &str) -> Result<(), DecodeError> {
        K::check_kind(api_version, kind)
    }

    fn is_partial() -> bool {
        K::is_partial()
    }

    fn check_list(api_version: &str, kind: &str) -> Result<(), DecodeError> {
        K::check_list(api_version, kind)
    }
}

impl<K> Clone for Encoded<K> {
    fn clone(&self) -> Self {
        Encoded { format: self.format, bytes: self.bytes.clone(), kind: PhantomData }
    }
}

/// The bytes may be secret, and are not shown.
impl<K> fmt::Debug for Encoded<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Encoded({:?}, {} bytes)", self.format, self.bytes.len())
    }
}
