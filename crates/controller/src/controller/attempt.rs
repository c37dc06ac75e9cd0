//! [`Attempt`], a reconcile whose panics are caught and whose blocking is told.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use klient_apimachinery::{BoxFuture, ObjectKey};

/// The time for which a reconcile may keep its thread before it is told.
pub(super) const BLOCKS_AFTER: Duration = Duration::from_secs(1);

/// A future whose panics are its result. Each poll is timed.
pub(super) struct Attempt<'a, T> {
    /// `None` after a panic.
    future: Option<BoxFuture<'static, T>>,
    worker: &'a Worker,
}

impl<'a, T> Attempt<'a, T> {
    pub(super) fn new(
        make: impl FnOnce() -> BoxFuture<'static, T>,
        worker: &'a Worker,
    ) -> Result<Self, String> {
        let future = worker.timed(|| caught(make))?;
        Ok(Attempt { future: Some(future), worker })
    }
}

impl<T> Future for Attempt<'_, T> {
    type Output = Result<T, String>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let worker = self.worker;
        let future = self.future.as_mut().expect("a future is not polled after its end");
        match worker.timed(|| caught(|| future.as_mut().poll(cx))) {
            Ok(polled) => polled.map(Ok),
            Err(panic) => {
                let future = self.future.take();
                // The first panic is the one that is told.
                let _ = caught(|| drop(future));
                Poll::Ready(Err(panic))
            }
        }
    }
}

impl<T> Drop for Attempt<'_, T> {
    fn drop(&mut self) {
        let future = self.future.take();
        if let Err(panic) = caught(|| drop(future)) {
            tracing::error!(panic, "a reconcile panicked when it was dropped");
        }
    }
}

/// Runs code of the reconciler. A panic is an error with its message.
pub(super) fn caught<R>(part: impl FnOnce() -> R) -> Result<R, String> {
    catch_unwind(AssertUnwindSafe(part)).map_err(message)
}

/// The message of a panic.
fn message(panic: Box<dyn Any + Send>) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    let text = text.unwrap_or("a panic without a message").to_owned();
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
        // The drop of what the drop panicked with might panic, too, and so on.
        std::mem::forget(panic);
    }
    text
}

type OnBlocked = Box<dyn Fn(&ObjectKey, Duration) + Send + Sync>;

/// The state of a worker, for those who watch it.
pub(super) struct Worker {
    origin: Instant,
    /// The nanoseconds from the origin to the begin of the present poll; zero between polls.
    poll_began: AtomicU64,
    key: Mutex<Option<ObjectKey>>,
    /// Called with the key and the time, once for each poll that blocks.
    on_blocked: OnBlocked,
    /// The begin of the last poll that was told.
    told: AtomicU64,
}

impl Worker {
    pub(super) fn new(on_blocked: impl Fn(&ObjectKey, Duration) + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Worker {
            origin: Instant::now(),
            poll_began: AtomicU64::new(0),
            key: Mutex::default(),
            on_blocked: Box::new(on_blocked),
            told: AtomicU64::new(0),
        })
    }

    /// The key that the worker has.
    pub(super) fn key(&self) -> Option<ObjectKey> {
        self.key.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set_key(&self, key: Option<ObjectKey>) {
        *self.key.lock().unwrap_or_else(PoisonError::into_inner) = key;
    }

    /// Tells of a poll that has taken too long, once.
    pub(super) fn check(&self) {
        let began = self.poll_began.load(Ordering::Acquire);
        let took = Duration::from_nanos(self.now().saturating_sub(began));
        if began != 0
            && took >= BLOCKS_AFTER
            && self.told.swap(began, Ordering::AcqRel) != began
            && let Some(key) = self.key()
        {
            (self.on_blocked)(&key, took);
        }
    }

    /// Runs a part of a reconcile that must not block. It does not panic.
    fn timed<R>(&self, part: impl FnOnce() -> R) -> R {
        self.poll_began.store(self.now(), Ordering::Release);
        let result = part();
        // On a runtime of one thread nobody else could.
        self.check();
        self.poll_began.store(0, Ordering::Release);
        result
    }

    /// Nanoseconds since the origin, not zero.
    fn now(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_nanos()).unwrap_or(u64::MAX).max(1)
    }
}
