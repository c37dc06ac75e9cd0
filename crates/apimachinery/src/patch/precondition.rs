//! [`Precondition`], a field that a patch must not change.

use serde_json::{Map, Value};

use super::PatchError;

/// A field that a generated patch must not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precondition<'a> {
    /// The field with this name.
    Key(&'a str),
    /// The field of `metadata` with this name.
    MetadataKey(&'a str),
}

impl Precondition<'_> {
    /// The fields that `kubectl apply` never changes: apiVersion, kind and name.
    pub const IDENTITY: [Precondition<'static>; 3] =
        [Precondition::Key("apiVersion"), Precondition::Key("kind"), Precondition::MetadataKey("name")];

    fn holds(self, patch: &Map<String, Value>) -> bool {
        match self {
            Precondition::Key(key) => !patch.contains_key(key),
            Precondition::MetadataKey(key) => patch.get("metadata").and_then(|of| of.get(key)).is_none(),
        }
    }
}

/// Returns the patch if it changes none of the fields.
pub(super) fn check(
    patch: Map<String, Value>,
    preconditions: &[Precondition<'_>],
) -> Result<Map<String, Value>, PatchError> {
    match preconditions.iter().all(|precondition| precondition.holds(&patch)) {
        true => Ok(patch),
        false => Err(PatchError::precondition(patch)),
    }
}
