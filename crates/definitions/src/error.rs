//! [`Error`]: a definition that a server would not accept.

use std::fmt;

/// A definition that a server would not accept, with all reasons. Each names the field and the remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    name: String,
    problems: Vec<String>,
}

impl Error {
    pub(crate) fn new(name: &str, problems: Vec<String>) -> Self {
        Error { name: name.to_owned(), problems }
    }

    /// The reasons, each with its field.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the definition of {} is not valid: {}", self.name, self.problems.join("; "))
    }
}

impl std::error::Error for Error {}
