//! [`Unknown`]: fields that a newer server sent.

use std::fmt;

use crate::{Json, Map};

/// Fields of an object that this build does not know.
///
/// A typed get, change and update must not lose what a newer server added, so every struct carries these along
/// and codecs write them back.
#[derive(Clone, Default, PartialEq)]
pub struct Unknown(Option<Box<Map<Json>>>);

impl Unknown {
    /// Whether every field was known.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The fields by JSON name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Json)> {
        self.0.iter().flat_map(|fields| fields.iter())
    }

    /// Keeps a field.
    pub fn insert(&mut self, name: &str, value: Json) {
        self.0.get_or_insert_default().insert(name, value);
    }
}

impl fmt::Debug for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}
