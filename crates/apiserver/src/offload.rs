//! Work that takes long, on threads that serve no requests.
//!
//! Compilations and evaluations are first tried with [`Effort::LITTLE`] on the thread that serves the request, since nearly
//! all of them take less. What is interrupted is done again on a thread for blocking work: nobody else waits for it, on a
//! runtime with one thread neither, and paused time does not advance meanwhile.

use klient_cel::Effort;
use tokio::time::{Instant, timeout_at};

use crate::status::{Failure, Result};

/// The threads for blocking work of a server that has its own.
pub(crate) const THREADS: usize = 8;

/// Does work on another thread. Its compilations and evaluations are interrupted at the deadline, if nobody waits any more,
/// too.
///
/// # Errors
///
/// 504 if it is not done by then.
pub(crate) async fn offload<T: Send + 'static>(
    deadline: Instant,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T> {
    // The clock of the request may stand still, and that of the work does not.
    let left = deadline.saturating_duration_since(Instant::now());
    let effort = Effort::until(std::time::Instant::now() + left);
    let done = tokio::task::spawn_blocking(move || effort.spend(work));
    match timeout_at(deadline, done).await {
        Ok(Ok(Ok(done))) => Ok(done),
        Ok(Ok(Err(_))) | Err(_) => Err(Failure::deadline_exceeded()),
        Ok(Err(error)) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(Failure::internal("the server stops")),
        },
    }
}
