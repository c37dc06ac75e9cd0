//! [`EncodedMeta`], the metadata of an encoded object.

use std::borrow::Cow;
use std::collections::HashSet;

/// The metadata of an encoded object that caches need; empty if the object does not have it.
///
/// Strings borrow from the object's bytes, except those that JSON escapes.
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
    /// `metadata.labels`, in the order in which they came; without duplicate keys.
    pub labels: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// `metadata.ownerReferences`.
    pub owners: Vec<EncodedOwner<'a>>,
}

/// An owner reference.
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
    /// True if it is the controller.
    pub controller: bool,
}

impl EncodedMeta<'_> {
    /// Removes labels with duplicate keys, except the last of each.
    pub(crate) fn keep_last_labels(&mut self) {
        // Go writes them sorted, without duplicates.
        if self.labels.is_sorted_by(|(a, _), (b, _)| a < b) {
            return;
        }
        let mut seen = HashSet::new();
        let mut keep: Vec<bool> = self.labels.iter().rev().map(|(key, _)| seen.insert(&**key)).collect();
        self.labels.retain(|_| keep.pop().expect("there is one for each label"));
    }
}
