//! [`List`], objects with the resourceVersion of the list.

use crate::meta::v1::ListMeta;

/// Objects of one kind, as a list request returns them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct List<K> {
    /// The resourceVersion of the list, and the token for its next chunk.
    pub metadata: ListMeta,
    /// The objects.
    pub items: Vec<K>,
}

impl<K> List<K> {
    /// The token for the request of the next chunk; `None` for the last.
    pub fn continue_token(&self) -> Option<&str> {
        self.metadata.continue_.as_deref().filter(|token| !token.is_empty())
    }

    /// The resourceVersion of the list, from which a watch can start.
    pub fn resource_version(&self) -> &str {
        self.metadata.resource_version.as_deref().unwrap_or_default()
    }
}

impl<K> IntoIterator for List<K> {
    type Item = K;
    type IntoIter = std::vec::IntoIter<K>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter()
    }
}

impl<'a, K> IntoIterator for &'a List<K> {
    type Item = &'a K;
    type IntoIter = std::slice::Iter<'a, K>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.iter()
    }
}
