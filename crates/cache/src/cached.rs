//! [`Cached`], a handle to an object of a store.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use klient_apimachinery::codec::{Encoded, FieldPath, Wire};
use klient_apimachinery::meta::v1::{GroupVersionKind, OwnerReference};
use klient_apimachinery::{Object, ObjectKind, Time};

use crate::entry::{Boxed, Content, Entry};
use crate::intern::{LabelSet, Owner};
use crate::key::ObjectKey;
use crate::undecodable::Undecodable;

/// A handle to an object of a store, at one version. Immutable and cheap to clone.
///
/// Key, version, labels and owners are read without decoding. The object itself is reached by dereferencing,
/// which decodes it the first time; all handles to it share the decoded object, which is freed with the last
/// of them.
///
/// ```
/// # fn f(pod: klient_cache::Cached<klient_api::core::v1::Pod>) {
/// println!("{} at {}", pod.key(), pod.resource_version()); // costs nothing
/// println!("runs on {:?}", pod.spec.node_name); // decodes it
/// # }
/// ```
pub struct Cached<K> {
    entry: Arc<Entry<K>>,
    object: OnceLock<Arc<Boxed<K>>>,
}

impl<K> Cached<K> {
    pub(crate) fn new(entry: Arc<Entry<K>>) -> Self {
        Cached { entry, object: OnceLock::new() }
    }

    /// The object's labels, sorted by key.
    pub fn labels(&self) -> &LabelSet {
        &self.entry.labels
    }

    /// The object's owners, in the order of `metadata.ownerReferences`.
    pub fn owners(&self) -> &[Owner] {
        self.entry.owners()
    }

    /// The owner with `controller: true`, if there is one.
    pub fn controller(&self) -> Option<&Owner> {
        self.owners().iter().find(|owner| owner.controller)
    }

    /// The object's namespace; `None` for a cluster-scoped object.
    pub fn namespace(&self) -> Option<&str> {
        Some(self.entry.namespace.as_str()).filter(|namespace| !namespace.is_empty())
    }

    /// The newer version of the object that cannot be decoded, if the server held one when the handle was
    /// taken. The handle then refers to the last decodable state, which is no longer the present one.
    pub fn undecodable(&self) -> Option<&Undecodable> {
        self.entry.newer().map(|newer| &**newer)
    }

    /// Returns true if both handles refer to the same state of the same object in the same store.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.entry, &other.entry)
    }
}

impl<K: Object> Cached<K> {
    /// The object's key: `NAMESPACE/NAME`, or `NAME` of a cluster-scoped object.
    pub fn key(&self) -> ObjectKey {
        self.entry.key()
    }

    /// The object's name.
    pub fn name(&self) -> &str {
        self.entry.name()
    }

    /// The object's uid; empty if it has none.
    pub fn uid(&self) -> &str {
        self.entry.uid()
    }

    /// The object's `metadata.resourceVersion`; empty if it has none.
    pub fn resource_version(&self) -> &str {
        self.entry.version()
    }
}

impl<K: Wire> Cached<K> {
    /// The value of one field as a string, such as `spec.nodeName`, read without decoding the object; `None`
    /// if the field is not set.
    pub fn text_at(&self, path: &FieldPath<K>) -> Option<Cow<'_, str>> {
        self.entry.text_at(path)
    }

    /// The object in its encoded form. A decoded object is encoded for this.
    pub fn encoded(&self) -> Encoded<K> {
        self.entry.encoded()
    }
}

/// Dereferences to the object, and decodes it the first time.
impl<K: Wire> Deref for Cached<K> {
    type Target = K;

    fn deref(&self) -> &K {
        let entry = match &self.entry.content {
            Content::Stale { last, .. } => last,
            _ => &self.entry,
        };
        match &entry.content {
            Content::Decoded(object) => object,
            Content::Packed(packed) => &self.object.get_or_init(|| packed.object(entry.resource())).0,
            Content::Stale { .. } => unreachable!("the last state is not stale itself"),
        }
    }
}

/// Name, namespace, uid, resourceVersion and labels are read without decoding; the other metadata decodes the
/// object.
impl<K: Wire + Object> Object for Cached<K> {
    fn name(&self) -> &str {
        self.entry.name()
    }

    fn namespace(&self) -> Option<&str> {
        Cached::namespace(self)
    }

    fn uid(&self) -> &str {
        self.entry.uid()
    }

    fn resource_version(&self) -> &str {
        self.entry.version()
    }

    fn labels(&self) -> impl Iterator<Item = (&str, &str)> {
        self.entry.labels.iter()
    }

    fn annotations(&self) -> impl Iterator<Item = (&str, &str)> {
        (**self).annotations()
    }

    fn finalizers(&self) -> impl Iterator<Item = &str> {
        (**self).finalizers()
    }

    fn owner_references(&self) -> Cow<'_, [OwnerReference]> {
        (**self).owner_references()
    }

    fn generation(&self) -> Option<i64> {
        (**self).generation()
    }

    fn deletion_timestamp(&self) -> Option<Time> {
        (**self).deletion_timestamp()
    }
}

/// Those of the resource that the store was filled from, without decoding.
impl<K: Wire + Object> ObjectKind for Cached<K> {
    fn group_version_kind(&self) -> GroupVersionKind {
        self.entry.resource().group_version_kind()
    }
}

impl<K> Clone for Cached<K> {
    fn clone(&self) -> Self {
        Cached { entry: self.entry.clone(), object: self.object.clone() }
    }
}

/// Formats as `NAMESPACE/NAME@VERSION`: the object's contents may be secret.
impl<K: Object> fmt::Debug for Cached<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.key(), self.entry.version())
    }
}

/// A deleted object, as an event handler receives it.
pub struct Deleted<K> {
    /// The key of the object.
    pub key: ObjectKey,
    /// The state that the handler received last, as `old` of [`Event::Updated`](crate::Event::Updated). It
    /// may differ from the final state, because a deletion can come with a change.
    pub known: Option<Cached<K>>,
    /// The final state, or the last known one if [`is_final_state_unknown`](Self::is_final_state_unknown);
    /// `None` if no state of the object could ever be decoded.
    pub object: Option<Cached<K>>,
    /// `true` if the final state was not observed, because the watch missed the deletion or the final state
    /// cannot be decoded (client-go's `DeletedFinalStateUnknown`).
    pub is_final_state_unknown: bool,
}

impl<K> Clone for Deleted<K> {
    fn clone(&self) -> Self {
        Deleted {
            key: self.key.clone(),
            known: self.known.clone(),
            object: self.object.clone(),
            is_final_state_unknown: self.is_final_state_unknown,
        }
    }
}

impl<K: Object> fmt::Debug for Deleted<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unknown = if self.is_final_state_unknown { " (final state unknown)" } else { "" };
        match &self.object {
            Some(object) => write!(f, "{object:?}{unknown}"),
            None => write!(f, "{}{unknown}", self.key),
        }
    }
}
