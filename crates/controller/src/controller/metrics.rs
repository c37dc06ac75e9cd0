//! Metrics of controllers, under controller-runtime's names: [`ControllerMetrics`], and those of the crate `metrics`.
//! Without the feature `metrics` the latter are empty.

#[cfg(not(feature = "metrics"))]
mod disabled;
#[cfg(feature = "metrics")]
mod facade;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use klient_workqueue::Snapshot;

#[cfg(not(feature = "metrics"))]
use disabled as recorder;
#[cfg(feature = "metrics")]
use facade as recorder;
#[cfg(feature = "metrics")]
pub use facade::describe_metrics;
pub(super) use recorder::{observed, queue_ended, queue_in_progress};

/// The figures of a controller since it was built, under controller-runtime's names: see
/// [`ControllerHandle::metrics`](super::ControllerHandle::metrics). With the feature `metrics` they go to the recorder
/// of the crate `metrics`, too.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ControllerMetrics {
    /// The name of the controller, the value of the label `controller`.
    pub controller: Arc<str>,
    /// `controller_runtime_reconcile_total{result="success"}`.
    pub success: u64,
    /// `controller_runtime_reconcile_total{result="requeue_after"}`.
    pub requeue_after: u64,
    /// `controller_runtime_reconcile_total{result="requeue"}`.
    pub requeue: u64,
    /// `controller_runtime_reconcile_total{result="error"}`, and `controller_runtime_reconcile_errors_total`.
    /// Panics and time-outs are errors.
    pub errors: u64,
    /// `controller_runtime_terminal_reconcile_errors_total`: errors that are not retried.
    pub terminal_errors: u64,
    /// `controller_runtime_reconcile_panics_total`.
    pub panics: u64,
    /// `controller_runtime_reconcile_timeouts_total`: reconciles that were cancelled at the time limit.
    pub timeouts: u64,
    /// The number of panics of predicates and mappings.
    pub handler_panics: u64,
    /// The number of times a reconcile kept its thread for more than a second.
    pub blocked: u64,
    /// The number of reconciles that began although a cache had not seen an own write within the limit.
    pub stale_reads: u64,
    /// `controller_runtime_active_workers`: the number of workers that have a key.
    pub active_workers: usize,
    /// `controller_runtime_max_concurrent_reconciles`: the number of workers.
    pub max_concurrent_reconciles: usize,
    /// The sum of `controller_runtime_reconcile_time_seconds`.
    pub reconcile_time: Duration,
    /// `workqueue_…`; `None` unless the controller runs.
    pub queue: Option<Snapshot>,
}

/// The result of a reconcile, for the label `result`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Success,
    RequeueAfter,
    Requeue,
    Error,
    TerminalError,
    Panic,
    Timeout,
}

impl Outcome {
    fn label(self) -> &'static str {
        match self {
            Outcome::Success => "success",
            Outcome::RequeueAfter => "requeue_after",
            Outcome::Requeue => "requeue",
            _ => "error",
        }
    }
}

/// The counters of a controller.
pub(super) struct Meters {
    controller: Arc<str>,
    workers: usize,
    success: AtomicU64,
    requeue_after: AtomicU64,
    requeue: AtomicU64,
    errors: AtomicU64,
    terminal_errors: AtomicU64,
    panics: AtomicU64,
    timeouts: AtomicU64,
    handler_panics: AtomicU64,
    blocked: AtomicU64,
    stale_reads: AtomicU64,
    active_workers: AtomicUsize,
    reconcile_nanoseconds: AtomicU64,
}

impl Meters {
    pub(super) fn new(controller: Arc<str>, workers: usize) -> Self {
        recorder::begin(&controller, workers);
        Meters {
            controller,
            workers,
            success: AtomicU64::new(0),
            requeue_after: AtomicU64::new(0),
            requeue: AtomicU64::new(0),
            errors: AtomicU64::new(0),
            terminal_errors: AtomicU64::new(0),
            panics: AtomicU64::new(0),
            timeouts: AtomicU64::new(0),
            handler_panics: AtomicU64::new(0),
            blocked: AtomicU64::new(0),
            stale_reads: AtomicU64::new(0),
            active_workers: AtomicUsize::new(0),
            reconcile_nanoseconds: AtomicU64::new(0),
        }
    }

    /// Counts a worker as active until the guard is dropped.
    pub(super) fn active(&self) -> Active<'_> {
        self.active_workers.fetch_add(1, Ordering::Relaxed);
        recorder::worker_begins(&self.controller);
        Active(self)
    }

    /// The name of the controller.
    pub(super) fn controller(&self) -> &str {
        &self.controller
    }

    pub(super) fn reconciled(&self, outcome: Outcome, took: Duration) {
        let count = |counter: &AtomicU64| counter.fetch_add(1, Ordering::Relaxed);
        match outcome {
            Outcome::Success => count(&self.success),
            Outcome::RequeueAfter => count(&self.requeue_after),
            Outcome::Requeue => count(&self.requeue),
            _ => count(&self.errors),
        };
        match outcome {
            Outcome::TerminalError => count(&self.terminal_errors),
            Outcome::Panic => count(&self.panics),
            Outcome::Timeout => count(&self.timeouts),
            _ => 0,
        };
        let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.reconcile_nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
        recorder::reconciled(&self.controller, outcome, outcome.label(), took);
    }

    pub(super) fn handler_panicked(&self) {
        self.handler_panics.fetch_add(1, Ordering::Relaxed);
        recorder::handler_panicked(&self.controller);
    }

    pub(super) fn blocked(&self) {
        self.blocked.fetch_add(1, Ordering::Relaxed);
        recorder::blocked(&self.controller);
    }

    pub(super) fn stale_read(&self) {
        self.stale_reads.fetch_add(1, Ordering::Relaxed);
        recorder::stale_read(&self.controller);
    }

    pub(super) fn snapshot(&self, queue: Option<Snapshot>) -> ControllerMetrics {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        ControllerMetrics {
            controller: self.controller.clone(),
            success: read(&self.success),
            requeue_after: read(&self.requeue_after),
            requeue: read(&self.requeue),
            errors: read(&self.errors),
            terminal_errors: read(&self.terminal_errors),
            panics: read(&self.panics),
            timeouts: read(&self.timeouts),
            handler_panics: read(&self.handler_panics),
            blocked: read(&self.blocked),
            stale_reads: read(&self.stale_reads),
            active_workers: self.active_workers.load(Ordering::Relaxed),
            max_concurrent_reconciles: self.workers,
            reconcile_time: Duration::from_nanos(read(&self.reconcile_nanoseconds)),
            queue,
        }
    }
}

/// A worker that has a key.
pub(super) struct Active<'a>(&'a Meters);

impl Drop for Active<'_> {
    fn drop(&mut self) {
        self.0.active_workers.fetch_sub(1, Ordering::Relaxed);
        recorder::worker_ends(&self.0.controller);
    }
}
