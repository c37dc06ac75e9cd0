//! [`Step`], one write of a sequence.

use serde_json::Value;

/// One write. It is made of what the sequence's seed gave; what the object is like when it is played is not known.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) writer: Writer,
    pub(crate) verb: Verb,
    pub(crate) api_version: &'static str,
    pub(crate) subresource: Option<&'static str>,
    pub(crate) dry_run: bool,
    pub(crate) field_validation: Option<&'static str>,
}

/// Who writes.
#[derive(Clone, Debug)]
pub(crate) enum Writer {
    /// Who the parameter `fieldManager` names.
    FieldManager(String),
    /// Who calls itself so.
    UserAgent(&'static str),
}

/// How is written.
#[derive(Clone, Debug)]
pub(crate) enum Verb {
    /// POST of an object.
    Create(Value),
    /// PUT of the object as it is, with a change.
    Update(Change),
    /// A JSON patch.
    JsonPatch(Value),
    /// A JSON merge patch.
    MergePatch(Value),
    /// A strategic merge patch.
    StrategicPatch(Value),
    /// Server-side apply.
    Apply { config: Value, force: Option<bool> },
}

/// What is changed in an object before it is sent back.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    /// Is put over the object: objects are merged, all else is replaced, null removes.
    pub(crate) overlay: Value,
    /// What it has for `metadata.managedFields`.
    pub(crate) managed_fields: ManagedFields,
    /// Whether it says of which version it is.
    pub(crate) has_version: bool,
}

/// What an object that is sent back has for `metadata.managedFields`.
#[derive(Clone, Debug)]
pub(crate) enum ManagedFields {
    /// What the server had there.
    Kept,
    /// Nothing.
    Dropped,
    /// This.
    Given(Value),
}
