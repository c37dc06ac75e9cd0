//! Metrics that are not compiled in.

use std::time::Duration;

use klient_apimachinery::ObjectKey;
use klient_workqueue::{QueueBuilder, Snapshot};

use super::Outcome;

pub(super) fn begin(_: &str, _: usize) {}

pub(super) fn worker_begins(_: &str) {}

pub(super) fn worker_ends(_: &str) {}

pub(super) fn reconciled(_: &str, _: Outcome, _: &'static str, _: Duration) {}

pub(super) fn handler_panicked(_: &str) {}

pub(super) fn blocked(_: &str) {}

pub(super) fn stale_read(_: &str) {}

pub(in crate::controller) fn observed(queue: QueueBuilder<ObjectKey>) -> QueueBuilder<ObjectKey> {
    queue
}

pub(in crate::controller) fn queue_in_progress(_: impl FnOnce() -> Option<Snapshot>) {}

pub(in crate::controller) fn queue_ended(_: &str) {}
