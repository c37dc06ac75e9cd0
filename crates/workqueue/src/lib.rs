//! Work queues for controllers, and their rate limiters and backoffs: client-go's `util/workqueue`,
//! `util/flowcontrol` and `util/retry`. Nothing here depends on Kubernetes types.
//!
//! - [`Queue`]: deduplicated keys, each processed by one worker at a time, at once or after a delay;
//! - [`RateLimiter`]: the delay before a failed key is processed again;
//! - [`Metrics`], [`Snapshot`]: metrics of a named queue;
//! - [`Backoff`], [`ResettingBackoff`], [`KeyedBackoff`], [`retry`]: delays between attempts;
//! - [`parallelize_until`]: concurrent processing of numbered pieces of work.
//!
//! A controller has a queue and some workers, as many as keys are to be reconciled at the same time. Event
//! handlers add keys:
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
mod metrics;
mod order;
#[cfg(not(loom))]
mod parallel;
mod queue;
mod rate_limiter;
#[cfg(not(loom))]
mod retry;
mod state;
mod sync;

#[cfg(not(loom))]
pub use backoff::{Backoff, KeyedBackoff, ResettingBackoff};
pub use metrics::{Histogram, Metrics, Observation, Snapshot, prometheus_text};
pub use order::Order;
#[cfg(not(loom))]
pub use parallel::parallelize_until;
pub use queue::{AddOptions, Queue, QueueBuilder, Work};
pub use rate_limiter::{
    BucketRateLimiter, ItemExponentialFailureRateLimiter, ItemFastSlowRateLimiter, MaxOfRateLimiter,
    RateLimiter, WithMaxWaitRateLimiter, default_controller_rate_limiter, default_item_based_rate_limiter,
};
#[cfg(not(loom))]
pub use retry::retry;
