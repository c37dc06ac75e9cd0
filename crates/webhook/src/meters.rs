//! Metrics of webhooks, under controller-runtime's names: [`WebhookMetrics`], and those of the crate `metrics`. Without the
//! feature `metrics` the latter are empty.

#[cfg(not(feature = "metrics"))]
mod disabled;
#[cfg(feature = "metrics")]
mod facade;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use http::StatusCode;

#[cfg(not(feature = "metrics"))]
use disabled as recorder;
#[cfg(feature = "metrics")]
use facade as recorder;
#[cfg(feature = "metrics")]
pub use facade::describe_metrics;

/// The figures of a webhook since it was built, under controller-runtime's names. With the feature `metrics` they go to the
/// recorder of the crate `metrics`, too.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WebhookMetrics {
    /// The path, the value of the label `webhook`.
    pub webhook: Arc<str>,
    /// `controller_runtime_webhook_requests_total`.
    pub requests: u64,
    /// `controller_runtime_webhook_requests_total` with a `code` that is not 200. A write that is denied has 200.
    pub refused: u64,
    /// `controller_runtime_webhook_panics_total`, of this webhook.
    pub panics: u64,
    /// The number of requests that had no answer in time.
    pub timeouts: u64,
    /// `controller_runtime_webhook_requests_in_flight`.
    pub in_flight: usize,
    /// The sum of `controller_runtime_webhook_latency_seconds`.
    pub latency: Duration,
}

/// The counters of a webhook.
pub(crate) struct Meters {
    path: Arc<str>,
    requests: AtomicU64,
    refused: AtomicU64,
    panics: AtomicU64,
    timeouts: AtomicU64,
    in_flight: AtomicUsize,
    latency_nanoseconds: AtomicU64,
}

impl Meters {
    pub(crate) fn new(path: &str) -> Self {
        recorder::begin(path);
        Meters {
            path: path.into(),
            requests: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            panics: AtomicU64::new(0),
            timeouts: AtomicU64::new(0),
            in_flight: AtomicUsize::new(0),
            latency_nanoseconds: AtomicU64::new(0),
        }
    }

    /// Counts a request as in flight until the guard is dropped.
    pub(crate) fn begin(&self) -> InFlight<'_> {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        recorder::request_begins(&self.path);
        InFlight { meters: self, began: Instant::now() }
    }

    pub(crate) fn panicked(&self) {
        self.panics.fetch_add(1, Ordering::Relaxed);
        recorder::panicked();
    }

    pub(crate) fn timed_out(&self) {
        self.timeouts.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn snapshot(&self) -> WebhookMetrics {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        WebhookMetrics {
            webhook: self.path.clone(),
            requests: read(&self.requests),
            refused: read(&self.refused),
            panics: read(&self.panics),
            timeouts: read(&self.timeouts),
            in_flight: self.in_flight.load(Ordering::Relaxed),
            latency: Duration::from_nanos(read(&self.latency_nanoseconds)),
        }
    }
}

/// A request in flight. One that its client gives up is not counted.
pub(crate) struct InFlight<'a> {
    meters: &'a Meters,
    began: Instant,
}

impl InFlight<'_> {
    pub(crate) fn end(self, code: StatusCode) {
        let (meters, took) = (self.meters, self.began.elapsed());
        meters.requests.fetch_add(1, Ordering::Relaxed);
        if code != StatusCode::OK {
            meters.refused.fetch_add(1, Ordering::Relaxed);
        }
        let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        meters.latency_nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
        recorder::request_ended(&meters.path, code, took);
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.meters.in_flight.fetch_sub(1, Ordering::Relaxed);
        recorder::request_left(&self.meters.path);
    }
}
