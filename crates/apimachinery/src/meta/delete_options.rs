//! Constructors of [`DeleteOptions`].

use super::v1::{DeleteOptions, Preconditions};
use crate::object::Object;

/// The propagation of a delete to the objects that the deleted object owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PropagationPolicy {
    /// The object is deleted at once, and the garbage collector deletes its dependents.
    Background,
    /// The object stays, terminating, until all dependents with `blockOwnerDeletion` are deleted.
    Foreground,
    /// The object is deleted, and its dependents stay without the owner reference.
    Orphan,
}

impl PropagationPolicy {
    /// The value of the field `propagationPolicy`.
    pub fn as_str(self) -> &'static str {
        match self {
            PropagationPolicy::Background => "Background",
            PropagationPolicy::Foreground => "Foreground",
            PropagationPolicy::Orphan => "Orphan",
        }
    }
}

impl DeleteOptions {
    /// Options with a propagation policy. Without one, the server decides by kind; for most it is `Background`.
    pub fn propagation(policy: PropagationPolicy) -> Self {
        DeleteOptions { propagation_policy: Some(policy.as_str().into()), ..Default::default() }
    }

    /// [`PropagationPolicy::Background`].
    pub fn background() -> Self {
        Self::propagation(PropagationPolicy::Background)
    }

    /// [`PropagationPolicy::Foreground`].
    pub fn foreground() -> Self {
        Self::propagation(PropagationPolicy::Foreground)
    }

    /// [`PropagationPolicy::Orphan`].
    pub fn orphan() -> Self {
        Self::propagation(PropagationPolicy::Orphan)
    }

    /// The same options with preconditions: the delete is rejected with a conflict unless the object still has the UID
    /// and resourceVersion of `object`, as far as that has them.
    ///
    /// ```
    /// use klient_apimachinery::meta::v1::{DeleteOptions, ObjectMeta};
    ///
    /// let read = ObjectMeta { uid: Some("6f1c".into()), ..ObjectMeta::named("web") };
    /// let options = DeleteOptions::foreground().only_if_unchanged(&read);
    /// assert_eq!(options.preconditions.unwrap().uid.as_deref(), Some("6f1c"));
    /// ```
    pub fn only_if_unchanged(self, object: &impl Object) -> Self {
        let known = |text: &str| (!text.is_empty()).then(|| text.into());
        let preconditions = Preconditions {
            uid: known(object.uid()),
            resource_version: known(object.resource_version()),
            ..Default::default()
        };
        DeleteOptions { preconditions: Some(Box::new(preconditions)), ..self }
    }
}
