//! [`Entry`], an object as a store keeps it.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use klient_apimachinery::codec::{Encoded, FieldPath, Format, Wire};
use klient_apimachinery::{Object, ResourceInfo, Str};

use crate::intern::{LabelSet, Owner, Owners};
use crate::key::ObjectKey;
use crate::undecodable::Undecodable;

/// An object as a store keeps it: its metadata at hand, and the rest encoded or decoded.
pub(crate) struct Entry<K> {
    resource: Arc<ResourceInfo>,
    pub(crate) namespace: Arc<Str>,
    pub(crate) labels: Arc<LabelSet>,
    owners: Option<Arc<Owners>>,
    pub(crate) content: Content<K>,
}

/// The object, and where in it its names stand.
pub(crate) enum Content<K> {
    Packed(Packed<K>),
    Decoded(Box<K>),
    /// The last state of an object of which the server holds a version that cannot be decoded.
    Stale {
        /// It is not stale itself.
        last: Arc<Entry<K>>,
        newer: Arc<Undecodable>,
    },
}

pub(crate) struct Packed<K> {
    format: Format,
    /// The object's bytes, and behind them those names that they have in another spelling.
    bytes: Box<[u8]>,
    /// How many bytes the object has.
    length: u32,
    name: Span,
    uid: Span,
    version: Span,
    /// The object while somebody holds it. What is left of one that nobody holds is the size of its box.
    decoded: Mutex<Weak<Boxed<K>>>,
}

/// An object on its own, so that it can be freed while somebody remembers where it was.
pub(crate) struct Boxed<K>(pub(crate) Box<K>);

/// A text within bytes.
#[derive(Clone, Copy, Default)]
struct Span {
    start: u32,
    length: u32,
}

/// What objects of one entry share.
pub(crate) struct SharedMetadata {
    pub(crate) resource: Arc<ResourceInfo>,
    pub(crate) namespace: Arc<Str>,
    pub(crate) labels: Arc<LabelSet>,
    pub(crate) owners: Option<Arc<Owners>>,
}

/// The names within an object's bytes.
pub(crate) struct NameSpans {
    /// The object's bytes, and names behind them.
    extra: Vec<u8>,
    name: Span,
    uid: Span,
    version: Span,
}

impl NameSpans {
    /// Where the names of an object stand.
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

    /// An object's last state, of which the server holds a newer version that cannot be decoded.
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

    /// The newer version that cannot be decoded, if this is a state before it.
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

    /// Whether both are the same object at the same version. One without a version, or of which there is a newer
    /// version that cannot be decoded, is the same only as itself.
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
    /// The object's bytes.
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
    /// The text of a field.
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
    /// The object, which all who hold it at one time share.
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
