//! [`Effort`], the work that compilations and evaluations may take of their thread.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use crate::failure::{Failure, Result};

/// The work that the compilations and evaluations of a function may take of their thread.
///
/// The cost of an evaluation depends on the expression and its values alone, and decides about an object. An effort says
/// how long somebody waits, and decides nothing: what is interrupted has no result, and is done again with more effort,
/// or given up. It is counted in steps of some tens of nanoseconds, so that small work is told from large in the same way
/// on every machine. Outside of [`spend`](Effort::spend) it is not limited.
///
/// ```
/// use std::time::Instant;
/// use klient_cel::{Effort, Environment, Expression, Interrupted, Limits};
///
/// let many = Expression::compile("lists.range(900).all(a, lists.range(900).all(b, a < 900))", &Environment::default())?;
/// let evaluate = || many.evaluate(&[], Limits { cost: u64::MAX });
/// assert!(matches!(Effort::LITTLE.spend(evaluate), Err(Interrupted)));
/// assert!(matches!(Effort::until(Instant::now()).spend(evaluate), Err(Interrupted)));
/// assert!(evaluate().result.is_ok());
/// # Ok::<(), klient_cel::CompileError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    steps: u64,
    deadline: Option<Instant>,
}

/// The effort did not suffice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interrupted;

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("operation interrupted")
    }
}

impl std::error::Error for Interrupted {}

/// The effort of a thread, as far as it is spent.
#[derive(Clone, Copy)]
pub(crate) struct Spending {
    left: u64,
    deadline: Option<Instant>,
    is_little: bool,
    is_interrupted: bool,
}

const UNLIMITED: Spending =
    Spending { left: u64::MAX, deadline: None, is_little: false, is_interrupted: false };

thread_local! {
    static SPENDING: Cell<Spending> = const { Cell::new(UNLIMITED) };
    static ABANDONED: RefCell<Option<Arc<AtomicBool>>> = const { RefCell::new(None) };
}

/// Returns true if nobody needs the results of the thread any more.
fn is_abandoned() -> bool {
    ABANDONED.with_borrow(|abandoned| abandoned.as_ref().is_some_and(|flag| flag.load(Ordering::Relaxed)))
}

/// Sets the flag of the thread back when it is dropped.
struct FlagBefore(Option<Arc<AtomicBool>>);

impl Drop for FlagBefore {
    fn drop(&mut self) {
        ABANDONED.set(self.0.take());
    }
}

/// Sets the effort of the thread back when it is dropped.
struct Before(Spending);

impl Drop for Before {
    fn drop(&mut self) {
        SPENDING.set(self.0);
    }
}

impl Effort {
    /// The effort for which nobody needs to make way: a few milliseconds.
    pub const LITTLE: Effort = Effort { steps: 1 << 16, deadline: None };

    /// Any effort until a time.
    pub fn until(deadline: Instant) -> Effort {
        Effort { steps: u64::MAX, deadline: Some(deadline) }
    }

    /// Runs a function with this effort for all its compilations and evaluations.
    ///
    /// # Errors
    ///
    /// If that did not suffice.
    pub fn spend<T>(self, run: impl FnOnce() -> T) -> std::result::Result<T, Interrupted> {
        let Effort { steps, deadline } = self;
        let own = Spending { left: steps, deadline, is_little: deadline.is_none(), is_interrupted: false };
        let _before = Before(SPENDING.replace(own));
        let done = run();
        if SPENDING.get().is_interrupted { Err(Interrupted) } else { Ok(done) }
    }

    /// Runs a function whose result others need, too, such as a compilation: until a time of its own, though the effort of
    /// the thread ends before. A thread with [`LITTLE`](Self::LITTLE) effort does not spend more.
    ///
    /// # Errors
    ///
    /// If that did not suffice, in which case the effort of the thread does not suffice, either.
    pub fn for_others<T>(deadline: Instant, run: impl FnOnce() -> T) -> std::result::Result<T, Interrupted> {
        if Effort::is_late() {
            return Err(Interrupted);
        }
        let done = match SPENDING.get().deadline {
            Some(_) => Effort::until(deadline).spend(run),
            None => {
                let done = run();
                if Effort::is_interrupted() { Err(Interrupted) } else { Ok(done) }
            }
        };
        if done.is_err() {
            SPENDING.set(Spending { is_interrupted: true, ..SPENDING.get() });
        }
        done
    }

    /// Runs a function whose efforts with a time end when a flag is set, too, also those [for others](Self::for_others): then
    /// nobody will need what it does.
    pub fn abandonable<T>(flag: Arc<AtomicBool>, run: impl FnOnce() -> T) -> T {
        let _before = FlagBefore(ABANDONED.replace(Some(flag)));
        run()
    }

    /// Takes steps of the effort of the thread for work of another kind than compilations and evaluations. Returns false if
    /// the effort is interrupted.
    pub fn take(steps: u64) -> bool {
        take(steps).is_ok()
    }

    /// Returns true if the effort of the thread did not suffice, so that results are of no use.
    pub fn is_interrupted() -> bool {
        SPENDING.get().is_interrupted
    }

    /// Returns true if the time of the thread's effort is over, which is interrupted then.
    pub fn is_late() -> bool {
        let now = SPENDING.get();
        let is_late = now.deadline.is_some_and(|deadline| Instant::now() >= deadline || is_abandoned());
        SPENDING.set(Spending { is_interrupted: now.is_interrupted || is_late, ..now });
        is_late
    }

    /// Returns true if the thread may wait for others; otherwise its effort is interrupted.
    pub fn may_wait() -> bool {
        let now = SPENDING.get();
        SPENDING.set(Spending { is_interrupted: now.is_interrupted || now.is_little, ..now });
        !now.is_little
    }
}

/// The effort of the thread.
pub(crate) fn current() -> Spending {
    SPENDING.get()
}

/// Sets the effort of the thread, which works for another.
pub(crate) fn set(spending: Spending) {
    SPENDING.set(spending);
}

/// The flag that ends the efforts of the thread.
pub(crate) fn flag() -> Option<Arc<AtomicBool>> {
    ABANDONED.with_borrow(Clone::clone)
}

/// Sets the flag of the thread, which works for another.
pub(crate) fn set_flag(flag: Option<Arc<AtomicBool>>) {
    ABANDONED.set(flag);
}

/// Takes steps of the effort of the thread.
///
/// # Errors
///
/// [`Failure::Budget`] if it is interrupted.
pub(crate) fn take(steps: u64) -> Result<()> {
    let mut now = SPENDING.get();
    let left = now.left.checked_sub(steps);
    let is_late = now.deadline.is_some_and(|deadline| Instant::now() > deadline || is_abandoned());
    now.is_interrupted |= left.is_none() || is_late;
    now.left = left.unwrap_or(0);
    SPENDING.set(now);
    if now.is_interrupted { Err(Failure::Budget) } else { Ok(()) }
}
