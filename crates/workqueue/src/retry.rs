//! [`retry`]: repeats an operation after failures that may pass.

use crate::backoff::Backoff;

/// Runs `act` until it succeeds, fails with an error that is not `retriable`, or has run as often as
/// `backoff` has steps, at least once (client-go's `retry.OnError`).
///
/// `act` is `async || …`, which can borrow its environment but not mutate it, or a closure that mutates it
/// before it returns the future. The future can be spawned, unlike those of [`AsyncFnMut`].
///
/// # Errors
///
/// The first error that is not `retriable`, or else the last one.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use klient_workqueue::{Backoff, retry};
///
/// let mut attempts = 0;
/// let result: Result<&str, &str> = retry(Backoff::DEFAULT_RETRY, |error| *error == "conflict", || {
///     attempts += 1;
///     let result = if attempts < 3 { Err("conflict") } else { Ok("updated") };
///     async move { result }
/// })
/// .await;
/// assert_eq!((result, attempts), (Ok("updated"), 3));
/// # }
/// ```
pub async fn retry<V, E, F>(
    mut backoff: Backoff,
    retriable: impl Fn(&E) -> bool,
    mut act: impl FnMut() -> F,
) -> Result<V, E>
where
    F: Future<Output = Result<V, E>>,
{
    loop {
        match act().await {
            Err(error) if backoff.steps > 1 && retriable(&error) => {
                let wait = backoff.step();
                if backoff.steps == 0 {
                    return Err(error);
                }
                tokio::time::sleep(wait).await;
            }
            result => return result,
        }
    }
}
