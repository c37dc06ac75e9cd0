//! [`Error`], the error of a gateway that cannot start.

use std::error::Error as StdError;
use std::fmt;

/// An error of the options of a gateway, or of its server. What goes wrong with a request is its answer.
#[derive(Clone)]
pub struct Error(Box<str>);

impl Error {
    pub(crate) fn new(problem: impl Into<Box<str>>) -> Self {
        Error(problem.into())
    }
}

/// The certificate of the server cannot be used.
impl From<klient_certificate::Error> for Error {
    fn from(error: klient_certificate::Error) -> Self {
        Error::new(error.to_string())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({self})")
    }
}

impl StdError for Error {}
