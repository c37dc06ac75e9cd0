//! Events: what a program says about an object, for `kubectl describe` and `kubectl events` (client-go's `record` and
//! `events`).
//!
//! An [`EventRecorder`] records, an [`EventBroadcaster`] distributes to its sinks and watchers, and a sink writes to the
//! API server, as objects of core/v1 or of events.k8s.io/v1.
//!
//! - *Never blocks*: recording puts the event into bounded queues, one for each sink and watcher. Sinks write in tasks of
//!   their own.
//! - *Correlated*: [core/v1](EventBroadcaster::start_recording_to_core_v1) counts identical events in one object, combines
//!   similar ones and limits their rate; [events.k8s.io/v1](EventBroadcaster::start_recording_to_events_v1) makes a series
//!   of events that repeat.
//! - *Counted*: an event that is not written is counted by its [`DropReason`], passed to a callback, and told by a
//!   `tracing` warning at most once a minute, and the rest at a flush and at the end.
//! - *Flushed*: when [`EventBroadcaster::flush`] returns, all that was recorded before is written or counted as dropped.
//!
//! [`search`] finds the events of an object. Tests use a [`FakeRecorder`].
//!
//! ```
//! # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use klient_api::core::v1::{Event, Namespace};
//! use klient_client::{Client, Config, ListOptions};
//! use klient_controller::events::{EventBroadcaster, EventType};
//!
//! let server = klient_apiserver::TestServer::start().await?;
//! let client = Client::new(Config::from_kubeconfig(&server.kubeconfig())?)?;
//!
//! let broadcaster = EventBroadcaster::new(Default::default());
//! broadcaster.start_recording_to_core_v1(client.clone(), Default::default());
//! let recorder = broadcaster.recorder("shop-controller");
//!
//! let namespace = client.api::<Namespace>().get("default").await?;
//! for _ in 0..3 {
//!     recorder.event(&namespace, EventType::Warning, "QuotaExceeded", "too many pods");
//! }
//! broadcaster.flush().await;
//!
//! let events = client.api::<Event>().namespace("default").list(&ListOptions::default()).await?;
//! assert_eq!(events.items.len(), 1);
//! assert_eq!(events.items[0].count, Some(3));
//! assert_eq!(broadcaster.dropped().total(), 0);
//! broadcaster.shutdown().await;
//! # Ok(()) }
//! ```

mod broadcaster;
mod core_sink;
mod correlator;
mod delivery;
mod drops;
mod event;
mod events_sink;
mod fake_recorder;
mod log_sink;
mod recorded_event;
mod recorder;
mod reporter;
mod search;
mod series;
mod shared;
mod sink;
mod watcher;

pub use broadcaster::{EventBroadcaster, EventBroadcasterOptions};
pub use correlator::{CorrelatorOptions, EventKey};
pub use drops::{DropCounts, DropReason, DroppedEvent, OnDrop};
pub use event::{Event, EventType};
pub use fake_recorder::FakeRecorder;
pub use recorded_event::RecordedEvent;
pub use recorder::EventRecorder;
pub use reporter::Reporter;
pub use search::search;
pub use series::SeriesOptions;
pub use watcher::EventWatcher;
