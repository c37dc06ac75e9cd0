//! Work that takes long, on threads that serve no requests.
//!
//! Compilations and evaluations are first tried with [`Effort::LITTLE`] on the thread that serves the request, since nearly
//! all of them take less. What is interrupted is done again on a thread for blocking work: nobody else waits for it, on a
//! runtime with one thread neither, and paused time does not advance meanwhile.

use std::cell::RefCell;
use std::sync::Arc;

use klient_cel::Effort;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use crate::status::{Failure, Result};

/// The number of works that a server with threads of its own does at a time. The runtime has more threads for blocking
/// work: the names of webhooks are resolved on them, which must not wait for what takes long.
pub(crate) const WORKS: usize = 8;

thread_local! {
    static PERMITS: RefCell<Option<Arc<Semaphore>>> = const { RefCell::new(None) };
}

/// Limits the works that this thread gives away, together with the other threads that have the same permits. Without a
/// limit, as on the runtime of a caller, that of the runtime's threads for blocking work applies.
pub(crate) fn limit(permits: Arc<Semaphore>) {
    PERMITS.set(Some(permits));
}

/// Does work on another thread. Its evaluations are interrupted at the deadline, if nobody waits any more, too, and so are
/// compilations but those that others need.
///
/// # Errors
///
/// 504 if it is not done by then.
pub(crate) async fn offload<T: Send + 'static>(
    deadline: Instant,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T> {
    let permit = match PERMITS.with_borrow(Clone::clone) {
        Some(permits) => match timeout_at(deadline, permits.acquire_owned()).await {
            Ok(permit) => Some(permit.expect("nobody closes it")),
            Err(_) => return Err(Failure::deadline_exceeded()),
        },
        None => None,
    };
    // The clock of the request may stand still, and that of the work does not.
    let left = deadline.saturating_duration_since(Instant::now());
    let effort = Effort::until(std::time::Instant::now() + left);
    let done = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        effort.spend(work)
    });
    match timeout_at(deadline, done).await {
        Ok(Ok(Ok(done))) => Ok(done),
        Ok(Ok(Err(_))) | Err(_) => Err(Failure::deadline_exceeded()),
        Ok(Err(error)) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(Failure::internal("the server stops")),
        },
    }
}
