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
        #[cfg(not(loom))]
        if let Some(guard) = self.spin() {
            return guard;
        }
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tries to lock for a microsecond. The lock is held for far less, and a thread that sleeps for it costs the
    /// holder a system call, and the next to come the same: std does not spin once one sleeps.
    #[cfg(not(loom))]
    fn spin(&self) -> Option<MutexGuard<'_, T>> {
        use std::sync::TryLockError;
        for round in 0..SPIN_ROUNDS + YIELDS {
            match self.0.try_lock() {
                Ok(guard) => return Some(guard),
                Err(TryLockError::Poisoned(poisoned)) => return Some(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) if round < SPIN_ROUNDS => {
                    (0..1 << round).for_each(|_| std::hint::spin_loop());
                }
                Err(TryLockError::WouldBlock) => std::thread::yield_now(),
            }
        }
        None
    }
}

/// A value that shares no cache line with others.
#[repr(align(128))]
pub(crate) struct Aligned<T>(pub(crate) T);

#[cfg(not(loom))]
const SPIN_ROUNDS: u32 = 7;

/// Afterwards the holder may be without a processor.
#[cfg(not(loom))]
const YIELDS: u32 = 2;
