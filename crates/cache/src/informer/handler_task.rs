//! [`HandlerTask`], the task that calls an event handler.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use klient_apimachinery::Object;
use klient_apimachinery::codec::Wire;
use tokio::task::JoinHandle;

use super::resync::Resync;
use super::shared::{Listener, Phase, Shared};
use crate::buffer::{BufferReader, Step};
use crate::event::Event;
use crate::handler::ResourceEventHandler;

/// The number of events after which a handler's task yields to others.
const YIELD_AFTER: usize = 256;

/// The task that calls an event handler. Dropping it removes the listener and aborts the task.
pub(super) struct HandlerTask<K: Wire + Object> {
    pub(super) shared: Arc<Shared<K>>,
    pub(super) listener: Arc<Listener<K>>,
    pub(super) task: Option<JoinHandle<()>>,
}

impl<K: Wire + Object> HandlerTask<K> {
    /// Removes the listener, and returns when the task has ended.
    pub(super) async fn end(mut self) {
        self.shared.remove_listener(&self.listener);
        if let Some(task) = self.task.take() {
            task.abort();
            // Cancelled, or ended before.
            let _ = task.await;
        }
    }
}

impl<K: Wire + Object> Drop for HandlerTask<K> {
    fn drop(&mut self) {
        self.shared.remove_listener(&self.listener);
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// Calls a handler with every event, until dropped.
pub(super) async fn run_handler<K: Wire + Object>(
    shared: Arc<Shared<K>>,
    listener: Arc<Listener<K>>,
    resync: Option<Duration>,
    mut handler: impl ResourceEventHandler<K>,
) {
    let mut reader = BufferReader::new(listener.buffer.clone());
    let mut resync = Resync::new(&shared, resync);
    let mut events_since_yield = 0;
    loop {
        let step = match reader.try_next() {
            Some(step) => step,
            None => {
                events_since_yield = 0;
                tokio::select! {
                    step = reader.next() => step,
                    () = resync.due() => {
                        if *listener.has_synced.borrow() && shared.phase() == Phase::Running {
                            shared.resync(&listener);
                        }
                        continue;
                    }
                }
            }
        };
        match step {
            Step::Synced => {
                listener.has_synced.send_replace(true);
            }
            Step::Event(event) => dispatch(&mut handler, event, &shared),
        }
        events_since_yield += 1;
        if events_since_yield == YIELD_AFTER {
            events_since_yield = 0;
            tokio::task::yield_now().await;
        }
    }
}

fn dispatch<K: Wire + Object>(
    handler: &mut impl ResourceEventHandler<K>,
    event: Event<K>,
    shared: &Shared<K>,
) {
    // The key is logged if the handler panics.
    let mut key = None;
    let object = event.object().cloned();
    let called = catch_unwind(AssertUnwindSafe(|| match event {
        Event::Added { object, is_in_initial_list } => handler.on_add(object, is_in_initial_list),
        Event::Updated { old, new } => handler.on_update(old, new),
        Event::Deleted(deleted) => {
            key = Some(deleted.key.clone());
            handler.on_delete(deleted);
        }
        Event::Undecodable { known, version } => {
            key = Some(version.key.clone());
            handler.on_undecodable(known, version);
        }
    }));
    if called.is_err() {
        let key = key.or_else(|| object.map(|object| object.key()));
        let resource = shared.store.resource();
        tracing::error!(?resource, object = ?key, "a handler panicked; it receives the next event");
    }
}
