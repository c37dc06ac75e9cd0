//! [`Shared`], the state that an informer's handles and tasks share: the store and the listeners.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use klient_apimachinery::Object;
use klient_apimachinery::codec::Wire;

use crate::buffer::{Buffer, Notification};
use crate::decode_result::DecodeResult;
use crate::delta::Delta;
use crate::handler::HandlerOptions;
use crate::reflector::Progress;
use crate::store::{Change, Partition, Store};

/// State that is shared by the informer's handles and its tasks.
pub(super) struct Shared<K> {
    pub(super) store: Store<K>,
    pub(super) progress: Progress,
    pub(super) resync: Option<Duration>,
    /// Locked while the store changes, so that a handler that joins gets every change once.
    pub(super) handlers: Mutex<Vec<Arc<Listener<K>>>>,
    pub(super) phase: tokio::sync::watch::Sender<Phase>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    New,
    Running,
    Stopped,
    /// Made by a factory that had been shut down, and never started.
    ShutDown,
}

/// The result of applying deltas: the changes, and the listeners that were notified of them.
pub(super) struct Applied<K> {
    pub(super) changes: Arc<[Change<K>]>,
    pub(super) handlers: Vec<Arc<Listener<K>>>,
}

/// An event handler as the informer sees it (client-go's `processorListener`).
pub(super) struct Listener<K> {
    pub(super) buffer: Arc<Buffer<K>>,
    pub(super) has_synced: tokio::sync::watch::Sender<bool>,
    /// Set when `Synced` was pushed to the buffer.
    pub(super) is_past_sync: AtomicBool,
}

impl<K> Shared<K> {
    pub(super) fn new(store: Store<K>, partitions: usize, resync: Option<Duration>) -> Self {
        Shared {
            store,
            progress: Progress::new(partitions),
            resync,
            handlers: Mutex::default(),
            phase: tokio::sync::watch::Sender::new(Phase::New),
        }
    }

    pub(super) fn handlers(&self) -> MutexGuard<'_, Vec<Arc<Listener<K>>>> {
        self.handlers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn phase(&self) -> Phase {
        *self.phase.borrow()
    }
}

impl<K: Wire + Object> Shared<K> {
    pub(super) fn set_phase(&self, phase: Phase) {
        self.store.set_stopped(matches!(phase, Phase::Stopped | Phase::ShutDown));
        self.phase.send_replace(phase);
    }

    /// Adds a listener whose buffer begins with the objects of the store.
    pub(super) fn add_listener(&self, options: &HandlerOptions) -> Arc<Listener<K>> {
        let mut handlers = self.handlers();
        let listener = Arc::new(Listener {
            buffer: Arc::new(Buffer::new(options.buffer, options.overflow)),
            has_synced: tokio::sync::watch::Sender::new(false),
            is_past_sync: false.into(),
        });
        let (snapshot, undecodables) = self.store.snapshot_and_undecodables();
        if !snapshot.is_empty() {
            listener.buffer.push(Notification::Initial(snapshot));
        }
        if !undecodables.is_empty() {
            listener.buffer.push(Notification::Changes(undecodables.into(), true));
        }
        if self.progress.has_synced() {
            listener.is_past_sync.store(true, Ordering::Relaxed);
            listener.buffer.push(Notification::Synced);
        }
        handlers.push(listener.clone());
        listener
    }

    pub(super) fn remove_listener(&self, listener: &Arc<Listener<K>>) {
        self.handlers().retain(|other| !Arc::ptr_eq(other, listener));
        listener.buffer.close();
    }

    /// Queues all objects of the store as updates for one listener.
    pub(super) fn resync(&self, listener: &Listener<K>) {
        // Locked, so that no older change is queued behind the snapshot.
        let _handlers = self.handlers();
        listener.buffer.push(Notification::Resync(self.store.snapshot()));
    }

    /// Applies deltas to the store and queues the resulting changes for all listeners.
    pub(super) fn apply(&self, deltas: Vec<Delta<DecodeResult<K>>>, partition: &Partition) -> Applied<K> {
        let brings_list = deltas.iter().any(|delta| matches!(delta, Delta::Replaced(..)));
        let handlers = self.handlers();
        let was_synced = self.progress.has_synced();
        let changes: Arc<[Change<K>]> = self.store.apply(deltas, partition).into();
        if !changes.is_empty() {
            for listener in handlers.iter() {
                let is_initial = !listener.is_past_sync.load(Ordering::Relaxed);
                listener.buffer.push(Notification::Changes(changes.clone(), is_initial));
            }
        }
        if brings_list {
            self.progress.change(partition, |partition| partition.has_synced = true);
        }
        if !was_synced && self.progress.has_synced() {
            for listener in handlers.iter() {
                if !listener.is_past_sync.swap(true, Ordering::Relaxed) {
                    listener.buffer.push(Notification::Synced);
                }
            }
        }
        Applied { changes, handlers: handlers.clone() }
    }
}
