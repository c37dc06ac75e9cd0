//! Constructors and setters of [`ObjectMeta`].

use super::v1::{ObjectMeta, OwnerReference};
use crate::Str;

impl ObjectMeta {
    /// Metadata with a name.
    ///
    /// ```
    /// use klient_apimachinery::meta::v1::ObjectMeta;
    ///
    /// let metadata = ObjectMeta { labels: [("app", "web")].into(), ..ObjectMeta::named("web-0") };
    /// assert_eq!(metadata.name.as_deref(), Some("web-0"));
    /// ```
    pub fn named(name: impl Into<Str>) -> Self {
        ObjectMeta { name: Some(name.into()), ..Default::default() }
    }

    /// Metadata with a prefix instead of a name: the server appends five random characters to it.
    pub fn generate_name(prefix: impl Into<Str>) -> Self {
        ObjectMeta { generate_name: Some(prefix.into()), ..Default::default() }
    }

    /// The same metadata in a namespace.
    pub fn in_namespace(self, namespace: impl Into<Str>) -> Self {
        ObjectMeta { namespace: Some(namespace.into()), ..self }
    }

    /// Adds a finalizer; returns false if it was there already.
    #[doc(alias = "AddFinalizer")]
    pub fn add_finalizer(&mut self, finalizer: &str) -> bool {
        let is_new = !self.finalizers.iter().any(|other| other.as_str() == finalizer);
        if is_new {
            self.finalizers.push(finalizer.into());
        }
        is_new
    }

    /// Removes a finalizer; returns false if it was not there.
    #[doc(alias = "RemoveFinalizer")]
    pub fn remove_finalizer(&mut self, finalizer: &str) -> bool {
        let before = self.finalizers.len();
        self.finalizers.retain(|other| other.as_str() != finalizer);
        self.finalizers.len() != before
    }

    /// Adds an owner reference, or replaces the one with the same UID.
    pub fn set_owner(&mut self, owner: OwnerReference) {
        match self.owner_references.iter_mut().find(|other| other.uid == owner.uid) {
            Some(other) => *other = owner,
            None => self.owner_references.push(owner),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finalizer_is_added_once_and_removed_wherever_it_is() {
        let mut metadata = ObjectMeta::named("a");
        assert!(metadata.add_finalizer("example.com/b"));
        assert!(!metadata.add_finalizer("example.com/b"));
        assert_eq!(metadata.finalizers, ["example.com/b"]);
        assert!(metadata.remove_finalizer("example.com/b"));
        assert!(!metadata.remove_finalizer("example.com/b"));
    }

    #[test]
    fn an_owner_is_known_by_its_uid() {
        let mut metadata = ObjectMeta::named("a");
        let owner = |name: &str, uid: &str| OwnerReference {
            name: name.into(),
            uid: uid.into(),
            ..Default::default()
        };
        for owner in [owner("a", "1"), owner("b", "2"), owner("c", "1")] {
            metadata.set_owner(owner);
        }
        assert_eq!(metadata.owner_references, [owner("c", "1"), owner("b", "2")]);
    }
}
