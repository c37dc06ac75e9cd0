//! [`Draft`], an encoded object without a version.

use std::sync::LazyLock;

use memchr::memmem;

use super::object::{Key, Object};

/// The placeholder of `metadata.resourceVersion` before the version is assigned. It is random, so that no object
/// contains it.
pub(crate) static VERSION_PLACEHOLDER: LazyLock<String> =
    LazyLock::new(|| uuid::Uuid::new_v4().simple().to_string());

/// An encoded object without a version: the only work under the storage's lock is to insert one.
pub(crate) struct Draft {
    object: Object,
    json: Vec<u8>,
    /// The offset of the placeholder.
    version_at: usize,
}

impl Draft {
    /// A draft of an object without JSON, and its JSON with the [placeholder](VERSION_PLACEHOLDER).
    ///
    /// # Panics
    ///
    /// If the JSON does not contain the placeholder.
    pub(crate) fn new(object: Object, json: Vec<u8>) -> Self {
        let version_at = memmem::find(&json, VERSION_PLACEHOLDER.as_bytes());
        Draft { object, json, version_at: version_at.expect("the encoder writes metadata.resourceVersion") }
    }

    pub(crate) fn key(&self) -> &Key {
        &self.object.key
    }

    /// The object at a version.
    pub(crate) fn at(mut self, version: u64) -> Object {
        let placeholder = self.version_at..self.version_at + VERSION_PLACEHOLDER.len();
        self.json.splice(placeholder, version.to_string().into_bytes());
        Object { version, json: self.json.into(), ..self.object }
    }
}
