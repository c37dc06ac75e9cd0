//! [`EventBroadcaster`], which distributes events to sinks and watchers.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use klient_client::Client;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::core_sink::CoreSink;
use super::correlator::CorrelatorOptions;
use super::delivery::{Delivery, Tries};
use super::drops::{DropCounts, OnDrop};
use super::events_sink::EventsSink;
use super::log_sink::LogSink;
use super::recorder::EventRecorder;
use super::reporter::Reporter;
use super::series::SeriesOptions;
use super::shared::Shared;
use super::sink::{Message, Sink, SinkTask};
use super::watcher::EventWatcher;

/// Distributes the events of its recorders to sinks and watchers, each with a queue of its own.
///
/// A program has one, and a recorder for each of its components. Sinks write in tasks; those end once the broadcaster is
/// [shut down](Self::shutdown), or once it and its recorders are dropped and their queues are empty.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::Arc;
///
/// use klient_api::core::v1::ObjectReference;
/// use klient_client::{Client, Config};
/// use klient_controller::events::{DropReason, EventBroadcaster, EventBroadcasterOptions, EventType};
///
/// let server = klient_apiserver::TestServer::start().await?;
/// let client = Client::new(Config::from_kubeconfig(&server.kubeconfig())?)?;
/// let broadcaster = EventBroadcaster::new(EventBroadcasterOptions {
///     on_drop: Some(Arc::new(|dropped| println!("{}: {}", dropped.reason, dropped.event))),
///     ..Default::default()
/// });
/// broadcaster.start_recording_to_events_v1(client, Default::default());
///
/// // The server has no such namespace.
/// let pod = ObjectReference { namespace: Some("shop".into()), name: Some("web-0".into()), ..Default::default() };
/// broadcaster.recorder("shop-controller").event(pod, EventType::Normal, "Started", "started");
/// broadcaster.flush().await;
/// assert_eq!(broadcaster.dropped().of(DropReason::Rejected), 1);
/// # Ok(()) }
/// ```
pub struct EventBroadcaster {
    shared: Arc<Shared>,
    options: EventBroadcasterOptions,
    /// The tasks of the sinks.
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

/// Options of an [`EventBroadcaster`].
#[derive(Clone)]
pub struct EventBroadcasterOptions {
    /// The number of events that wait in the queue of each sink and watcher; at least one. 1,000 by default.
    pub queue_size: usize,
    /// The number of tries to write an event while the server cannot be reached; 12 by default.
    pub max_tries: u32,
    /// The time between two tries; 10 s by default. The first is a random part of it, so that clients do not try again at
    /// once when a server comes back.
    pub sleep: Duration,
    /// Called for each event that is dropped, and once for the events of a series that are dropped together. It must not
    /// block, since recorders call it too. Events that it records itself are only counted if they are dropped. A panic of
    /// it is logged.
    pub on_drop: Option<OnDrop>,
}

impl Default for EventBroadcasterOptions {
    fn default() -> Self {
        EventBroadcasterOptions {
            queue_size: 1000,
            max_tries: 12,
            sleep: Duration::from_secs(10),
            on_drop: None,
        }
    }
}

impl EventBroadcaster {
    /// A broadcaster without sinks and watchers.
    pub fn new(options: EventBroadcasterOptions) -> Self {
        let shared = Arc::new(Shared::new(options.on_drop.clone()));
        EventBroadcaster { shared, options, tasks: Mutex::default() }
    }

    /// A recorder for a component, which is its name or a [`Reporter`].
    pub fn recorder(&self, reporter: impl Into<Reporter>) -> EventRecorder {
        EventRecorder::new(self.shared.clone(), reporter.into())
    }

    /// Writes events as objects of core/v1 (client-go's `record` and `EventCorrelator`).
    ///
    /// - Identical events are one object, whose `count` and `lastTimestamp` are patched.
    /// - The tenth message of an object and reason with less than ten minutes between them, and those after it, are
    ///   combined in one object whose message begins with `(combined from similar events): `.
    /// - A component may record 25 events about an object at once, and one more every five minutes; others are dropped.
    ///
    /// The server keeps the events of both APIs in one place: a broadcaster has either this sink or that of
    /// events.k8s.io/v1 for a cluster, or the second to write an event is refused.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    #[doc(alias = "StartRecordingToSink")]
    pub fn start_recording_to_core_v1(&self, client: Client, options: CorrelatorOptions) {
        self.start(CoreSink::new(client, options));
    }

    /// Writes events as objects of events.k8s.io/v1 (client-go's `events`).
    ///
    /// The second event that differs from another in note and time only begins a series, which is written at once. Those
    /// after it are counted in memory. The count is written every 30 minutes, six minutes after the last of them, when
    /// the series ends, and by [`flush`](Self::flush).
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    #[doc(alias = "StartRecordingToSink")]
    pub fn start_recording_to_events_v1(&self, client: Client, options: SeriesOptions) {
        self.start(EventsSink::new(client, options));
    }

    /// Logs events as `tracing` events at `info`, with client-go's words (`StartStructuredLogging`).
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    #[doc(alias = "StartStructuredLogging")]
    pub fn start_logging(&self) {
        self.start(LogSink);
    }

    /// The events that are recorded from now on.
    #[doc(alias = "StartEventWatcher")]
    pub fn watch(&self) -> EventWatcher {
        EventWatcher(self.shared.add_receiver(self.options.queue_size, false))
    }

    /// The number of events that were dropped, by reason.
    pub fn dropped(&self) -> DropCounts {
        self.shared.drops.counts()
    }

    /// Waits until every sink has written, or dropped, all events that were recorded before. A server that cannot be
    /// reached delays it by [`max_tries`](EventBroadcasterOptions::max_tries) of each event: use
    /// [`tokio::time::timeout`] and then [`shutdown`](Self::shutdown).
    pub async fn flush(&self) {
        let mut waits = Vec::new();
        for sink in self.shared.sinks() {
            let (done, wait) = oneshot::channel();
            if sink.send(Message::Flush(done)).await.is_ok() {
                waits.push(wait);
            }
        }
        for wait in waits {
            // An error means that the sink was shut down meanwhile.
            let _ = wait.await;
        }
        self.shared.drops.warn_of_rest();
    }

    /// Ends all sinks and watchers, and returns when the tasks have ended. Events that were not written are dropped, and so
    /// are those that are recorded afterwards: [`flush`](Self::flush) first.
    pub async fn shutdown(&self) {
        self.shared.shut_down();
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        for task in tasks {
            // An error means that the runtime has ended the task.
            let _ = task.await;
        }
        self.shared.drops.warn_of_rest();
    }

    fn start(&self, sink: impl Sink) {
        let tries = Tries { max: self.options.max_tries, sleep: self.options.sleep };
        let delivery = Delivery::new(self.shared.drops.clone(), self.shared.stop(), tries);
        let queue = self.shared.add_receiver(self.options.queue_size, true);
        let task = tokio::spawn(SinkTask::new(sink, queue, delivery).run());
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).push(task);
    }
}

impl fmt::Debug for EventBroadcaster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventBroadcaster").field("dropped", &self.dropped()).finish_non_exhaustive()
    }
}

impl fmt::Debug for EventBroadcasterOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventBroadcasterOptions")
            .field("queue_size", &self.queue_size)
            .field("max_tries", &self.max_tries)
            .field("sleep", &self.sleep)
            .finish_non_exhaustive()
    }
}
