//! Pieces of the simulations of leader election and of sharding: virtual time, and hosts on which things go wrong.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;
use std::time::Duration;

use klient_apimachinery::MicroTime;

use crate::clock::{Moment, Now};

pub(crate) const MILLISECOND: u64 = 1_000_000;
pub(crate) const SECOND: u64 = 1000 * MILLISECOND;
pub(crate) const MINUTE: u64 = 60 * SECOND;

/// The seeds of a test, which it prints: from `KLIENT_SEED` on, `KLIENT_SEEDS` of them.
#[allow(clippy::print_stdout, reason = "a random test prints its seed")]
pub(crate) fn seeds(default: u64) -> Range<u64> {
    let variable = |name: &str| std::env::var(name).ok().map(|value| value.parse::<u64>().unwrap());
    let first = variable("KLIENT_SEED").unwrap_or_else(|| fastrand::u64(..1_000_000_000));
    let seeds = variable("KLIENT_SEEDS").unwrap_or(default);
    println!("KLIENT_SEED={first}, {seeds} seeds");
    first..first + seeds
}

/// The events to come, in nanoseconds of virtual time. Those of one time come in the order in which they were added.
pub(crate) struct Schedule<E> {
    times: BinaryHeap<Reverse<(u64, usize)>>,
    events: Vec<Option<E>>,
}

impl<E> Schedule<E> {
    pub(crate) fn new() -> Self {
        Schedule { times: BinaryHeap::new(), events: Vec::new() }
    }

    pub(crate) fn add(&mut self, time: u64, event: E) {
        self.times.push(Reverse((time, self.events.len())));
        self.events.push(Some(event));
    }

    /// Takes the next event, if it comes by `end`.
    pub(crate) fn next_until(&mut self, end: u64) -> Option<(u64, E)> {
        let Reverse((time, place)) = *self.times.peek().filter(|Reverse((time, _))| *time <= end)?;
        self.times.pop();
        Some((time, self.events[place].take().expect("an event happens once")))
    }
}

/// The clocks of a machine, and its connection to the server. Times are nanoseconds of virtual time.
pub(crate) struct Host {
    /// The monotonic clock at the beginning.
    boot: u64,
    /// The wall clock at the beginning.
    wall: i64,
    /// The speed of the monotonic clock, in millionths.
    speed: u64,
    pub(crate) asleep_until: u64,
    cut_until: u64,
    slow_until: u64,
}

impl Host {
    pub(crate) fn new(random: &mut fastrand::Rng, speed: Range<u64>) -> Self {
        Host {
            boot: random.u64(..1000 * SECOND),
            wall: random.i64(0..1_700_000_000) * SECOND as i64,
            speed: random.u64(speed),
            asleep_until: 0,
            cut_until: 0,
            slow_until: 0,
        }
    }

    pub(crate) fn moment(&self, now: u64) -> Moment {
        let elapsed = u128::from(now) * u128::from(self.speed) / 1_000_000;
        Moment::after_boot(Duration::from_nanos(self.boot + elapsed as u64))
    }

    pub(crate) fn clocks(&self, now: u64) -> Now {
        let wall = MicroTime::from_unix_micros((self.wall + now as i64) / 1000);
        Now { moment: self.moment(now), wall }
    }

    /// The virtual time at which the monotonic clock shows a moment.
    pub(crate) fn time_of(&self, moment: Moment) -> u64 {
        let since_boot = moment.duration_since(Moment::after_boot(Duration::ZERO)).as_nanos() as u64;
        let elapsed = u128::from(since_boot.saturating_sub(self.boot));
        (elapsed * 1_000_000).div_ceil(u128::from(self.speed)) as u64
    }

    /// The time that a message between the machine and the server takes. `None` if the connection is cut, or the message is
    /// among those that are lost, per hundred.
    pub(crate) fn transmission(&self, now: u64, lost: u8, random: &mut fastrand::Rng) -> Option<u64> {
        if self.cut_until > now || random.u8(..100) < lost {
            return None;
        }
        let slow = [100 * MILLISECOND, 8 * SECOND, 40 * SECOND];
        let most = if self.slow_until > now { slow[random.usize(..3)] } else { 50 * MILLISECOND };
        Some(random.u64(MILLISECOND..most))
    }

    /// Lets one thing go wrong with the machine until a time.
    pub(crate) fn disturb(&mut self, end: u64, random: &mut fastrand::Rng) {
        match random.u8(..8) {
            0..3 => self.cut_until = end,
            3..5 => self.slow_until = end,
            5..7 => {
                let jump = random.i64(-3600..3600) * SECOND as i64;
                self.wall += jump / [1, 60, 1800][random.usize(..3)];
            }
            _ => self.asleep_until = end,
        }
    }
}
