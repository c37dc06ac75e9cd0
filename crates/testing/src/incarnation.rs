//! [`Incarnation`], the controller from one start to its end.

use std::sync::{Arc, Mutex};

use crate::gate::Gate;

/// The controller from one start to its end. Once it is killed, its requests wait for ever, so that tasks which it has
/// spawned do nothing any more.
pub(crate) struct Incarnation {
    /// From 1.
    pub(crate) number: usize,
    pub(crate) gate: Arc<Gate>,
    /// The version that lists are answered from, while the caches are behind.
    behind: Mutex<Option<u64>>,
}

impl Incarnation {
    pub(crate) fn new(number: usize, behind: Option<u64>) -> Arc<Incarnation> {
        let gate = Arc::new(Gate::default());
        if behind.is_some() {
            gate.hold();
        }
        Arc::new(Incarnation { number, gate, behind: Mutex::new(behind) })
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
