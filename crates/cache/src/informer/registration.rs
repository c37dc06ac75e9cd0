//! [`ResourceEventHandlerRegistration`], an event handler that was added to an informer.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use klient_apimachinery::Object;
use klient_apimachinery::codec::Wire;

use super::handle::InformerHandle;
use super::handler_task::{HandlerTask, run_handler};
use super::shared::Listener;
use crate::error::Error;
use crate::handler::ResourceEventHandler;

/// An event handler that was added to an informer (client-go's `ResourceEventHandlerRegistration`). Dropping
/// it removes the handler; [`detach`](Self::detach) keeps it for as long as the informer runs.
#[must_use = "the handler is removed when this is dropped; use detach() to leave it"]
pub struct ResourceEventHandlerRegistration<K: Wire + Object> {
    handle: Arc<InformerHandle<K>>,
    task: HandlerTask<K>,
}

impl<K: Wire + Object> ResourceEventHandlerRegistration<K> {
    pub(super) fn start(
        handle: Arc<InformerHandle<K>>,
        listener: Arc<Listener<K>>,
        resync: Option<Duration>,
        handler: impl ResourceEventHandler<K>,
    ) -> Self {
        let task = tokio::spawn(run_handler(handle.shared.clone(), listener.clone(), resync, handler));
        let task = HandlerTask { shared: handle.shared.clone(), listener, task: Some(task) };
        ResourceEventHandlerRegistration { handle, task }
    }

    /// Returns true once the handler was called with all initial objects.
    pub fn has_synced(&self) -> bool {
        *self.task.listener.has_synced.borrow()
    }

    /// Waits until the handler was called with all initial objects and has returned.
    ///
    /// # Errors
    ///
    /// As [`Informer::wait_for_sync`](super::Informer::wait_for_sync).
    pub async fn wait_for_sync(&self) -> Result<(), Error> {
        self.handle.wait_for_sync().await?;
        let mut has_synced = self.task.listener.has_synced.subscribe();
        // The sender cannot be dropped while `self` exists.
        let _ = has_synced.wait_for(|has_synced| *has_synced).await;
        Ok(())
    }

    /// The number of events that are queued for the handler.
    pub fn pending_events(&self) -> usize {
        self.task.listener.buffer.depth()
    }

    /// The number of events that the handler did not receive because later changes of the same object
    /// replaced them: see [`Overflow::Coalesce`](crate::Overflow::Coalesce).
    pub fn dropped_events(&self) -> u64 {
        self.task.listener.buffer.dropped()
    }

    /// Keeps the handler until the informer is stopped or dropped. It does not keep the informer running:
    /// keep a clone of the informer, or take it from a [factory](crate::InformerFactory).
    pub fn detach(self) {
        self.handle.detach(self.task);
    }

    /// Removes the handler, and returns when no call of it is in progress.
    pub async fn remove(self) {
        self.task.end().await;
    }
}

impl<K: Wire + Object> fmt::Debug for ResourceEventHandlerRegistration<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let resource = self.handle.shared.store.resource();
        write!(f, "ResourceEventHandlerRegistration({resource:?}, {} events wait)", self.pending_events())
    }
}
