//! Time: tokio's, which tests can pause; under loom a clock that jumps to the next deadline.

#[cfg(loom)]
pub(crate) use loom::{Instant, Sleep, sleep_until};
#[cfg(not(loom))]
pub(crate) use tokio::time::{Instant, Sleep, sleep_until};

#[cfg(loom)]
mod loom {
    use std::pin::Pin;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::task::{Context, Poll};
    use std::time::Duration;

    /// Nanoseconds. Only compared with later instants, so that models can share it.
    static NOW: AtomicU64 = AtomicU64::new(0);

    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub(crate) struct Instant(u64);

    impl Instant {
        pub(crate) fn now() -> Self {
            Self(NOW.load(Ordering::SeqCst))
        }

        pub(crate) fn checked_add(self, after: Duration) -> Option<Self> {
            self.0.checked_add(after.as_nanos().try_into().ok()?).map(Self)
        }

        pub(crate) fn saturating_duration_since(self, earlier: Self) -> Duration {
            Duration::from_nanos(self.0.saturating_sub(earlier.0))
        }
    }

    impl std::ops::Add<Duration> for Instant {
        type Output = Self;

        fn add(self, after: Duration) -> Self {
            self.checked_add(after).expect("models wait for less than 500 years")
        }
    }

    /// Lets other tasks run once and is then over, so that time can pass at any point of their work.
    pub(crate) struct Sleep {
        deadline: Instant,
        slept: bool,
    }

    pub(crate) fn sleep_until(deadline: Instant) -> Sleep {
        Sleep { deadline, slept: false }
    }

    impl Sleep {
        pub(crate) fn reset(mut self: Pin<&mut Self>, deadline: Instant) {
            self.deadline = deadline;
        }

        pub(crate) fn deadline(&self) -> Instant {
            self.deadline
        }
    }

    impl Future for Sleep {
        type Output = ();

        fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
            if self.slept {
                NOW.fetch_max(self.deadline.0, Ordering::SeqCst);
                return Poll::Ready(());
            }
            self.slept = true;
            cx.waker().wake_by_ref();
            Poll::Pending
        }
    }
}
