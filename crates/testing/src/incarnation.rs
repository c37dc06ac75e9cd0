//! [`Incarnation`], the controller from one start to its end.

use std::sync::{Arc, Mutex};

use crate::gate::Gate;

/// The controller from one start to its end. Once it is killed, its requests wait for ever, so that tasks which it has
/// spawned do nothing any more.
pub(crate) struct Incarnation {
    /// From 1.
    pub(crate) number: usize,
    pub(crate) gate: Arc<Gate>,
    /// True if nothing runs: the controller is down.
    pub(crate) is_down: bool,
    /// The version that lists are answered from, while the caches are behind.
    behind: Mutex<Option<u64>>,
}

impl Incarnation {
    pub(crate) fn new(number: usize, behind: Option<u64>) -> Arc<Incarnation> {
        let gate = Arc::new(Gate::default());
        if behind.is_some() {
            gate.hold();
        }
        Arc::new(Incarnation { number, gate, is_down: false, behind: Mutex::new(behind) })
    }

    /// The time in which no controller runs.
    pub(crate) fn down(number: usize) -> Arc<Incarnation> {
        Arc::new(Incarnation { number, gate: Arc::default(), is_down: true, behind: Mutex::new(None) })
    }

    /// The version that lists are answered from, while the caches are behind.
    pub(crate) fn behind(&self) -> Option<u64> {
        *self.behind.lock().expect("no panics while held")
    }

    /// Lets the caches catch up.
    pub(crate) fn catch_up(&self) {
        *self.behind.lock().expect("no panics while held") = None;
        self.gate.release();
    }
}
