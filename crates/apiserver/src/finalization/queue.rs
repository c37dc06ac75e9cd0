//! [`Finalizations`], the terminating objects whose content is being deleted.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

/// A terminating object: its content is deleted, and then its finalizer is removed.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Terminating {
    Namespace(String),
    Definition(String),
}

/// The terminating objects whose content is being deleted.
#[derive(Default)]
pub(crate) struct Finalizations(Mutex<HashMap<Terminating, Finalization>>);

/// A finalization in progress.
#[derive(Default)]
struct Finalization {
    /// True if something was deleted since the content was last listed.
    again: bool,
    /// Told of changes, for one that waits since something could not be deleted.
    changed: Arc<Notify>,
}

impl Finalizations {
    /// Starts one, and returns what is told of changes; `None` if it is running already and will list again.
    pub(super) fn begin(&self, terminating: &Terminating) -> Option<Arc<Notify>> {
        let mut going_on = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = going_on.get_mut(terminating) {
            running.again = true;
            running.changed.notify_one();
            return None;
        }
        let begun = Finalization::default();
        let changed = begun.changed.clone();
        going_on.insert(terminating.clone(), begun);
        Some(changed)
    }

    /// Wakes that of a namespace if it waits since something could not be deleted. Mostly there is none.
    pub(crate) fn wake_namespace(&self, name: &str) {
        let going_on = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if going_on.is_empty() {
            return;
        }
        if let Some(running) = going_on.get(&Terminating::Namespace(name.to_owned())) {
            running.changed.notify_one();
        }
    }

    /// Returns `true` if the content must be listed again, or ends the finalization and returns `false`.
    pub(super) fn goes_on(&self, terminating: &Terminating) -> bool {
        let mut going_on = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = going_on.get_mut(terminating).filter(|running| running.again) {
            running.again = false;
            return true;
        }
        going_on.remove(terminating);
        false
    }
}
