//! [`next_attempt`], the pause before a write is tried again.

use klient_workqueue::Backoff;

use crate::error::Error;

/// Waits for the time of the next attempt.
///
/// # Errors
///
/// The error of the last attempt, if there is no other.
pub(crate) async fn next_attempt(backoff: &mut Backoff, error: impl Into<Error>) -> Result<(), Error> {
    let wait = backoff.step();
    if backoff.steps == 0 {
        return Err(error.into());
    }
    tokio::time::sleep(wait).await;
    Ok(())
}
