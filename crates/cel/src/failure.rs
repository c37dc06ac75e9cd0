//! [`Failure`], the reason that an evaluation has no result.

/// The reason that an evaluation has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// An error of the expression, which `&&`, `||` and comprehensions may absorb.
    Error(String),
    /// The cost limit is exceeded, which ends the evaluation.
    Budget,
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
