//! [`Warnings`], for the client, collected while its object is written.

use std::sync::{Mutex, PoisonError};

/// Warnings for a client, collected while its object is written.
#[derive(Default)]
pub(crate) struct Warnings(Mutex<Vec<String>>);

impl Warnings {
    pub(crate) fn add(&self, warnings: Vec<String>) {
        if warnings.is_empty() {
            return;
        }
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(warnings);
    }

    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
