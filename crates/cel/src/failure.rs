//! [`Failure`], the reason that an evaluation has no result.

use std::fmt;

/// The reason that an evaluation has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// An error of the expression, which `&&`, `||` and comprehensions may absorb.
    Error(String),
    /// The cost limit is exceeded, which ends the evaluation.
    Budget,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Error(message) => f.write_str(message),
            Failure::Budget => f.write_str("operation cancelled: actual cost limit exceeded"),
        }
    }
}

impl Failure {
    pub(crate) fn error(message: impl Into<String>) -> Failure {
        Failure::Error(message.into())
    }

    /// The arguments have types that the function does not support.
    pub(crate) fn overload() -> Failure {
        Failure::error("no such overload")
    }
}

pub(crate) type Result<T> = std::result::Result<T, Failure>;
