//! [`Run`], a process for which many requests wait.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::credential::Credential;
use super::error::ExecError;

/// The result of a plugin.
pub(super) type Outcome = Result<Arc<Credential>, ExecError>;

/// The task that runs a plugin. It is aborted when the last who waits for it is gone.
pub(super) struct Run {
    outcome: watch::Receiver<Option<Outcome>>,
    task: AbortHandle,
}

impl Run {
    /// Starts a plugin.
    pub(super) fn start(running: impl Future<Output = Outcome> + Send + 'static) -> Arc<Run> {
        let (sender, outcome) = watch::channel(None);
        let task = tokio::spawn(async move {
            sender.send_replace(Some(running.await));
            // Those who come before the end of the task is noticed get the outcome too.
            sender.closed().await;
        });
        Arc::new(Run { outcome, task: task.abort_handle() })
    }

    /// Returns true until its task is gone, perhaps with the runtime that it was started on.
    pub(super) fn is_alive(&self) -> bool {
        self.outcome.has_changed().is_ok()
    }

    /// Waits for the result; `None` if the task is gone before.
    pub(super) async fn outcome(&self) -> Option<Outcome> {
        let mut outcome = self.outcome.clone();
        let done = outcome.wait_for(Option::is_some).await.ok()?;
        done.clone()
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.task.abort();
    }
}
