//! [`IdleConnections`], HTTP/1.1 connections that wait for a request.

use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use tokio::time::Instant;

use super::sender::Http1Sender;

/// The time after which an idle connection is closed, as by client-go.
pub(super) const IDLE_TIMEOUT: Duration = Duration::from_secs(90);

/// The number of idle connections that are kept, as by client-go.
const IDLE_CONNECTIONS: usize = 25;

/// The time within which the task of a connection sees that a response was dropped.
const SETTLES: Duration = Duration::from_millis(100);

/// HTTP/1.1 connections that wait for a request, for a limited time: in the order in which they became idle.
#[derive(Default)]
pub(super) struct IdleConnections(Mutex<Vec<(Http1Sender, Instant)>>);

impl IdleConnections {
    /// The connection that was used last. One whose task has not seen the end of its response is waited for: it sees it
    /// soon, or closes the connection.
    pub(super) async fn take(&self) -> Option<Http1Sender> {
        let settled = async {
            loop {
                let mut sender = self.pop()?;
                if sender.is_ready() || sender.ready().await {
                    return Some(sender);
                }
            }
        };
        tokio::time::timeout(SETTLES, settled).await.ok().flatten()
    }

    fn pop(&self) -> Option<Http1Sender> {
        let mut idle = self.lock();
        if let Some(ready) = idle.iter().rposition(|(sender, _)| sender.is_ready()) {
            let (sender, since) = idle.remove(ready);
            if since.elapsed() < IDLE_TIMEOUT {
                return Some(sender);
            }
            // The others are idle for longer.
            idle.drain(..ready);
        }
        idle.retain(|(sender, _)| !sender.is_closed());
        idle.pop().map(|(sender, _)| sender)
    }

    /// Takes a connection whose response has ended or was dropped, which can be anywhere, even where no runtime is.
    pub(super) fn put(&self, sender: Http1Sender) {
        let mut idle = self.lock();
        if !sender.is_closed() && idle.len() < IDLE_CONNECTIONS {
            idle.push((sender, Instant::now()));
        }
    }

    /// Closes the connections that are idle for too long.
    pub(super) fn sweep(&self) {
        self.lock().retain(|(sender, since)| !sender.is_closed() && since.elapsed() < IDLE_TIMEOUT);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(Http1Sender, Instant)>> {
        self.0.lock().expect("no panics while held")
    }
}
