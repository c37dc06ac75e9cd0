//! [`Path`], the path from an object to a value in it.

use std::fmt;
use std::ops::Deref;

use crate::PathElement;

/// The path from an object to a value in it.
///
/// ```
/// use klient_structured_merge::{Path, PathElement};
/// let mut path = Path::fields(["spec", "containers"]);
/// path.push(PathElement::key([("name", "web".into())]));
/// assert_eq!(path.to_string(), r#".spec.containers[name="web"]"#);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path(Vec<PathElement>);

impl Path {
    /// A path of fields.
    pub fn fields<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        names.into_iter().map(PathElement::field).collect()
    }

    /// Appends an element.
    pub fn push(&mut self, element: PathElement) {
        self.0.push(element);
    }
}

impl Deref for Path {
    type Target = [PathElement];

    fn deref(&self) -> &[PathElement] {
        &self.0
    }
}

impl From<Vec<PathElement>> for Path {
    fn from(elements: Vec<PathElement>) -> Self {
        Path(elements)
    }
}

impl FromIterator<PathElement> for Path {
    fn from_iter<I: IntoIterator<Item = PathElement>>(elements: I) -> Self {
        Path(elements.into_iter().collect())
    }
}

/// The form used in messages: `.spec.containers[name="web"].image`.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|element| element.fmt(f))
    }
}
