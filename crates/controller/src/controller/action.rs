//! [`Action`], the next step after a reconcile.

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
