//! The clocks of Leases: [`Moment`], which goes on while the machine sleeps, and the wall clock beside it.

use std::ops::Add;
use std::time::Duration;

use klient_apimachinery::{MicroTime, VirtualClock};

/// A time of the machine's monotonic clock: the time since it was booted, with the time that it slept
/// (`CLOCK_BOOTTIME`). On systems other than Linux it is [`std::time::Instant`], which may stop while the machine sleeps.
///
/// Setting the wall clock does not change it. In a thread with a [`VirtualClock`] it is the virtual time since its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(Duration);

impl Moment {
    /// The present.
    pub fn now() -> Self {
        Moment(VirtualClock::elapsed().unwrap_or_else(since_boot))
    }

    /// The time from an earlier moment to this one; zero if it is later.
    pub fn duration_since(self, earlier: Moment) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

#[cfg(target_os = "linux")]
fn since_boot() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default())
}

#[cfg(not(target_os = "linux"))]
fn since_boot() -> Duration {
    use std::sync::LazyLock;
    use std::time::Instant;

    static FIRST: LazyLock<Instant> = LazyLock::new(Instant::now);
    FIRST.elapsed()
}

impl Add<Duration> for Moment {
    type Output = Moment;

    fn add(self, duration: Duration) -> Moment {
        Moment(self.0.saturating_add(duration))
    }
}

/// A reading of both clocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now {
    /// The time by which leases and guards expire.
    pub(crate) moment: Moment,
    /// The time that is written to Leases, and not used otherwise.
    pub(crate) wall: MicroTime,
}

impl Now {
    pub(crate) fn read() -> Self {
        Now { moment: Moment::now(), wall: MicroTime::now() }
    }
}

/// Waits until a moment. Timers of the runtime stop while the machine sleeps, so that the clock is read once a second.
pub(crate) async fn sleep_until(end: Moment) {
    loop {
        let rest = end.duration_since(Moment::now());
        if rest.is_zero() {
            return;
        }
        tokio::time::sleep(rest.min(Duration::from_secs(1))).await;
    }
}

#[cfg(test)]
impl Moment {
    pub(crate) const fn after_boot(time: Duration) -> Self {
        Moment(time)
    }
}
