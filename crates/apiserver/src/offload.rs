//! Work that takes long, on threads that serve no requests.
//!
//! Compilations and evaluations are first tried with [`Effort::LITTLE`] on the thread that serves the request, since nearly
//! all of them take less. What is interrupted is done again on a thread for blocking work: nobody else waits for it, on a
//! runtime with one thread neither, and paused time does not advance meanwhile. A runtime that is dropped, which waits for its
//! threads, waits for the next step of such work only.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use klient_cel::Effort;
use tokio::sync::{Semaphore, oneshot};
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

/// Sets a flag when it is dropped.
struct Abandon(Arc<AtomicBool>);

impl Drop for Abandon {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Does work on another thread. Its evaluations are interrupted at the deadline, if nobody waits any more, too, and so are
/// compilations but those that others need. Those are interrupted when the runtime is dropped.
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
    let abandon = Abandon(Arc::default());
    let abandoned = abandon.0.clone();
    let (working, ended) = oneshot::channel::<()>();
    // A task is dropped with the runtime, and the request may be given up before.
    tokio::spawn(async move {
        let _abandon = abandon;
        let _ = ended.await;
    });
    let done = tokio::task::spawn_blocking(move || {
        let (_permit, _working) = (permit, working);
        Effort::abandonable(abandoned, || effort.spend(work))
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

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use tokio::runtime::{Builder, Runtime};

    use super::*;

    /// Begins work that others need on a runtime, gives the request up, and drops the runtime.
    fn abandon(runtime: Runtime) {
        const LONG: Duration = Duration::from_secs(3600);
        let (begin, mut begun) = oneshot::channel();
        let (end, ended) = mpsc::channel();
        let work = move || {
            let _ = begin.send(());
            let deadline = std::time::Instant::now() + LONG;
            let outcome = Effort::for_others(deadline, || while Effort::take(1) {});
            let _ = end.send(outcome);
        };
        runtime.block_on(async {
            let request = tokio::spawn(offload(Instant::now() + LONG, work));
            while begun.try_recv().is_err() {
                tokio::task::yield_now().await;
            }
            request.abort();
            let _ = request.await;
        });
        assert_eq!(ended.try_recv(), Err(mpsc::TryRecvError::Empty));
        drop(runtime);
        assert_eq!(ended.recv(), Ok(Err(klient_cel::Interrupted)));
    }

    #[test]
    fn a_runtime_that_is_dropped_does_not_wait_for_what_others_need() {
        abandon(Builder::new_current_thread().enable_all().build().unwrap());
        abandon(Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap());
    }
}
