//! [`EncodedMeta`], what an object says of itself.

use std::borrow::Cow;
use std::collections::HashSet;

/// What an object says of itself in its metadata; empty where it says nothing.
///
/// Texts are borrowed from the object's bytes, but for those that JSON writes with escapes.
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
    /// `metadata.labels`, in the order in which they came; each key once.
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

impl EncodedMeta<'_> {
    /// Of labels with one key the last counts.
    pub(crate) fn keep_last_labels(&mut self) {
        // Go writes them in order, so that none can come twice.
        if self.labels.is_sorted_by(|(a, _), (b, _)| a < b) {
            return;
        }
        let mut seen = HashSet::new();
        let mut keep: Vec<bool> = self.labels.iter().rev().map(|(key, _)| seen.insert(&**key)).collect();
        self.labels.retain(|_| keep.pop().expect("there is one for each label"));
    }
}
