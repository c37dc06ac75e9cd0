//! [`Cached`], a handle to an object of a store.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use klient_apimachinery::codec::{Encoded, FieldPath, Wire};
use klient_apimachinery::meta::v1::OwnerReference;
use klient_apimachinery::{Object, Time};

use crate::entry::{Boxed, Content, Entry};
use crate::intern::{LabelSet, Owner};
use crate::key::ObjectKey;
use crate::undecodable::Undecodable;

/// A handle to an object of a store, at one version.
///
/// Its key, version, labels and owners are at hand. Anything else is reached through the object itself, which is
/// decoded when it is first looked into, and then shared by all who hold a handle to it. Nobody can change it.
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

    /// The labels.
    pub fn labels(&self) -> &LabelSet {
        &self.entry.labels
    }

    /// The owners.
    pub fn owners(&self) -> &[Owner] {
        self.entry.owners()
    }

    /// The owner that controls the object.
    pub fn controller(&self) -> Option<&Owner> {
        self.owners().iter().find(|owner| owner.controller)
    }

    /// The namespace, if there is one.
    pub fn namespace(&self) -> Option<&str> {
        Some(self.entry.namespace.as_str()).filter(|namespace| !namespace.is_empty())
    }

    /// The newer version of the object that the server holds and that cannot be decoded, if there was one when the
    /// handle was taken: this is then the last state that could be, and no longer the present one.
    pub fn undecodable(&self) -> Option<&Undecodable> {
        self.entry.newer().map(|newer| &**newer)
    }

    /// Whether both are handles to the same object at the same version, from the same store.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.entry, &other.entry)
    }
}

impl<K: Object> Cached<K> {
    /// The object's key.
    pub fn key(&self) -> ObjectKey {
        self.entry.key()
    }

    /// The name.
    pub fn name(&self) -> &str {
        self.entry.name()
    }

    /// The uid.
    pub fn uid(&self) -> &str {
        self.entry.uid()
    }

    /// The version of the object that this is.
    pub fn resource_version(&self) -> &str {
        self.entry.version()
    }
}

impl<K: Wire> Cached<K> {
    /// The text of one field, such as `spec.nodeName`, without decoding the object.
    pub fn text_at(&self, path: &FieldPath<K>) -> Option<Cow<'_, str>> {
        self.entry.text_at(path)
    }

    /// The object as bytes.
    pub fn encoded(&self) -> Encoded<K> {
        self.entry.encoded()
    }
}

/// The object. The first look into it decodes it.
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

/// Its metadata is at hand, but for the annotations.
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

impl<K> Clone for Cached<K> {
    fn clone(&self) -> Self {
        Cached { entry: self.entry.clone(), object: self.object.clone() }
    }
}

/// `NAMESPACE/NAME@VERSION`; what the object holds may be secret.
impl<K: Object> fmt::Debug for Cached<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.key(), self.entry.version())
    }
}

/// What an event tells of an object that is gone.
pub struct Deleted<K> {
    /// Its key.
    pub key: ObjectKey,
    /// What the handler was told before, as `old` of [`Event::Updated`](crate::Event::Updated): an object may change
    /// in the moment in which it goes.
    pub known: Option<Cached<K>>,
    /// Its last state, or the last that was seen; `None` if none was, as of one that could never be decoded.
    pub object: Option<Cached<K>>,
    /// Its final state was not seen, so that it may have changed before: the deletion was missed, or the state in which
    /// it went cannot be decoded (client-go's `DeletedFinalStateUnknown`).
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
