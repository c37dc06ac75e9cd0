//! [`parallelize_until`]: concurrent processing of numbered pieces of work.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::task::JoinSet;

/// Calls `act` for every number below `pieces`, in at most `workers` tasks (client-go's `ParallelizeUntil`).
///
/// Dropping the future aborts the pieces in progress and starts no others, so that a timeout or `select!`
/// takes the part of the "until".
///
/// # Panics
///
/// If a piece panics; the others are aborted. Outside a tokio runtime.
///
/// ```
/// # #[tokio::main] async fn main() {
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicUsize, Ordering};
///
/// let sum = Arc::new(AtomicUsize::new(0));
/// let added = sum.clone();
/// klient_workqueue::parallelize_until(4, 100, move |piece| {
///     let added = added.clone();
///     async move {
///         added.fetch_add(piece, Ordering::Relaxed);
///     }
/// })
/// .await;
/// assert_eq!(sum.load(Ordering::Relaxed), 4950);
/// # }
/// ```
pub async fn parallelize_until<A, F>(workers: usize, pieces: usize, act: A)
where
    A: Fn(usize) -> F + Send + Sync + 'static,
    F: Future<Output = ()> + Send,
{
    let shared = Arc::new((act, AtomicUsize::new(0)));
    let mut tasks = JoinSet::new();
    for _ in 0..workers.clamp(1, pieces.max(1)) {
        let shared = shared.clone();
        tasks.spawn(async move {
            let (act, next) = &*shared;
            loop {
                let piece = next.fetch_add(1, Ordering::Relaxed);
                if piece >= pieces {
                    return;
                }
                act(piece).await;
            }
        });
    }
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended {
            resume_unwind(error.into_panic());
        }
    }
}
