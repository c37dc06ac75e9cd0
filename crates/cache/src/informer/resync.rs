//! [`Resync`], the timer of a handler's resync.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::shared::Shared;

/// The shortest resync period, as in client-go (`minimumResyncPeriod`).
const MIN_RESYNC_PERIOD: Duration = Duration::from_secs(1);

/// The timer of a handler's resync; never due without a period.
pub(super) struct Resync(Option<tokio::time::Interval>);

impl Resync {
    pub(super) fn new<K>(shared: &Shared<K>, own: Option<Duration>) -> Self {
        let period = own.or(shared.resync).filter(|period| !period.is_zero());
        Resync(period.map(|period| {
            let period = period.max(MIN_RESYNC_PERIOD);
            let mut interval = interval_at(Instant::now() + period, period);
            interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
            interval
        }))
    }

    pub(super) async fn due(&mut self) {
        match &mut self.0 {
            Some(interval) => drop(interval.tick().await),
            None => std::future::pending().await,
        }
    }
}
