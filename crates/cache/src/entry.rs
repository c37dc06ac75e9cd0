//! [`Entry`], an object as a store keeps it.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use klient_apimachinery::codec::{Encoded, FieldPath, Format, Wire};
use klient_apimachinery::{Object, ResourceInfo, Str};

use crate::intern::{LabelSet, Owner, Owners};
use crate::key::ObjectKey;
use crate::undecodable::Undecodable;

/// An object as a store keeps it: interned metadata, and the rest encoded or decoded.
pub(crate) struct Entry<K> {
    resource: Arc<ResourceInfo>,
    pub(crate) namespace: Arc<Str>,
    pub(crate) labels: Arc<LabelSet>,
    owners: Option<Arc<Owners>>,
    pub(crate) content: Content<K>,
}

/// The object's contents, and the positions of its name, uid and version.
pub(crate) enum Content<K> {
    Packed(Packed<K>),
    Decoded(Box<K>),
    /// The last decodable state of an object whose present version cannot be decoded.
    Stale {
        /// Never stale itself.
        last: Arc<Entry<K>>,
        newer: Arc<Undecodable>,
    },
}

pub(crate) struct Packed<K> {
    format: Format,
    /// The encoded object, followed by those of its name, uid and version that do not occur in it literally.
    bytes: Box<[u8]>,
    /// The length of the encoded object, in bytes.
    length: u32,
    name: Span,
    uid: Span,
    version: Span,
    /// The decoded object, while a handle exists. Afterwards only the allocation of the `Weak` remains.
    decoded: Mutex<Weak<Boxed<K>>>,
}

/// The decoded object behind a pointer of its own, so that its memory is freed although a `Weak` still refers
/// to this.
pub(crate) struct Boxed<K>(pub(crate) Box<K>);

/// The position of a string within bytes.
#[derive(Clone, Copy, Default)]
struct Span {
    start: u32,
    length: u32,
}

/// The metadata that entries share through the interner.
pub(crate) struct SharedMetadata {
    pub(crate) resource: Arc<ResourceInfo>,
    pub(crate) namespace: Arc<Str>,
    pub(crate) labels: Arc<LabelSet>,
    pub(crate) owners: Option<Arc<Owners>>,
}

/// The positions of an object's name, uid and version within its bytes.
pub(crate) struct NameSpans {
    /// Strings to append to the object's bytes.
    extra: Vec<u8>,
    name: Span,
    uid: Span,
    version: Span,
}

impl NameSpans {
    /// Locates the strings that point into the bytes; the others are put in `extra`.
    pub(crate) fn locate(bytes: &[u8], name: &str, uid: &str, version: &str) -> Self {
        let mut extra = Vec::new();
        let mut span = |text: &str| {
            let base = bytes.as_ptr() as usize;
            let start = (text.as_ptr() as usize).wrapping_sub(base);
            let is_inside = start.checked_add(text.len()).is_some_and(|end| end <= bytes.len())
                && bytes.get(start..start + text.len()) == Some(text.as_bytes());
            let start = if is_inside {
                start
            } else {
                extra.extend_from_slice(text.as_bytes());
                bytes.len() + extra.len() - text.len()
            };
            Span { start: to_u32(start), length: to_u32(text.len()) }
        };
        let (name, uid, version) = (span(name), span(uid), span(version));
        NameSpans { extra, name, uid, version }
    }
}

fn to_u32(length: usize) -> u32 {
    u32::try_from(length).expect("an object has fewer than 4 GiB")
}

impl<K> Entry<K> {
    pub(crate) fn packed(shared: SharedMetadata, encoded: Encoded<K>, names: NameSpans) -> Self {
        let format = encoded.format();
        let mut bytes = encoded.into_bytes();
        let length = to_u32(bytes.len());
        if !names.extra.is_empty() {
            bytes = [&*bytes, &names.extra].concat().into();
        }
        let NameSpans { name, uid, version, .. } = names;
        let decoded = Mutex::new(Weak::new());
        Self::new(shared, Content::Packed(Packed { format, bytes, length, name, uid, version, decoded }))
    }

    pub(crate) fn decoded(shared: SharedMetadata, object: K) -> Self {
        Self::new(shared, Content::Decoded(Box::new(object)))
    }

    /// An entry for the last decodable state of an object whose newer version cannot be decoded.
    pub(crate) fn stale(last: &Arc<Self>, newer: Arc<Undecodable>) -> Self {
        let last = match &last.content {
            Content::Stale { last, .. } => last,
            _ => last,
        };
        Entry {
            resource: last.resource.clone(),
            namespace: last.namespace.clone(),
            labels: last.labels.clone(),
            owners: last.owners.clone(),
            content: Content::Stale { last: last.clone(), newer },
        }
    }

    /// The newer version that cannot be decoded, if this state is stale.
    pub(crate) fn newer(&self) -> Option<&Arc<Undecodable>> {
        match &self.content {
            Content::Stale { newer, .. } => Some(newer),
            _ => None,
        }
    }

    fn new(shared: SharedMetadata, content: Content<K>) -> Self {
        let SharedMetadata { resource, namespace, labels, owners } = shared;
        Entry { resource, namespace, labels, owners, content }
    }

    pub(crate) fn owners(&self) -> &[Owner] {
        self.owners.as_ref().map_or(&[], |owners| owners)
    }
}

impl<K: Object> Entry<K> {
    pub(crate) fn name(&self) -> &str {
        match &self.content {
            Content::Packed(packed) => packed.text(packed.name),
            Content::Decoded(object) => object.name(),
            Content::Stale { last, .. } => last.name(),
        }
    }

    pub(crate) fn uid(&self) -> &str {
        match &self.content {
            Content::Packed(packed) => packed.text(packed.uid),
            Content::Decoded(object) => object.uid(),
            Content::Stale { last, .. } => last.uid(),
        }
    }

    pub(crate) fn version(&self) -> &str {
        match &self.content {
            Content::Packed(packed) => packed.text(packed.version),
            Content::Decoded(object) => object.resource_version(),
            Content::Stale { last, .. } => last.version(),
        }
    }

    /// Returns true if both are the same object at the same version. A state without a version, or a stale one,
    /// equals itself alone.
    pub(crate) fn is_same_state(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
            || (!self.version().is_empty()
                && self.version() == other.version()
                && self.uid() == other.uid()
                && self.newer().is_none()
                && other.newer().is_none())
    }

    pub(crate) fn key(&self) -> ObjectKey {
        ObjectKey::new(Some(&self.namespace), self.name())
    }
}

impl<K: Wire> Entry<K> {
    /// The object in its encoded form; a decoded object is encoded for this.
    pub(crate) fn encoded(&self) -> Encoded<K> {
        match &self.content {
            Content::Packed(packed) => Encoded::new(packed.format, &packed.bytes[..packed.length as usize]),
            Content::Decoded(object) => Encoded::of(object),
            Content::Stale { last, .. } => last.encoded(),
        }
    }
}

impl<K> Packed<K> {
    fn text(&self, span: Span) -> &str {
        let bytes = &self.bytes[span.start as usize..][..span.length as usize];
        std::str::from_utf8(bytes).expect("it was text when its place was noted")
    }
}

impl<K: Wire> Entry<K> {
    /// The value of a field as a string; `None` if it is not set.
    pub(crate) fn text_at(&self, path: &FieldPath<K>) -> Option<Cow<'_, str>> {
        match &self.content {
            Content::Packed(packed) => {
                path.text_in_bytes(packed.format, &packed.bytes[..packed.length as usize])
            }
            Content::Decoded(object) => path.text_in(object),
            Content::Stale { last, .. } => last.text_at(path),
        }
    }
}

impl<K: Wire> Packed<K> {
    /// The decoded object, shared by all handles that exist at the same time.
    pub(crate) fn object(&self, resource: &ResourceInfo) -> Arc<Boxed<K>> {
        let mut decoded = self.decoded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(object) = decoded.upgrade() {
            return object;
        }
        let bytes = &self.bytes[..self.length as usize];
        let object = Encoded::<K>::decode_bytes(self.format, bytes, resource);
        let object = Arc::new(Boxed(Box::new(object.expect("the bytes were checked when they arrived"))));
        *decoded = Arc::downgrade(&object);
        object
    }
}

impl<K> Entry<K> {
    pub(crate) fn resource(&self) -> &ResourceInfo {
        &self.resource
    }
}
