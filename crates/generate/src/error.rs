//! [`Error`]: definitions that cannot be read, or from which no code can be generated.

use std::fmt;

/// Definitions that cannot be read, or from which no code can be generated. It names the file, the definition and the field
/// at fault, and the remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// File, definition and field, from the outermost.
    place: Vec<String>,
    problem: String,
}

impl Error {
    pub(crate) fn new(problem: impl Into<String>) -> Self {
        Error { place: Vec::new(), problem: problem.into() }
    }

    /// An error at a field.
    pub(crate) fn at(field: &str, problem: impl Into<String>) -> Self {
        Error { place: vec![field.to_owned()], problem: problem.into() }
    }

    /// Adds the file or definition that contains the place.
    pub(crate) fn within(mut self, outer: impl Into<String>) -> Self {
        self.place.insert(0, outer.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for place in &self.place {
            write!(f, "{place}: ")?;
        }
        f.write_str(&self.problem)
    }
}

impl std::error::Error for Error {}
