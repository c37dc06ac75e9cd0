//! [`IdleConnections`], HTTP/1.1 connections that wait for a request.

use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::Instant;

use super::sender::Http1Sender;

/// The time after which an idle connection is closed, as by client-go.
pub(super) const IDLE_TIMEOUT: Duration = Duration::from_secs(90);

/// The number of idle connections that are kept, as by client-go.
const IDLE_CONNECTIONS: usize = 25;

/// The time within which the task of a connection sees that a response was dropped.
const SETTLES: Duration = Duration::from_millis(100);

/// HTTP/1.1 connections that wait for a request, for a limited time.
#[derive(Default)]
pub(super) struct IdleConnections(Mutex<Idle>);

#[derive(Default)]
struct Idle {
    /// In the order in which they became idle.
    senders: Vec<(Http1Sender, Instant)>,
    is_swept: bool,
}

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
        if let Some(ready) = idle.senders.iter().rposition(|(sender, _)| sender.is_ready()) {
            let (sender, since) = idle.senders.remove(ready);
            if since.elapsed() < IDLE_TIMEOUT {
                return Some(sender);
            }
            // The others are idle for longer.
            idle.senders.drain(..ready);
        }
        idle.senders.retain(|(sender, _)| !sender.is_closed());
        idle.senders.pop().map(|(sender, _)| sender)
    }

    /// Takes a connection whose response has ended or was dropped.
    pub(super) fn put(self: &Arc<Self>, sender: Http1Sender) {
        // A response can be dropped anywhere, even where no runtime is.
        let Ok(runtime) = Handle::try_current() else { return };
        let mut idle = self.lock();
        if sender.is_closed() || idle.senders.len() == IDLE_CONNECTIONS {
            return;
        }
        idle.senders.push((sender, Instant::now()));
        let is_swept = std::mem::replace(&mut idle.is_swept, true);
        drop(idle);
        if !is_swept {
            // Without the lock, which the sweep takes when it is dropped: a runtime that shuts down drops it at once.
            runtime.spawn(Sweep(Arc::downgrade(self)).run());
        }
    }

    fn lock(&self) -> MutexGuard<'_, Idle> {
        self.0.lock().expect("no panics while held")
    }
}

/// The task that closes connections which are idle for too long. It runs while there are any.
struct Sweep(Weak<IdleConnections>);

impl Sweep {
    async fn run(mut self) {
        loop {
            tokio::time::sleep(IDLE_TIMEOUT).await;
            let Some(connections) = self.0.upgrade() else { return };
            let mut idle = connections.lock();
            idle.senders.retain(|(sender, since)| !sender.is_closed() && since.elapsed() < IDLE_TIMEOUT);
            if idle.senders.is_empty() {
                idle.is_swept = false;
                // Another sweep may begin before this one is dropped.
                self.0 = Weak::new();
                return;
            }
        }
    }
}

impl Drop for Sweep {
    /// A sweep also ends with its runtime.
    fn drop(&mut self) {
        if let Some(connections) = self.0.upgrade() {
            connections.lock().is_swept = false;
        }
    }
}
