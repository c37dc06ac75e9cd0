//! Metrics of the recorder that the program installed.

use std::time::Duration;

use klient_apimachinery::ObjectKey;
use klient_workqueue::{Observation, QueueBuilder, Snapshot};
use metrics::Unit;

use super::Outcome;

const RECONCILES: &str = "controller_runtime_reconcile_total";
const ERRORS: &str = "controller_runtime_reconcile_errors_total";
const TERMINAL_ERRORS: &str = "controller_runtime_terminal_reconcile_errors_total";
const PANICS: &str = "controller_runtime_reconcile_panics_total";
const TIMEOUTS: &str = "controller_runtime_reconcile_timeouts_total";
const RECONCILE_TIME: &str = "controller_runtime_reconcile_time_seconds";
const MAX_CONCURRENT_RECONCILES: &str = "controller_runtime_max_concurrent_reconciles";
const ACTIVE_WORKERS: &str = "controller_runtime_active_workers";
const HANDLER_PANICS: &str = "klient_controller_handler_panics_total";
const BLOCKED: &str = "klient_controller_blocked_total";
const STALE_READS: &str = "klient_controller_stale_reads_total";
const DEPTH: &str = "workqueue_depth";
const ADDS: &str = "workqueue_adds_total";
const QUEUE_DURATION: &str = "workqueue_queue_duration_seconds";
const WORK_DURATION: &str = "workqueue_work_duration_seconds";
const RETRIES: &str = "workqueue_retries_total";
const UNFINISHED_WORK: &str = "workqueue_unfinished_work_seconds";
const LONGEST_RUNNING: &str = "workqueue_longest_running_processor_seconds";

/// Registers the descriptions and units of the metrics of controllers with the recorder that the program has installed.
///
/// | metric | labels |
/// |---|---|
/// | `controller_runtime_reconcile_total` | `controller`, `result`: `success`, `requeue_after`, `requeue`, `error` |
/// | `controller_runtime_reconcile_errors_total`, `…_terminal_reconcile_errors_total`, `…_reconcile_panics_total`, `…_reconcile_timeouts_total` | `controller` |
/// | `controller_runtime_reconcile_time_seconds` | `controller` |
/// | `controller_runtime_max_concurrent_reconciles`, `controller_runtime_active_workers` | `controller` |
/// | `klient_controller_handler_panics_total`, `klient_controller_blocked_total`, `klient_controller_stale_reads_total` | `controller` |
/// | `workqueue_depth`, `…_adds_total`, `…_queue_duration_seconds`, `…_work_duration_seconds`, `…_retries_total`, `…_unfinished_work_seconds`, `…_longest_running_processor_seconds` | `name`, `controller` |
///
/// controller-runtime's buckets are 5 ms to 60 s for reconciles, and 10 ns to 10 s in powers of ten, and 1000 s, for
/// the queue.
pub fn describe_metrics() {
    for (name, description) in [
        (RECONCILES, "Total number of reconciliations per controller"),
        (ERRORS, "Total number of reconciliation errors per controller"),
        (TERMINAL_ERRORS, "Total number of terminal reconciliation errors per controller"),
        (PANICS, "Total number of reconciliation panics per controller"),
        (TIMEOUTS, "Total number of reconciliation timeouts per controller"),
        (HANDLER_PANICS, "Total number of panics of predicates and mappings per controller"),
        (BLOCKED, "Total number of times a reconciliation kept its thread for more than a second"),
        (
            STALE_READS,
            "Total number of reconciliations that a cache which lags behind own writes has not kept waiting",
        ),
        (ADDS, "Total number of adds handled by workqueue"),
        (RETRIES, "Total number of retries handled by workqueue"),
    ] {
        metrics::describe_counter!(name, description);
    }
    for (name, description) in [
        (MAX_CONCURRENT_RECONCILES, "Maximum number of concurrent reconciles per controller"),
        (ACTIVE_WORKERS, "Number of currently used workers per controller"),
        (DEPTH, "Current depth of workqueue"),
    ] {
        metrics::describe_gauge!(name, description);
    }
    for (name, description) in [
        (UNFINISHED_WORK, "Seconds of work that is in progress"),
        (LONGEST_RUNNING, "Seconds for which the longest running processor has been running"),
    ] {
        metrics::describe_gauge!(name, Unit::Seconds, description);
    }
    for (name, description) in [
        (RECONCILE_TIME, "Length of time per reconciliation per controller"),
        (QUEUE_DURATION, "Seconds for which an item stays in workqueue before it is requested"),
        (WORK_DURATION, "Seconds for which an item from workqueue is processed"),
    ] {
        metrics::describe_histogram!(name, Unit::Seconds, description);
    }
}

/// Sets the series of a controller, so that they are there before the first reconcile.
pub(super) fn begin(controller: &str, workers: usize) {
    for result in ["success", "requeue_after", "requeue", "error"] {
        metrics::counter!(RECONCILES, "controller" => controller.to_owned(), "result" => result).increment(0);
    }
    for name in [ERRORS, TERMINAL_ERRORS, PANICS, TIMEOUTS, HANDLER_PANICS, BLOCKED, STALE_READS] {
        count(name, controller, 0);
    }
    metrics::gauge!(MAX_CONCURRENT_RECONCILES, "controller" => controller.to_owned()).set(workers as f64);
    metrics::gauge!(ACTIVE_WORKERS, "controller" => controller.to_owned()).increment(0.0);
}

// Not set: controllers with one name share the gauge, and workers end in any order.

pub(super) fn worker_begins(controller: &str) {
    metrics::gauge!(ACTIVE_WORKERS, "controller" => controller.to_owned()).increment(1.0);
}

pub(super) fn worker_ends(controller: &str) {
    metrics::gauge!(ACTIVE_WORKERS, "controller" => controller.to_owned()).decrement(1.0);
}

pub(super) fn reconciled(controller: &str, outcome: Outcome, result: &'static str, took: Duration) {
    metrics::counter!(RECONCILES, "controller" => controller.to_owned(), "result" => result).increment(1);
    if result == "error" {
        count(ERRORS, controller, 1);
    }
    match outcome {
        Outcome::TerminalError => count(TERMINAL_ERRORS, controller, 1),
        Outcome::Panic => count(PANICS, controller, 1),
        Outcome::Timeout => count(TIMEOUTS, controller, 1),
        _ => {}
    }
    metrics::histogram!(RECONCILE_TIME, "controller" => controller.to_owned()).record(took);
}

pub(super) fn handler_panicked(controller: &str) {
    count(HANDLER_PANICS, controller, 1);
}

pub(super) fn blocked(controller: &str) {
    count(BLOCKED, controller, 1);
}

pub(super) fn stale_read(controller: &str) {
    count(STALE_READS, controller, 1);
}

/// Records the observations of a queue, which has the controller's name.
pub(in crate::controller) fn observed(queue: QueueBuilder<ObjectKey>) -> QueueBuilder<ObjectKey> {
    queue.metrics(observe)
}

fn observe(name: &str, observation: Observation) {
    let labels = || [("name", name.to_owned()), ("controller", name.to_owned())];
    match observation {
        Observation::Added => {
            metrics::counter!(ADDS, &labels()).increment(1);
            metrics::gauge!(DEPTH, &labels()).increment(1.0);
        }
        Observation::Taken(waited) => {
            metrics::gauge!(DEPTH, &labels()).decrement(1.0);
            metrics::histogram!(QUEUE_DURATION, &labels()).record(waited);
        }
        Observation::Done(worked) => metrics::histogram!(WORK_DURATION, &labels()).record(worked),
        Observation::Retried => metrics::counter!(RETRIES, &labels()).increment(1),
        _ => {}
    }
}

/// Forgets the keys of a queue that is no more.
pub(in crate::controller) fn queue_ended(name: &str) {
    for gauge in [DEPTH, UNFINISHED_WORK, LONGEST_RUNNING] {
        metrics::gauge!(gauge, "name" => name.to_owned(), "controller" => name.to_owned()).set(0.0);
    }
}

/// Sets the gauges of the work in progress.
pub(in crate::controller) fn queue_in_progress(queue: impl FnOnce() -> Option<Snapshot>) {
    let Some(queue) = queue() else { return };
    let labels = [("name", queue.name.to_string()), ("controller", queue.name.to_string())];
    metrics::gauge!(UNFINISHED_WORK, &labels).set(queue.unfinished_work.as_secs_f64());
    metrics::gauge!(LONGEST_RUNNING, &labels).set(queue.longest_running_processor.as_secs_f64());
}

fn count(name: &'static str, controller: &str, value: u64) {
    metrics::counter!(name, "controller" => controller.to_owned()).increment(value);
}
