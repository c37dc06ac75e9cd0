//! [`Error`]: a definition that a server does not accept.

use std::fmt;

/// A definition that a server does not accept, or that cannot be installed, with all reasons. Each names the field and the
/// remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    name: String,
    problems: Vec<String>,
}

impl Error {
    pub(crate) fn new(name: &str, problems: Vec<String>) -> Self {
        Error { name: name.to_owned(), problems }
    }

    pub(crate) fn failed(name: &str, error: impl fmt::Display) -> Self {
        Self::new(name, vec![error.to_string()])
    }

    /// The reasons, each with its field.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.name {
            "" => f.write_str("definition: ")?,
            name => write!(f, "definition {name}: ")?,
        }
        f.write_str(&self.problems.join("; "))
    }
}

impl std::error::Error for Error {}
