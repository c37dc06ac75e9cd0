//! [`Finalizations`], the terminating objects whose content is being deleted.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// A terminating object: its content is deleted, and then its finalizer is removed.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Terminating {
    Namespace(String),
    Definition(String),
}

/// The terminating objects whose content is being deleted, each with a flag for changes since its content was last
/// listed.
#[derive(Default)]
pub(crate) struct Finalizations(Mutex<HashMap<Terminating, bool>>);

impl Finalizations {
    /// Starts one; returns `false` if it is running already and will list again.
    pub(super) fn begins(&self, terminating: &Terminating) -> bool {
        let mut going_on = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match going_on.get_mut(terminating) {
            Some(again) => {
                *again = true;
                false
            }
            None => going_on.insert(terminating.clone(), false).is_none(),
        }
    }

    /// Returns `true` if the content must be listed again, or ends the finalization and returns `false`.
    pub(super) fn goes_on(&self, terminating: &Terminating) -> bool {
        let mut going_on = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(again @ true) = going_on.get_mut(terminating) {
            *again = false;
            return true;
        }
        going_on.remove(terminating);
        false
    }
}
