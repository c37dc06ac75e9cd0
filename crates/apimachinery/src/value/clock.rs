//! [`VirtualClock`], which replaces the clock of a thread, for tests in virtual time.

use std::cell::RefCell;
use std::fmt;
use std::marker::PhantomData;
use std::time::{Duration, SystemTime};

thread_local! {
    static CLOCK: RefCell<Option<Clock>> = const { RefCell::new(None) };
}

struct Clock {
    began: SystemTime,
    elapsed: Box<dyn Fn() -> Duration>,
}

/// The clock of the thread that starts it, until it is dropped: [`Time::now`](crate::Time::now) and
/// [`MicroTime::now`](crate::MicroTime::now) are then the time of its start plus the virtual time since. For tests in which
/// time passes at once, such as those with tokio's paused time. Other threads keep the machine's clock.
///
/// ```
/// use std::cell::Cell;
/// use std::rc::Rc;
/// use std::time::Duration;
///
/// use klient_apimachinery::{Time, VirtualClock};
///
/// let elapsed = Rc::new(Cell::new(Duration::ZERO));
/// let (clock, time) = (elapsed.clone(), Time::now());
/// let _clock = VirtualClock::start(move || clock.get());
/// elapsed.set(Duration::from_secs(3600));
/// assert!(Time::now().unix() - time.unix() >= 3600);
/// ```
#[must_use = "the clock is the machine's again when it is dropped"]
pub struct VirtualClock {
    /// It belongs to its thread.
    thread: PhantomData<*const ()>,
}

impl VirtualClock {
    /// Starts a clock at the present, with a function that returns the virtual time since. It replaces one that the thread
    /// has already.
    pub fn start(elapsed: impl Fn() -> Duration + 'static) -> VirtualClock {
        let clock = Clock { began: SystemTime::now(), elapsed: Box::new(elapsed) };
        CLOCK.with_borrow_mut(|current| *current = Some(clock));
        VirtualClock { thread: PhantomData }
    }

    /// The virtual time since the start of the clock of this thread; none if the machine's clock applies.
    pub fn elapsed() -> Option<Duration> {
        // A thread that ends has no clock any more.
        let read = CLOCK.try_with(|clock| clock.borrow().as_ref().map(|clock| (clock.elapsed)()));
        read.ok().flatten()
    }
}

impl Drop for VirtualClock {
    fn drop(&mut self) {
        CLOCK.with_borrow_mut(|current| *current = None);
    }
}

impl fmt::Debug for VirtualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VirtualClock").field("elapsed", &VirtualClock::elapsed()).finish()
    }
}

/// The present, by the clock of this thread.
pub(super) fn now() -> SystemTime {
    let read = CLOCK.try_with(|clock| {
        clock.borrow().as_ref().and_then(|clock| clock.began.checked_add((clock.elapsed)()))
    });
    read.ok().flatten().unwrap_or_else(SystemTime::now)
}
