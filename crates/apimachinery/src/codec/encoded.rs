//! [`Encoded`], an object in its encoding.
//!
//! - *checked*: an object is known to be decodable without being decoded, with the same verdict for all inputs;
//! - *borrowed*: metadata and single fields are read from the bytes;
//! - *trimmed*: managed fields are removed on arrival, if they are not wanted.

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

/// An object of kind `K` in its encoding: its bytes and their format.
///
/// In protobuf these are the bytes of the struct, without the envelope; in JSON those of the object, without
/// `apiVersion` and `kind` if it is an item of a built-in list.
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
    /// Wraps an object's bytes, which are not checked.
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

    /// Converts into the bytes.
    pub fn into_bytes(self) -> Box<[u8]> {
        self.bytes
    }
}

impl<K: Wire> Encoded<K> {
    /// Encodes an object: in protobuf if its kind has that, else in JSON. Unknown fields that came in JSON
    /// ([`Unknown`](crate::Unknown)) are lost in protobuf.
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

    /// Decodes the object.
    ///
    /// # Errors
    ///
    /// If the bytes are no object of this kind.
    pub fn decode(&self) -> Result<K, DecodeError> {
        decode(self.format, &self.bytes)
    }

    /// Decodes an object of a resource, and sets its kind if the bytes do not have it: items of built-in lists do not,
    /// and [`Unstructured`](crate::Unstructured) cannot know it otherwise.
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

    /// Decodes the object of a resource: see [`decode_bytes`](Self::decode_bytes).
    ///
    /// # Errors
    ///
    /// The same as those of [`decode`](Self::decode).
    pub fn decode_as(&self, resource: &ResourceInfo) -> Result<K, DecodeError> {
        Self::decode_bytes(self.format, &self.bytes, resource)
    }

    /// Checks that [`decode`](Self::decode) would succeed, and returns the object's metadata. For kinds with a schema,
    /// and for [`Unstructured`](crate::Unstructured), nothing is built, so that this takes a fraction of the time;
    /// strings borrow from [`bytes`](Self::bytes) unless JSON escapes them.
    ///
    /// # Errors
    ///
    /// The same as those of [`decode`](Self::decode).
    pub fn check(&self) -> Result<EncodedMeta<'_>, DecodeError> {
        K::check_item(self.format, &self.bytes)
    }

    /// The namespace, name, UID and resourceVersion, as far as they can be read. The object need not be decodable.
    pub fn identity(&self) -> Identity {
        Identity::read(self.format, &self.bytes)
    }

    /// The value of a field as a string, without decoding the rest: `None` if it is missing, or the bytes are no object
    /// of this kind. Strings are borrowed; numbers, booleans and times are as in JSON. Of duplicate names in a JSON
    /// object, which servers do not send, the first counts.
    pub fn text_at(&self, path: &FieldPath<K>) -> Option<Cow<'_, str>> {
        path.text_in_bytes(self.format, &self.bytes)
    }
}

/// Decodes an object without an envelope.
fn decode<K: Wire>(format: Format, bytes: &[u8]) -> Result<K, DecodeError> {
    match format {
        Format::Protobuf => K::item_from_protobuf(bytes, ManagedFields::Keep),
        Format::Json => match K::item_from_json(bytes, ManagedFields::Keep)? {
            Some((object, length)) if length == bytes.len() => Ok(object),
            _ => Err(DecodeError::of_document("the object is cut off")),
        },
    }
}

/// Checks an object of a kind with a schema.
pub fn check_item<K: SchemaKind + Wire>(
    format: Format,
    bytes: &[u8],
) -> Result<EncodedMeta<'_>, DecodeError> {
    let table = KindTable::of::<K>();
    let meta = match format {
        Format::Protobuf => protobuf::check(table.schema, bytes),
        Format::Json => json::check(&table, bytes),
    };
    meta.ok_or_else(|| decode_error::<K>(format, bytes))
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

/// The error of decoding an object that the check has rejected.
#[cold]
fn decode_error<K: Wire>(format: Format, bytes: &[u8]) -> DecodeError {
    match decode::<K>(format, bytes) {
        Err(error) => error,
        Ok(_) => DecodeError::of_document("it is not what its kind says"),
    }
}

/// The protobuf number of an object's metadata.
pub(super) fn metadata_number(schema: &Schema) -> Option<u32> {
    let is_metadata = |ty: &Type| matches!(ty, Type::Message(schema) if *schema == &OBJECT_META);
    let field = schema.fields.iter().find(|field| field.json == "metadata" && is_metadata(&field.ty))?;
    (field.number > 0 && field.within.is_empty()).then_some(field.number)
}

/// The bytes are sent and received as they are.
impl<K: Wire> Wire for Encoded<K> {
    /// White space around the object, such as the newline that servers append, is removed.
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
