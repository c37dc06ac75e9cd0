//! Synchronization primitives: those of std, or of loom where it tries all interleavings.

#[cfg(loom)]
use loom::sync as shared;
#[cfg(not(loom))]
use std::sync as shared;

use shared::MutexGuard;
pub(crate) use shared::atomic::{AtomicUsize, Ordering};
use std::sync::PoisonError;

/// A lock that a panic does not close: who orders or compares items may panic, and the queue goes on without that item.
pub(crate) struct Mutex<T>(shared::Mutex<T>);

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(shared::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
