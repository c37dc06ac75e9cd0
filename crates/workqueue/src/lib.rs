//! Work queues for controllers, and what goes with them: client-go's `util/workqueue`, `util/flowcontrol` and
//! `util/retry`. Nothing here knows Kubernetes.
//!
//! - [`Queue`]: keys to reconcile, each once and in one worker's hands at a time, now or later;
//! - [`Limiter`]: when a key that failed may come again;
//! - [`Metrics`], [`Snapshot`]: what a queue with a name tells of itself;
//! - [`Backoff`], [`ResettingBackoff`], [`KeyedBackoff`], [`retry`]: the time between attempts;
//! - [`parallelize_until`]: many pieces of work, some at a time.
//!
//! A controller has a queue and some workers, as many as it reconciles keys at once. Event handlers add keys:
//!
//! ```
//! use klient_workqueue::Queue;
//!
//! async fn work(queue: Queue<String>) {
//!     while let Some(key) = queue.get().await {
//!         match reconcile(&key).await {
//!             Ok(()) => queue.forget(&key),
//!             Err(_) => queue.add_rate_limited(key.clone()),
//!         }
//!         // Here `key` is dropped, and may be handed out again.
//!     }
//! }
//! # async fn reconcile(key: &str) -> Result<(), ()> { if key == "shop/web-0" { Ok(()) } else { Err(()) } }
//!
//! # #[tokio::main] async fn main() {
//! let queue = Queue::builder().name("pods").build();
//! queue.add("shop/web-0".to_owned());
//! queue.add("shop/web-0".to_owned());
//! assert_eq!(queue.len(), 1);
//!
//! let workers: Vec<_> = (0..2).map(|_| tokio::spawn(work(queue.clone()))).collect();
//! queue.shut_down_with_drain().await;
//! for worker in workers {
//!     worker.await.expect("a worker ends when the queue is shut down and empty");
//! }
//! # }
//! ```

#[cfg(not(loom))]
mod backoff;
mod clock;
mod limiter;
mod metrics;
mod order;
#[cfg(not(loom))]
mod parallel;
mod queue;
#[cfg(not(loom))]
mod retry;
mod state;
mod sync;

#[cfg(not(loom))]
pub use backoff::{Backoff, KeyedBackoff, ResettingBackoff};
pub use limiter::{Bucket, Exponential, FastSlow, Limiter, MaxOf, MaxWait, controller_limiter, item_limiter};
pub use metrics::{Histogram, Metrics, Observation, Snapshot, prometheus_text};
pub use order::Order;
#[cfg(not(loom))]
pub use parallel::parallelize_until;
pub use queue::{AddOptions, Builder, Queue, Work};
#[cfg(not(loom))]
pub use retry::retry;
