//! Synchronization primitives: those of std, or of loom in models.

#[cfg(loom)]
use loom::sync as shared;
#[cfg(not(loom))]
use std::sync as shared;

use shared::MutexGuard;
pub(crate) use shared::atomic::{AtomicUsize, Ordering};
use std::sync::PoisonError;

/// A mutex without poisoning: the code that orders or compares items may panic, and the queue continues
/// without that item.
pub(crate) struct Mutex<T>(shared::Mutex<T>);

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(shared::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
