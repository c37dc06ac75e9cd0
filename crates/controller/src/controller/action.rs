//! [`Action`], the next step after a reconcile, and [`TerminalError`], an error that is not retried.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

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
/// It is recognised in a reconciler whose error is `Box<dyn Error + Send + Sync>`, or itself.
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
pub struct TerminalError(Box<dyn StdError + Send + Sync>);

impl TerminalError {
    /// Wraps an error, or a message.
    pub fn new(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        TerminalError(error.into())
    }
}

impl fmt::Display for TerminalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StdError for TerminalError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source()
    }
}
