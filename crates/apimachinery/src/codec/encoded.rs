//! [`Encoded`], an object as it came.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use super::{DecodeError, Format, ManagedFields, Wire, json, protobuf};

/// An object of kind `K` as it came: its bytes, and their format.
///
/// In protobuf these are the bytes of the struct, without Kubernetes' envelope; in JSON those of the object, which
/// in built-in lists says nothing of its kind.
pub struct Encoded<K> {
    format: Format,
    bytes: Box<[u8]>,
    kind: PhantomData<fn() -> K>,
}

/// What an object says of itself in its metadata; empty where it says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EncodedMeta<'a> {
    /// `metadata.name`.
    pub name: Cow<'a, str>,
    /// `metadata.namespace`.
    pub namespace: Cow<'a, str>,
    /// `metadata.uid`.
    pub uid: Cow<'a, str>,
    /// `metadata.resourceVersion`.
    pub resource_version: Cow<'a, str>,
    /// `metadata.labels`, in the order in which they came.
    pub labels: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// `metadata.ownerReferences`.
    pub owners: Vec<EncodedOwner<'a>>,
}

/// An owner, as an object names it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EncodedOwner<'a> {
    /// The owner's `apiVersion`.
    pub api_version: Cow<'a, str>,
    /// The owner's kind.
    pub kind: Cow<'a, str>,
    /// The owner's name, in the object's own namespace or in none.
    pub name: Cow<'a, str>,
    /// The owner's uid.
    pub uid: Cow<'a, str>,
    /// Whether it is the one that controls the object.
    pub controller: bool,
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
    /// An object's bytes: in protobuf where its kind has that, else in JSON.
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

    /// Reads an object of a resource from its bytes. One that does not say of what kind it is, as those in built-in
    /// lists, is told.
    ///
    /// # Errors
    ///
    /// If the bytes are no object of this kind.
    pub fn decode_bytes(
        format: Format,
        bytes: &[u8],
        resource: &crate::ResourceInfo,
    ) -> Result<K, DecodeError> {
        let mut object: K = decode(format, bytes)?;
        object.set_list_type(&resource.api_version(), &format!("{}List", resource.kind));
        Ok(object)
    }

    /// Whether the bytes are an object of this kind, so that [`decode`](Self::decode) would read it, and what it says
    /// of itself. Nothing is built, so that this takes a fraction of the time.
    ///
    /// # Errors
    ///
    /// As [`decode`](Self::decode).
    pub fn check(&self) -> Result<EncodedMeta<'_>, DecodeError>
    where
        K: crate::Object,
    {
        let object = self.decode()?;
        let owned = |text: &str| Cow::Owned(text.to_owned());
        Ok(EncodedMeta {
            name: owned(object.name()),
            namespace: owned(object.namespace().unwrap_or_default()),
            uid: owned(object.uid()),
            resource_version: owned(object.resource_version()),
            labels: object.labels().map(|(key, value)| (owned(key), owned(value))).collect(),
            owners: Vec::new(),
        })
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

/// It goes over the wire as the object does, and is not looked at.
impl<K: Wire> Wire for Encoded<K> {
    fn from_json(bytes: &[u8]) -> Result<Self, DecodeError> {
        Ok(Self::new(Format::Json, bytes))
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
        let _ = managed_fields;
        Ok(json::value_at(bytes)?.map(|value| (Self::new(Format::Json, value), value.len())))
    }

    fn item_from_protobuf(bytes: &[u8], managed_fields: ManagedFields) -> Result<Self, DecodeError> {
        let _ = managed_fields;
        Ok(Self::new(Format::Protobuf, bytes))
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
