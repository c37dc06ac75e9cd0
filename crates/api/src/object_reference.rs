//! The constructor of [`ObjectReference`].

use klient_apimachinery::{ObjectKind, Str};

use crate::core::v1::ObjectReference;

impl ObjectReference {
    /// A reference to an object, as client-go's `reference.GetReference`: the regarding object of an event, the target
    /// of a binding.
    ///
    /// ```
    /// use klient_api::core::v1::{ObjectReference, Pod};
    /// use klient_apimachinery::meta::v1::ObjectMeta;
    ///
    /// let web = Pod {
    ///     metadata: ObjectMeta { namespace: Some("shop".into()), ..ObjectMeta::named("web-0") },
    ///     ..Default::default()
    /// };
    /// let reference = ObjectReference::of(&web);
    /// assert_eq!(reference.kind.as_deref(), Some("Pod"));
    /// assert_eq!(reference.name.as_deref(), Some("web-0"));
    /// assert_eq!(reference.uid, None);
    /// ```
    pub fn of(object: &impl ObjectKind) -> Self {
        let kind = object.group_version_kind();
        let set = |value: &str| Some(Str::from(value)).filter(|value| !value.is_empty());
        ObjectReference {
            api_version: set(&kind.api_version()),
            kind: set(&kind.kind),
            namespace: object.namespace().and_then(set),
            name: set(object.name()),
            uid: set(object.uid()),
            resource_version: set(object.resource_version()),
            ..Default::default()
        }
    }
}

/// The reference to an object: see [`ObjectReference::of`].
impl<K: ObjectKind> From<&K> for ObjectReference {
    fn from(object: &K) -> Self {
        ObjectReference::of(object)
    }
}
