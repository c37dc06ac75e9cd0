//! The run of a handler in a task of its own.

use std::any::Any;

use tokio::task::{JoinError, JoinSet};
use tracing::{Instrument as _, Span};

/// A handler that has panicked.
#[derive(Debug)]
pub(super) struct Panicked;

/// Runs a handler in a task of its own, so that one that keeps its thread holds up no other, and a panic ends the task only.
/// The task is aborted if the future is dropped.
pub(super) async fn run<T: Send + 'static>(
    name: &str,
    handler: impl Future<Output = T> + Send + 'static,
) -> Result<T, Panicked> {
    let mut task = JoinSet::new();
    task.spawn(handler.instrument(Span::current()));
    match task.join_next().await.expect("one was spawned") {
        Ok(output) => Ok(output),
        Err(error) => {
            tracing::error!(webhook = name, "a webhook panicked: {}", reason(error));
            Err(Panicked)
        }
    }
}

/// The message of a panic.
fn reason(error: JoinError) -> String {
    let payload: Box<dyn Any + Send> = match error.try_into_panic() {
        Ok(payload) => payload,
        // A runtime that shuts down.
        Err(error) => return error.to_string(),
    };
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}
