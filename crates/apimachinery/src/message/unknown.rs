//! [`Unknown`]: fields that a newer server sent.

use std::fmt;

use crate::{Json, Map};

/// Fields of an object that this build does not know.
///
/// A typed get, change and update must not lose what a newer server added, so every struct carries these along
/// and codecs write them back. JSON knows them by name and protobuf by number, so what came in one of the two can
/// only be written in the same.
#[derive(Clone, Default, PartialEq)]
pub struct Unknown(Option<Box<Fields>>);

#[derive(Clone, Default, PartialEq)]
struct Fields {
    json: Map<Json>,
    protobuf: Vec<u8>,
}

impl Unknown {
    /// Whether every field was known.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The fields that came in JSON, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Json)> {
        self.0.iter().flat_map(|fields| fields.json.iter())
    }

    /// The fields that came in protobuf, as they came.
    pub fn protobuf(&self) -> &[u8] {
        self.0.as_ref().map_or(&[], |fields| &fields.protobuf)
    }

    /// Keeps a field that came in JSON.
    pub fn insert(&mut self, name: &str, value: Json) {
        self.0.get_or_insert_default().json.insert(name, value);
    }

    /// Keeps a field that came in protobuf, with its tag.
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
