//! [`retry`]: the same again after a failure that may pass.

use crate::backoff::Backoff;

/// Does something until it succeeds, fails for good, or has been tried as often as `backoff` has steps; once at least.
///
/// # Errors
///
/// The first that is not `retriable`, or else the last.
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
pub async fn retry<V, E>(
    mut backoff: Backoff,
    retriable: impl Fn(&E) -> bool,
    mut act: impl AsyncFnMut() -> Result<V, E>,
) -> Result<V, E> {
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
