//! [`Shared`], the state that a broadcaster shares with its recorders.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, watch};

use super::drops::{DropReason, Drops, OnDrop};
use super::recorded_event::RecordedEvent;
use super::sink::Message;

/// The state that a broadcaster shares with its recorders.
pub(super) struct Shared {
    receivers: Mutex<Vec<Receiver>>,
    pub(super) drops: Arc<Drops>,
    /// True once the broadcaster is shut down.
    stop: watch::Sender<bool>,
    /// The time in the name of the last event.
    last_nanos: AtomicU64,
}

/// The queue of a sink or a watcher.
struct Receiver {
    sender: mpsc::Sender<Message>,
    is_sink: bool,
}

impl Shared {
    pub(super) fn new(on_drop: Option<OnDrop>) -> Self {
        Shared {
            receivers: Mutex::default(),
            drops: Arc::new(Drops::new(on_drop)),
            stop: watch::Sender::new(false),
            last_nanos: AtomicU64::new(0),
        }
    }

    /// A new queue, which is closed if the broadcaster is shut down.
    pub(super) fn add_receiver(&self, size: usize, is_sink: bool) -> mpsc::Receiver<Message> {
        let (sender, receiver) = mpsc::channel(size.max(1));
        let mut receivers = self.receivers();
        if !*self.stop.borrow() {
            receivers.push(Receiver { sender, is_sink });
        }
        receiver
    }

    /// The queues of all sinks.
    pub(super) fn sinks(&self) -> Vec<mpsc::Sender<Message>> {
        self.receivers().iter().filter(|to| to.is_sink).map(|to| to.sender.clone()).collect()
    }

    /// The signal to stop.
    pub(super) fn stop(&self) -> watch::Receiver<bool> {
        self.stop.subscribe()
    }

    /// Closes all queues, and tells the sinks to stop.
    pub(super) fn shut_down(&self) {
        self.stop.send_replace(true);
        self.receivers().clear();
    }

    /// Passes an event to every sink and watcher.
    pub(super) fn distribute(&self, event: RecordedEvent) {
        let event = Arc::new(event);
        let mut full = 0;
        let mut is_lost = true;
        // The callback for drops runs after the lock is released: it may record an event itself.
        self.receivers().retain(|to| match to.sender.try_send(Message::Event(event.clone())) {
            Err(TrySendError::Closed(_)) => false,
            sent => {
                full += usize::from(sent.is_err());
                is_lost = false;
                true
            }
        });
        for _ in 0..full {
            self.drops.add(&event, DropReason::QueueFull, None);
        }
        if is_lost {
            let reason = if *self.stop.borrow() { DropReason::Shutdown } else { DropReason::NoSink };
            self.drops.add(&event, reason, None);
        }
    }

    /// The time, or that after the last one, so that no two events have one name.
    pub(super) fn unique_nanos(&self, now: u64) -> u64 {
        let next = |last: u64| Some(now.max(last.saturating_add(1)));
        let last = self.last_nanos.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
        let last = last.expect("there is a next number after each");
        now.max(last.saturating_add(1))
    }

    fn receivers(&self) -> MutexGuard<'_, Vec<Receiver>> {
        self.receivers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
