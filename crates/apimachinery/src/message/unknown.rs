//! [`Unknown`]: fields of a newer API version.

use std::fmt;

use crate::{Json, Map};

/// Fields of an object that this build does not know.
///
/// A typed get, change and update must not lose fields that a newer server has added, so every struct has these, and
/// codecs write them back. JSON identifies them by name and protobuf by number, so that they can only be written in the
/// encoding in which they came.
#[derive(Clone, Default, PartialEq)]
pub struct Unknown(Option<Box<Fields>>);

#[derive(Clone, Default, PartialEq)]
struct Fields {
    json: Map<Json>,
    protobuf: Vec<u8>,
}

impl Unknown {
    /// Returns true if every field was known.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The unknown fields that came in JSON, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Json)> {
        self.0.iter().flat_map(|fields| fields.json.iter())
    }

    /// The bytes of the unknown fields that came in protobuf.
    pub fn protobuf(&self) -> &[u8] {
        self.0.as_ref().map_or(&[], |fields| &fields.protobuf)
    }

    /// Adds a field that came in JSON.
    pub fn insert(&mut self, name: &str, value: Json) {
        self.0.get_or_insert_default().json.insert(name, value);
    }

    /// Adds a field that came in protobuf, with its tag.
    pub(crate) fn push_protobuf(&mut self, field: &[u8]) {
        self.0.get_or_insert_default().protobuf.extend_from_slice(field);
    }
}

impl fmt::Debug for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_map();
        out.entries(self.iter());
        if !self.protobuf().is_empty() {
            out.entry(&"protobuf", &format_args!("{} bytes", self.protobuf().len()));
        }
        out.finish()
    }
}
