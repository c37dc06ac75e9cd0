//! Making [`DeleteOptions`].

use super::v1::{DeleteOptions, Preconditions};
use crate::object::Object;

/// The fate of the objects that a deleted object owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PropagationPolicy {
    /// The object goes at once, and the garbage collector deletes what it owns.
    Background,
    /// The object stays, terminating, until all it owns with `blockOwnerDeletion` is gone.
    Foreground,
    /// The object goes, and what it owns stays and loses its owner.
    Orphan,
}

impl PropagationPolicy {
    /// The word in requests.
    pub fn as_str(self) -> &'static str {
        match self {
            PropagationPolicy::Background => "Background",
            PropagationPolicy::Foreground => "Foreground",
            PropagationPolicy::Orphan => "Orphan",
        }
    }
}

impl DeleteOptions {
    /// Options with a policy for what the object owns. Without one, the server decides by kind; for most it is
    /// `Background`.
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

    /// The same, refused with a conflict unless the object still has the uid and the version that this one has, as far
    /// as it has them.
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
