//! [`ResourceEventHandlerRegistration`], an event handler that was added to an informer.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use klient_apimachinery::Object;
use klient_apimachinery::codec::Wire;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::{InformerHandle, Listener, Phase, Shared};
use crate::buffer::{BufferReader, Step};
use crate::error::Error;
use crate::event::Event;
use crate::handler::ResourceEventHandler;

/// The shortest resync period, as in client-go (`minimumResyncPeriod`).
const MIN_RESYNC_PERIOD: Duration = Duration::from_secs(1);

/// The number of events after which a handler's task yields to others.
const YIELD_AFTER: usize = 256;

/// An event handler that was added to an informer (client-go's `ResourceEventHandlerRegistration`). Dropping
/// it removes the handler; [`detach`](Self::detach) keeps it for as long as the informer runs.
#[must_use = "the handler is removed when this is dropped; use detach() to leave it"]
pub struct ResourceEventHandlerRegistration<K: Wire + Object> {
    handle: Arc<InformerHandle<K>>,
    task: HandlerTask<K>,
}

/// The task that calls an event handler. Dropping it removes the listener and aborts the task.
pub(super) struct HandlerTask<K: Wire + Object> {
    shared: Arc<Shared<K>>,
    listener: Arc<Listener<K>>,
    task: Option<JoinHandle<()>>,
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

    /// `true` once the handler was called with all initial objects.
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

impl<K: Wire + Object> fmt::Debug for ResourceEventHandlerRegistration<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let resource = self.handle.shared.store.resource();
        write!(f, "ResourceEventHandlerRegistration({resource:?}, {} events wait)", self.pending_events())
    }
}

/// The timer of a handler's resync; never due without a period.
pub(super) struct Resync(Option<tokio::time::Interval>);

impl Resync {
    pub(super) fn new<K>(shared: &Shared<K>, own: Option<Duration>) -> Self {
        let period = own.or(shared.resync).filter(|period| !period.is_zero());
        Resync(period.map(|period| {
            let period = period.max(MIN_RESYNC_PERIOD);
            let mut interval = interval_at(Instant::now() + period, period);
            interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
            interval
        }))
    }

    pub(super) async fn due(&mut self) {
        match &mut self.0 {
            Some(interval) => drop(interval.tick().await),
            None => std::future::pending().await,
        }
    }
}

/// Calls a handler with every event, until dropped.
async fn run_handler<K: Wire + Object>(
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
        tracing::error!(?resource, object = ?key, "a handler panicked; it is listener of the next event");
    }
}
