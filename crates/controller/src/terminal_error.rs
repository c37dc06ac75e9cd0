//! [`TerminalError`], an error of a reconciler that is not retried.

use std::error::Error as StdError;
use std::fmt;

/// An error that another attempt does not mend, such as a specification that makes no sense: it is logged and counted,
/// and the object is not reconciled before its next change (controller-runtime's `TerminalError`).
///
/// It is recognised as the error of a reconciler, as a cause of it, and in a [`controller::Error`](crate::Error), also behind
/// an error that shows only its text and its [`source`](StdError::source): one of thiserror that is `transparent`, or a box of
/// `anyhow`. For that its own source says that it is not retried, and has the source of the wrapped error.
///
/// ```
/// use klient_controller::{Action, TerminalError};
///
/// fn checked(replicas: i32) -> Result<Action, Box<dyn std::error::Error + Send + Sync>> {
///     if replicas < 0 {
///         return Err(TerminalError::new("spec.replicas is negative").into());
///     }
///     Ok(Action::done())
/// }
/// # assert!(checked(-1).unwrap_err().is::<TerminalError>());
/// ```
#[derive(Debug)]
pub struct TerminalError(NotRetried);

/// The source of a terminal error, by which it is known where it is hidden.
#[derive(Debug)]
struct NotRetried(Box<dyn StdError + Send + Sync>);

impl TerminalError {
    /// Wraps an error, or a message.
    pub fn new(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        TerminalError(NotRetried(error.into()))
    }

    /// Returns true if an error or one of its causes is one.
    pub(crate) fn is_in(error: &(dyn StdError + 'static)) -> bool {
        Self::mark_of(error).is_some()
    }

    /// The mark of the terminal error that an error or one of its causes is.
    pub(crate) fn mark_of<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(TerminalError(mark)) = error.downcast_ref() {
                return Some(mark);
            }
            if error.is::<NotRetried>() {
                return Some(error);
            }
            next = error.source();
        }
        None
    }
}

impl fmt::Display for TerminalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.0.fmt(f)
    }
}

impl StdError for TerminalError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.0)
    }
}

impl fmt::Display for NotRetried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("another attempt does not mend it")
    }
}

impl StdError for NotRetried {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source()
    }
}
