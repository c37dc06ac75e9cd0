//! [`Action`], the next step after a reconcile, and [`TerminalError`], an error that is not retried.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use crate::error::Error;

/// The next step after a reconcile that succeeded (controller-runtime's `Result`, kube-rs' `Action`).
///
/// A change of the object, or of those that the controller watches for it, leads to a reconcile in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the reconciler returns it"]
pub struct Action(pub(super) Next);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Done,
    After(Duration),
    Again,
}

impl Action {
    /// The object is in its desired state: nothing is done before the next change.
    #[doc(alias = "await_change")]
    pub const fn done() -> Self {
        Action(Next::Done)
    }

    /// Another reconcile after a time, such as to look at something outside the cluster. Changes come earlier. Zero is
    /// as [`requeue_now`](Self::requeue_now).
    #[doc(alias = "RequeueAfter")]
    pub const fn requeue(after: Duration) -> Self {
        if after.is_zero() { Action(Next::Again) } else { Action(Next::After(after)) }
    }

    /// Another reconcile at once, behind the keys that are ready. It passes the rate limiter, so that a reconciler that
    /// always returns this does not run in a busy loop: the second one in a row comes after 5 ms, the next after 10 ms.
    #[doc(alias = "Requeue")]
    pub const fn requeue_now() -> Self {
        Action(Next::Again)
    }
}

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
    pub(super) fn is_in(error: &(dyn StdError + 'static)) -> bool {
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
            // Its text holds its causes, so that they are no sources.
            next = error.downcast_ref::<Error>().map_or_else(|| error.source(), Error::cause);
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

impl From<TerminalError> for Error {
    fn from(error: TerminalError) -> Self {
        Error::other(error)
    }
}

#[test]
fn a_terminal_error_is_found_among_causes() {
    #[derive(Debug)]
    struct Wrapped(TerminalError);

    impl fmt::Display for Wrapped {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("the specification")
        }
    }

    impl StdError for Wrapped {
        fn source(&self) -> Option<&(dyn StdError + 'static)> {
            Some(&self.0)
        }
    }

    /// An error that is `transparent` in the words of thiserror, or a box of anyhow.
    #[derive(Debug)]
    struct Transparent(Box<dyn StdError>);

    impl fmt::Display for Transparent {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.fmt(f)
        }
    }

    impl StdError for Transparent {
        fn source(&self) -> Option<&(dyn StdError + 'static)> {
            self.0.source()
        }
    }

    let terminal = || TerminalError::new("replicas is negative");
    let transparent = |error: Box<dyn StdError>| Box::new(Transparent(error)) as Box<dyn StdError>;
    let [found, other]: [&[Box<dyn StdError>]; 2] = [
        &[
            terminal().into(),
            Wrapped(terminal()).into(),
            Error::from(terminal()).into(),
            Error::other(Wrapped(terminal())).into(),
            transparent(terminal().into()),
            transparent(transparent(Wrapped(terminal()).into())),
            transparent(Error::from(terminal()).into()),
            transparent(Error::other(Wrapped(terminal())).into()),
        ],
        &[
            "replicas is negative".into(),
            Error::other("replicas is negative").into(),
            transparent(Error::other("replicas is negative").into()),
        ],
    ];
    assert!(found.iter().all(|error| TerminalError::is_in(&**error)));
    assert!(!other.iter().any(|error| TerminalError::is_in(&**error)));
}
